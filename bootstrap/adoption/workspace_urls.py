"""URLs that people wrote for one cloud workspace, by which port they lead to."""

import re

_GITPOD = r"https://(?P<gitpod>[0-9]+)-\$\{GITPOD_WORKSPACE_ID\}\.\$\{GITPOD_WORKSPACE_CLUSTER_HOST\}"
_CODESPACES = (
    r"https://\$\{CODESPACE_NAME\}-(?P<codespaces>[0-9]+)"
    r"\.(?:\$\{GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN\}|app\.github\.dev)"
)
_URL = re.compile(rf"(?:{_GITPOD}|{_CODESPACES})(?P<path>(?:/[\w./@-]*)?)", re.ASCII)


def port_and_path(text: str) -> tuple[int, str] | None:
    """The port that a URL of Gitpod's or Codespaces' form leads to, and the rest; None for any other text."""
    match = _URL.fullmatch(text)
    return None if match is None else (int(match["gitpod"] or match["codespaces"]), match["path"])

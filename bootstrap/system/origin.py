"""Where this very installation came from, so that workspaces can install the same."""

import json
import re
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from bootstrap.model.manifest import INSTALL

_NAME = "workspace-bootstrap"
#: whatever else is importable, such as what lies in the folder where somebody types, says nothing of us
_BESIDE_US = Path(__file__).parents[2]


def installed_from() -> str | None:
    """Say it as a requirement, `git+https://HOST/OWNER/REPOSITORY@FULL-COMMIT`; None where nobody knows."""
    for found in distributions(name=_NAME, path=[str(_BESIDE_US)]):
        return requirement(found.read_text("direct_url.json"))
    return None


def requirement(noted: str | None) -> str | None:
    """Make it of what pip, pipx and uv note in `direct_url.json`; None for all but git over https.

    The format: https://packaging.python.org/en/latest/specifications/direct-url-data-structure/. `commit_id`
    is there whatever branch or tag was asked for. An address with a user or a password is not passed on.
    """
    try:
        document: Any = json.loads(noted or "{}")
        made = f"git+{document['url']}@{document['vcs_info']['commit_id']}"
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    beyond = document["vcs_info"].get("vcs") != "git" or document.get("subdirectory")
    return None if beyond or not re.search(INSTALL, made) else made

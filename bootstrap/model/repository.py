"""Whose secrets these are: the repository, as its remote names it, never as it names itself."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from bootstrap.model.errors import NotConfiguredError

# user@host:path as scp writes it; a single letter before the colon would be a drive.
_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>\[[^\]]+\]|[^:/\s@]{2,}):(?!//)(?P<path>.+)")
_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


class Repository(Struct, frozen=True):
    """One repository; everybody who has the same `identity` shares its secrets on this machine."""

    #: "github.com/owner/name" in lower case, or the real path of the git root where there is no remote
    identity: str
    #: "owner/name" of the remote as it is written there; None without one
    slug: str | None = None

    @property
    def owner(self) -> str:
        """Everything before the last part of the slug; empty without one."""
        return self.slug.rpartition("/")[0] if self.slug else ""

    @property
    def name(self) -> str:
        """The last part of the slug, or of the path."""
        return (self.slug or self.identity).rpartition("/")[2]

    def check_remote(self, named: str) -> None:
        """Raise NotConfiguredError where no remote on a host names it; `named` begins the sentence."""
        if self.slug is None:
            raise NotConfiguredError(
                f"{named} the repository's remote, and it has none on a host",
                "git remote add origin URL. Where it leads to a folder: git remote set-url origin URL",
            )


def of_remote(url: str, root: Path) -> Repository:
    """Name the repository that `url` (as in remote.origin.url) leads to; `root` is the work tree's real path.

    Protocol, user, password, a default port, a trailing slash and `.git` make no difference, nor does case:
    hosts ignore it, and so do GitHub, GitLab and Bitbucket in paths. A path or file:// URL is a repository on
    this machine and is named by its real path.
    """
    url = url.strip()
    host, path = _parts(url)
    if host is None:
        return Repository(str(_resolved(root, path)))
    slug = path.strip("/").removesuffix(".git").rstrip("/")
    if not slug:
        return Repository(str(root))
    return Repository(f"{host}/{slug}".lower(), slug)


def _resolved(root: Path, path: str) -> Path:
    """The real path of what lies at `path` from `root`; `root` for what no path can be."""
    try:
        return (root / path).resolve() if path else root
    except (OSError, ValueError):
        return root


def _parts(url: str) -> tuple[str | None, str]:
    """Split into the host with a port of its own, and the path; no host for a path on this machine."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return (found["host"], found["path"]) if found else (None, url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, ""
    if parts.scheme == "file" or not host:
        return None, unquote(parts.path)
    scheme = parts.scheme.rpartition("+")[2]
    return (host if port in (None, _PORTS.get(scheme)) else f"{host}:{port}"), unquote(parts.path)

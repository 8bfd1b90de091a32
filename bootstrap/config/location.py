"""Where the manifest is, and whether it is this user's."""

import os
import stat
from pathlib import Path

from bootstrap.model.errors import BootstrapError, NotConfiguredError

MANIFEST = "bootstrap.toml"
LOCAL_MANIFEST = "bootstrap.local.toml"


def find(start: Path) -> Path:
    """Find the manifest that `start` belongs to: in it or above it, no higher than the git root.

    Raises NotConfiguredError where there is none, BootstrapError where it belongs to somebody else.
    """
    folders = [start, *start.parents]
    ends = next((index for index, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    for folder in folders[: ends + 1]:
        path = folder / MANIFEST
        try:
            status = path.lstat()
        except OSError:
            continue
        check_owner(path, status)
        return path
    raise NotConfiguredError(f"{start}: there is no {MANIFEST} here", "Create one: bootstrap init")


def check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse a manifest that another user could have put there for us to find."""
    if not stat.S_ISREG(status.st_mode):
        raise BootstrapError(
            f"{path}: is not a regular file", "Replace it by a file of your own: bootstrap init"
        )
    if status.st_uid != os.geteuid():
        raise BootstrapError(
            f"{path}: belongs to another user (uid {status.st_uid}, you are {os.geteuid()})",
            f"If you trust it, make it yours: sudo chown {os.geteuid()} {path}",
        )

"""What this machine remembers about one project: a private folder outside the repository.

`$XDG_STATE_HOME/bootstrap/<first 16 hex digits of SHA-256 of the root's real path>/`, mode 0700, one JSON
file a subject. Losing it costs a question that is asked again, never data.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error, write_atomically


class State:
    """The run state of the project at `root`."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        key = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]
        self._path = _state_home(environ) / "bootstrap" / key

    @property
    def directory(self) -> Path:
        """The folder, made on first use; raises BootstrapError where it is not this user's alone."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.mkdir(mode=0o700, exist_ok=True)
            status = self._path.lstat()
        except OSError as error:
            raise file_error("make the state folder", self._path, error) from error
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise BootstrapError(
                f"{self._path}: is not a folder of yours",
                "Remove it, or point XDG_STATE_HOME at a folder of your own.",
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            self._path.chmod(0o700)
        return self._path

    def read(self, subject: str) -> dict[str, Any] | None:
        """What was written about `subject`, or None; a file that is not whole counts as none."""
        try:
            if self._path.lstat().st_uid != os.geteuid():
                return None  # what somebody else put there is not what we wrote
            data = msgspec.json.decode((self._path / f"{subject}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) else None

    def write(self, subject: str, data: Mapping[str, Any]) -> None:
        """Remember `data` (JSON types) about `subject`, atomically, mode 0600."""
        path = self.directory / f"{subject}.json"
        text = msgspec.json.format(msgspec.json.encode(data), indent=1)
        try:
            write_atomically(path, text + b"\n", mode=0o600)
        except OSError as error:
            raise file_error("write", path, error) from error

    def forget(self, subject: str) -> None:
        """Remove what was written about `subject`."""
        with contextlib.suppress(OSError):
            (self._path / f"{subject}.json").unlink()


def _state_home(environ: Mapping[str, str]) -> Path:
    """XDG's rule: the variable counts only if it holds an absolute path."""
    named = environ.get("XDG_STATE_HOME", "")
    if named.startswith("/"):
        return Path(named)
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise BootstrapError(
            "HOME is not set", "Set HOME to your home folder, or XDG_STATE_HOME to a private one."
        )
    return Path(home) / ".local" / "state"

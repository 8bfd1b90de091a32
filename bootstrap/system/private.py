"""Private folders: this user's alone, outside every repository, for what is nobody else's business."""

import contextlib
import os
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error, write_atomically

#: where the interpreter has its own SHA-256 (since 3.12, before): hashlib would load all of OpenSSL first,
#: which takes longer than everything else that `run` looks up
_SHA256 = ("_sha2", "_sha256", "hashlib")


class PrivateFolder:
    """A folder of mode 0700, made on first use, with JSON files of mode 0600, one a subject."""

    def __init__(self, path: Path) -> None:
        #: where it is, whether it exists or not
        self.path = path

    @property
    def directory(self) -> Path:
        """The folder, made on first use; raises BootstrapError where it is not this user's alone."""
        try:
            for folder in reversed([parent for parent in self.path.parents if not parent.exists()]):
                folder.mkdir(mode=0o700, exist_ok=True)  # as the XDG specification asks
            self.path.mkdir(mode=0o700, exist_ok=True)
            status = self.path.lstat()
        except OSError as error:
            raise file_error("make the private folder", self.path, error) from error
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise BootstrapError(
                f"{self.path}: is not a folder of yours",
                "Remove it, or point XDG_STATE_HOME and XDG_DATA_HOME at folders of your own.",
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            self.path.chmod(0o700)
        return self.path

    def read(self, subject: str) -> dict[str, Any] | None:
        """What was written about `subject`, or None; a file that is not whole counts as none."""
        try:
            if self.path.lstat().st_uid != os.geteuid():
                return None  # what somebody else put there is not what we wrote
            data = msgspec.json.decode((self.path / f"{subject}.json").read_bytes())
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
            (self.path / f"{subject}.json").unlink()


def home(environ: Mapping[str, str], variable: str, *below: str) -> Path:
    """A base folder of the XDG specification: `variable` if it holds an absolute path, else below HOME."""
    named = environ.get(variable, "")
    if named.startswith("/"):
        return Path(named)
    base = environ.get("HOME", "")
    if not base.startswith("/"):
        raise BootstrapError(
            "HOME is not set", f"Set HOME to your home folder, or {variable} to a private one."
        )
    return Path(base, *below)


def folder_name(owner: str) -> str:
    """Name the folder of whoever `owner` says: the first 16 hex digits of its SHA-256."""
    for module in _SHA256:
        with contextlib.suppress(ImportError):
            digest: str = import_module(module).sha256(os.fsencode(owner)).hexdigest()
            return digest[:16]
    raise ImportError("this Python has no SHA-256")

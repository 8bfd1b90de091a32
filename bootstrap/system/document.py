"""A JSON file that processes change one after the other, and that none of them can leave in pieces."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error, write_atomically
from bootstrap.system.lock import Lock
from bootstrap.system.private import PrivateFolder

#: seconds to wait for another process that changes the same file
PATIENCE = 30.0


class Document:
    """The JSON object in `<subject>.json` of a private folder; an empty one where there is no file.

    What cannot be read is an error and stays as it is: nobody writes over what may be somebody's only copy.
    """

    def __init__(self, folder: PrivateFolder, subject: str) -> None:
        self._folder = folder
        self._name = f"{subject}.json"

    @property
    def path(self) -> Path:
        """Where the file is, whether it exists or not."""
        return self._folder.path / self._name

    def read(self) -> dict[str, Any]:
        """Return what is in it. Raises BootstrapError where it is not ours, not private, or not whole."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                self._check(os.fstat(handle))
                with os.fdopen(handle, "rb", closefd=False) as stream:
                    text = stream.read()
            finally:
                os.close(handle)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise file_error("read", self.path, error) from error
        try:
            data = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise self.damaged()
        return data

    def damaged(self) -> BootstrapError:
        """Say that what is in it is not what we write."""
        return BootstrapError(
            f"{self.path}: is not whole, and is left as it is",
            "Mend it by hand, or move it away; then run the same command again.",
        )

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Give the object to be changed, and write it when the block ends well and something has changed.

        When this returns, the change is on the disk. Processes wait for each other, for up to 30 seconds.
        """
        lock = Lock(self._folder.directory / f".{self._name}.lock")
        lock.wait(PATIENCE)
        try:
            self._remove_remains()
            data = self.read()
            before = msgspec.json.encode(data)
            yield data
            after = msgspec.json.encode(data)
            if after != before:
                try:
                    write_atomically(self.path, msgspec.json.format(after, indent=1) + b"\n", mode=0o600)
                except OSError as error:
                    raise file_error("write", self.path, error) from error
        finally:
            lock.release()

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise BootstrapError(f"{self.path}: is not a file of yours", "Move it away.")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise BootstrapError(
                f"{self.path}: others may read it (mode {stat.S_IMODE(status.st_mode):04o})",
                f"Make it yours alone: chmod 600 {self.path}; and consider what was in it as known.",
            )

    def _remove_remains(self) -> None:
        """Remove what a killed writer has left beside the file; its holder of the lock is dead."""
        for remains in self._folder.path.glob(f".{self._name}.*.tmp"):
            with contextlib.suppress(OSError):
                remains.unlink()

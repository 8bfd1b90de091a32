"""A lock between processes, which the system releases when its holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error

_POLL = 0.005
_NO_LOCKS = "Some network file systems have none: point XDG_STATE_HOME and XDG_DATA_HOME at a local disk."


class Lock:
    """An exclusive lock on the file `path`; children do not inherit it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take it if nobody has it and say whether that worked; raises BootstrapError where locks fail."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise file_error("open", self._path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError as error:
            os.close(handle)
            failed = file_error("lock", self._path, error)
            failed.hint = failed.hint or _NO_LOCKS
            raise failed from error
        self._handle = handle
        return True

    def held(self) -> bool:
        """Say whether another process has it, which any number of processes may ask at the same time.

        A file that is not there is held by nobody, and neither is one that cannot be locked.
        """
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(handle)
        return False

    def wait(self, timeout: float) -> None:
        """Take it as soon as nobody has it; raises BootstrapError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.acquire():
            if time.monotonic() >= deadline:
                raise BootstrapError(
                    f"{self._path}: another process has held this lock for {timeout:.0f} seconds",
                    f"See which: fuser {self._path}",
                )
            time.sleep(_POLL)

    def release(self) -> None:
        """Give it back; the file stays, so that nobody locks one that has just been removed."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

"""The lock files that git leaves behind when it is killed, and whether anybody may still hold one."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

#: what git creates so that nobody else writes: it removes them itself, unless it is killed
_SINGLE = ("packed-refs.lock", "packed-refs.new", "reftable/tables.list.lock")
_FOLDERS = ("refs/tags", "refs/bootstrap")
#: seconds in which a process that this machine does not show (in a container) may still be at work
YOUNG = 10.0


class LockFile(NamedTuple):
    """One lock file."""

    path: Path
    #: in seconds
    age: float
    #: the file that was looked at, so that no other is removed
    inode: int

    @property
    def young(self) -> bool:
        """Whether somebody whom this machine does not show may have made it just now."""
        return self.age < YOUNG


def locks(folder: Path) -> list[LockFile]:
    """List the lock files that keep tags from changing, in the common git folder of a clone."""
    found = []
    for path in _candidates(folder):
        with contextlib.suppress(OSError):
            status = path.lstat()
            found.append(LockFile(path, max(0.0, time.time() - status.st_mtime), status.st_ino))
    return found


def _candidates(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _SINGLE)
    for name in _FOLDERS:
        for parent, _, files in os.walk(folder / name):
            yield from (Path(parent, file) for file in files if file.endswith(".lock"))


def owners(root: Path, folder: Path) -> list[int]:
    """The processes that may hold a lock: every git that works in this clone, as far as this machine shows.

    A git whose folder cannot be seen counts, if it is this user's.
    """
    places = [os.path.realpath(root), os.path.realpath(folder)]
    found = []
    for process in psutil.process_iter(("pid", "name", "uids", "cwd", "status")):
        name, cwd = process.info["name"] or "", process.info["cwd"]
        # One that has ended holds nothing, even if nobody ever asks how: few containers have an init.
        if not name.startswith("git") or process.info["status"] in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            continue
        uids = process.info["uids"]
        own = uids is not None and uids.real == os.getuid()
        inside = cwd is not None and any(cwd == place or cwd.startswith(place + os.sep) for place in places)
        if inside or (cwd is None and own):
            found.append(process.info["pid"])
    return found


def remove(lock: LockFile) -> bool:
    """Remove a lock file, unless it is another by now; say whether it is gone."""
    try:
        if lock.path.lstat().st_ino != lock.inode:
            return False
        lock.path.unlink()
    except FileNotFoundError:
        return True
    return True

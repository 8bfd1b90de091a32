"""Reads many small files below a folder, within bounds, and never through a symbolic link."""

import os
import stat
from collections.abc import Iterator

from msgspec import Struct


class Bounds(Struct, frozen=True):
    """How much is read, beyond which everything is left.

    `size`: bytes of one file; `total`: of all; `files`: their number; `folders`: that of folders; `depth`:
    how many are inside each other.
    """

    size: int = 256 * 1024
    total: int = 8 * 1024 * 1024
    files: int = 400
    folders: int = 2000
    depth: int = 30


def texts(folder: int, suffix: str, skip: frozenset[str], bounds: Bounds) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the files below the open folder whose names end in `suffix`.

    Folders named in `skip`, and those whose names start with a dot, are left. What the system refuses to read
    is left, too.
    """
    count = total = 0
    for seen, (top, folders, names, handle) in enumerate(os.fwalk(".", dir_fd=folder)):
        if seen >= bounds.folders:
            return
        inside = sorted(name for name in folders if name not in skip and not name.startswith("."))
        folders[:] = inside if top.count("/") < bounds.depth else []
        for name in sorted(names):
            if not name.endswith(suffix):
                continue
            data = _read(name, handle, bounds.size)
            if data is not None:
                count, total = count + 1, total + len(data)
                if count > bounds.files or total > bounds.total:
                    return
                yield os.path.normpath(f"{top}/{name}"), data


def _read(name: str, folder: int, size: int) -> bytes | None:
    """One file; None where it is no plain one, or too large."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > size:
            return None
        try:
            data = stream.read(size + 1)
        except OSError:
            return None
        return data if len(data) <= size else None

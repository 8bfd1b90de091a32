"""The work tree as it is on disk: its tracked and untracked files, without following a symbolic link."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bootstrap.model.errors import BootstrapError
from bootstrap.system import git

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SUBMODULE = b"160000"


class Unread(NamedTuple):
    """Something that could not be looked at, and what it is."""

    path: str
    why: str


def listed(root: Path) -> tuple[list[str], list[Unread]]:
    """List the files that git tracks or would offer to add, and the repositories inside this one."""
    files: dict[str, None] = {}
    others: list[Unread] = []
    for record in _records(root, "--stage"):
        head, _, name = record.partition(b"\t")
        path = os.fsdecode(name)
        if head.startswith(_SUBMODULE):
            others.append(Unread(path, "a submodule"))
        else:
            files[path] = None  # a conflict has it three times
    for record in _records(root, "--others", "--exclude-standard"):
        path = os.fsdecode(record)
        if path.endswith("/"):
            others.append(Unread(path, "another repository"))
        else:
            files[path] = None
    return list(files), others


def _records(root: Path, *options: str) -> list[bytes]:
    answer = git.run(root, "ls-files", "-z", *options)
    if answer.returncode != 0:
        reason = answer.stderr.decode(errors="replace").strip()
        raise BootstrapError(f"git ls-files failed: {reason}", f"Try it yourself: cd {root} && git status")
    return [record for record in answer.stdout.split(b"\0") if record]


class WorkTree:
    """Reads files below `root`, and nothing that a symbolic link leads to."""

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._real: dict[str, bool] = {"": True}

    def pieces(self, path: str, size: int) -> Iterator[bytes] | Unread | None:
        """Read a file, at most `size` bytes at once; of a symbolic link, where it leads; None: it is gone."""
        if not self._is_real(path.rpartition("/")[0]):
            return None  # what git tracked there is gone: a link stands in its way
        full = f"{self._root}/{path}"
        try:
            handle = os.open(full, _FLAGS)
            kind = os.fstat(handle).st_mode
        except OSError as error:
            return _unreadable(full, path, error)
        if not stat.S_ISREG(kind):
            os.close(handle)
            return Unread(path, "no regular file")
        return _read(handle, size)

    def _is_real(self, folder: str) -> bool:
        """Whether a folder below the root is reached without a symbolic link."""
        known = self._real.get(folder)
        if known is None:
            try:
                known = stat.S_ISDIR(os.lstat(f"{self._root}/{folder}").st_mode)
            except OSError:
                known = False
            known = known and self._is_real(folder.rpartition("/")[0])
            self._real[folder] = known
        return known


def _unreadable(full: str, path: str, error: OSError) -> Iterator[bytes] | Unread | None:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return None
    if error.errno == errno.ELOOP:
        return iter([os.fsencode(Path(full).readlink())])
    return Unread(path, os.strerror(error.errno or 0).lower())


def _read(handle: int, size: int) -> Iterator[bytes]:
    try:
        while piece := os.read(handle, size):
            yield piece
            if len(piece) < size and not os.fstat(handle).st_size > os.lseek(handle, 0, os.SEEK_CUR):
                return
    finally:
        os.close(handle)

"""Files: whole or not at all, inside one folder, and never through a symbolic link."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bootstrap.model.errors import BootstrapError
from bootstrap.system.sources import Bounds, texts

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_HINTS = {
    errno.ENOSPC: "Free some space, then run the same command again.",
    errno.EDQUOT: "Your disk quota is used up: free some space, then run the same command again.",
    errno.EFBIG: "The file would be larger than this system allows.",
    errno.EACCES: "Check who may write there (ls -ld), then run the same command again.",
    errno.EPERM: "Check who may write there (ls -ld), then run the same command again.",
    errno.EROFS: "The folder is read-only: work in a writable copy of the repository.",
    errno.ENOENT: "A folder on the way to it is missing: make it, or name another one.",
    errno.ELOOP: "It is a symbolic link: replace it by a real file or folder.",
    errno.ENOTDIR: "A part of that path is a file or a symbolic link: move it out of the way.",
    errno.EISDIR: "A folder stands where a file belongs: move it out of the way.",
}


def file_error(action: str, path: str | Path, error: OSError) -> BootstrapError:
    """Say which file could not be read or written, why, and what to do."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return BootstrapError(f"{path}: cannot {action}: {reason}", _HINTS.get(error.errno or 0, ""))


def write_atomically(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Replace `path` by `data` in one step; whoever reads it sees the old bytes or the new ones.

    `mode` None keeps the mode of the file that is there (0644 less the umask for a new one). Raises OSError.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _replace(directory, path.name, data, mode)
    finally:
        os.close(directory)


def _replace(directory: int, name: str, data: bytes, mode: int | None) -> None:
    """Write beside the target and rename over it; `directory` is an open folder."""
    existing: int | None = None
    with contextlib.suppress(FileNotFoundError):
        existing = stat.S_IMODE(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    temporary = f".{name}.{os.urandom(6).hex()}.tmp"
    creation = mode if mode is not None else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, creation, dir_fd=directory)
    try:
        with os.fdopen(handle, "wb") as stream:
            wanted = mode if mode is not None else existing
            if wanted is not None:
                os.fchmod(stream.fileno(), wanted)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
    os.fsync(directory)


class ProjectFiles:
    """The files below one folder, addressed by their path from it; no symbolic link is followed on the way.

    Every method raises BootstrapError, naming the path, when the system refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str, limit: int | None = None) -> bytes | None:
        """The file's bytes, or None where there is none; one of more than `limit` bytes is refused."""
        try:
            with self._parent(path, create=False) as directory:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                handle = os.open(PurePosixPath(path).name, flags, dir_fd=directory)
                with os.fdopen(handle, "rb") as stream:
                    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                        raise BootstrapError(f"{path}: is not a regular file", "Move it out of the way.")
                    if limit is None:
                        return stream.read()
                    data = stream.read(limit + 1)
                    if len(data) > limit:
                        raise BootstrapError(f"{path}: is too large to be read", "Check what it is.")
                    return data
        except FileNotFoundError:
            return None
        except OSError as error:
            raise file_error("read", path, error) from error

    def mode(self, path: str) -> int | None:
        """The permission bits, or None where there is no such file."""
        try:
            with self._parent(path, create=False) as directory:
                status = os.stat(PurePosixPath(path).name, dir_fd=directory, follow_symlinks=False)
                return stat.S_IMODE(status.st_mode)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise file_error("read", path, error) from error

    def entries(self, folder: str) -> list[str] | None:
        """The names in a folder, or None where there is none."""
        try:
            with self._parent(f"{folder}/any", create=False) as directory:
                return sorted(os.listdir(directory))  # noqa: PTH208 - an open folder has no path
        except FileNotFoundError:
            return None
        except OSError as error:
            raise file_error("read", folder, error) from error

    def texts(
        self, folder: str, suffix: str, *, skip: frozenset[str] = frozenset(), bounds: Bounds | None = None
    ) -> dict[str, bytes]:
        """The small files below `folder` whose names end in `suffix`: path from here -> bytes.

        None are an answer, too, such as where there is no such folder. See bootstrap.system.sources.
        """
        try:
            with self._parent(f"{folder}/any", create=False) as directory:
                found = texts(directory, suffix, skip, bounds or Bounds())
                return {os.path.normpath(f"{folder}/{path}"): data for path, data in found}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise file_error("read", folder, error) from error

    def write(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """Replace the file atomically; missing folders are made."""
        try:
            with self._parent(path, create=True) as directory:
                name = PurePosixPath(path).name
                with contextlib.suppress(FileNotFoundError):
                    kind = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
                    if stat.S_ISLNK(kind):
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    if stat.S_ISDIR(kind):
                        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
                _replace(directory, name, data, mode)
        except OSError as error:
            raise file_error("write", path, error) from error

    def remove(self, path: str) -> None:
        """Remove the file; one that is not there is no error."""
        try:
            with self._parent(path, create=False) as directory:
                os.unlink(PurePosixPath(path).name, dir_fd=directory)
        except FileNotFoundError:
            return
        except OSError as error:
            raise file_error("remove", path, error) from error

    def remove_folder(self, path: str) -> None:
        """Remove the folder if it is empty; one that is not, or not there, is no error."""
        try:
            with self._parent(path, create=False) as directory:
                os.rmdir(PurePosixPath(path).name, dir_fd=directory)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise file_error("remove", path, error) from error

    @contextlib.contextmanager
    def _parent(self, path: str, *, create: bool) -> Iterator[int]:
        """Open the folder that holds `path`, one step at a time, refusing links."""
        parts = PurePosixPath(path).parts if "\0" not in path else ()
        if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
            raise BootstrapError(
                f"{path}: is not a path inside the project", "Use a path below the project's root."
            )
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                handle = _step(handle, part, create=create)
            yield handle
        finally:
            os.close(handle)


def _step(parent: int, name: str, *, create: bool) -> int:
    """Open the folder `name` inside `parent` and close `parent`; on failure the caller still holds it."""
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
    child = os.open(name, _DIRECTORY, dir_fd=parent)
    os.close(parent)
    return child

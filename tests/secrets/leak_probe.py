"""Looks for values that are nowhere to be found: in bytes, files, git's objects and running processes."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
from typing import TYPE_CHECKING

from bootstrap.model.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: the program that takes values as arguments and no other way
ALLOWED_ARGUMENTS = "gp"


class Probe:
    """Knows the values, and `marks`: parts of them that betray one even where the rest was cut off or bent.

    What it says it found never holds a value.
    """

    def __init__(self, values: Collection[str], marks: Collection[str]) -> None:
        self._mask = Mask(values)
        self._needles = {form for text in (*values, *marks) for form in _forms(text.encode())}

    def finds(self, data: bytes) -> bool:
        """Whether a value stands in `data`: as it is, escaped, percent-encoded, or in base64."""
        return any(needle in data for needle in self._needles) or self._mask.finds(
            data.decode(errors="replace")
        )

    def in_files(self, *folders: Path, but: Collection[Path] = ()) -> list[str]:
        """Every file below `folders` that holds one, or has one in its name, except `but`."""
        found = []
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if self.finds(os.fsencode(path)):
                    found.append("the name of a file")
                if (
                    path.is_file()
                    and not path.is_symlink()
                    and path not in but
                    and self.finds(path.read_bytes())
                ):
                    found.append(str(path))
        return found

    def in_git(self, root: Path) -> list[str]:
        """Every object of the repository that holds one, whether anything leads to it or not."""
        listed = _git(root, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects", "--unordered")
        return [name for name in listed.decode().split() if self.finds(_git(root, "cat-file", "-p", name))]

    @contextlib.contextmanager
    def watching(self, *, environ: bool = True) -> Iterator[set[str]]:
        """Look at the arguments, and at the environment, of every process that starts while the block runs.

        The set that it gives is complete when the block has ended. `gp` may have one in its arguments.
        """
        found: set[str] = set()
        done = threading.Event()
        before = set(os.listdir("/proc"))  # noqa: PTH208 - as in the thread
        watcher = threading.Thread(
            target=self._watch, args=(found, done, before), kwargs={"environ": environ}, name="leak probe"
        )
        watcher.start()
        try:
            yield found
        finally:
            done.set()
            watcher.join()

    def _watch(self, found: set[str], done: threading.Event, before: set[str], *, environ: bool) -> None:
        last: dict[str, tuple[bytes, bytes]] = {}
        while not done.is_set():
            for number in set(os.listdir("/proc")) - before:  # noqa: PTH208 - many times a second
                now = (_read(f"/proc/{number}/cmdline"), _read(f"/proc/{number}/environ") if environ else b"")
                if number.isdecimal() and now != last.get(number):
                    last[number] = now
                    found.update(self._in_process(*now))
            done.wait(0.005)

    def in_arguments(self, cmdline: bytes) -> bool:
        """Whether a command line, as /proc has it, holds one, and is none of `gp`."""
        return self.finds(cmdline) and not _may(cmdline.split(b"\0"))

    def _in_process(self, cmdline: bytes, environ: bytes) -> Iterator[str]:
        arguments = cmdline.split(b"\0")
        if self.in_arguments(cmdline):
            yield f"arguments of {_name(arguments)}"
        if self.finds(environ):
            yield f"environment of {_name(arguments)}"


def _forms(data: bytes) -> Iterator[bytes]:
    """As it is, and what base64 makes of it wherever it stands in something longer (RFC 4648, section 4)."""
    yield data
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        whole = encoded[(0, 2, 3)[before] : len(encoded) - (0, 3, 2)[(before + len(data)) % 3]]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def _may(arguments: list[bytes]) -> bool:
    """A script has its interpreter before it, which may have an option."""
    return any(os.path.basename(argument) == ALLOWED_ARGUMENTS.encode() for argument in arguments[:3])  # noqa: PTH119 - bytes


def _name(arguments: list[bytes]) -> str:
    """Which program, without what it was given."""
    return os.fsdecode(arguments[0])


def _read(path: str) -> bytes:
    """A process may end, or be another user's, at any time."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - many times a second
            return stream.readall()
    except OSError:
        return b""


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True).stdout

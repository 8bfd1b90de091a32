"""The services' logs on disk: bounded, private, and readable in the order in which the lines came.

One file a service, `<state>/logs/<service>.log`, mode 0600; each line is the time (UTC, ISO 8601 with
microseconds), a space, and the text. A full file moves to `<service>.log.1`, over the one that was there.
"""

import contextlib
import heapq
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bootstrap.stack.interface import LogLine
from bootstrap.system.files import file_error

_LIMIT = 5_000_000
_POLL = 0.1

#: when it was written, by whom, what
Entry = tuple[str, str, str]


def folder(state: Path) -> Path:
    """The folder of the logs, made on first use; raises BootstrapError where that fails."""
    logs = state / "logs"
    try:
        logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise file_error("make the folder", logs, error) from error
    return logs


class LogWriter:
    """Appends to one service's log, which it begins anew; raises BootstrapError where that fails."""

    def __init__(self, logs: Path, service: str, *, limit: int = _LIMIT) -> None:
        self._path = logs / f"{service}.log"
        self._older = logs / f"{service}.log.1"
        self._limit = limit
        try:
            self._older.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            self._stream = self._open()
        except OSError as error:
            raise file_error("write", self._path, error) from error

    def _open(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self._path, flags, 0o600), "ab", buffering=0)

    def write(self, lines: Iterable[str]) -> None:
        """Append the lines, all with the time of now; raises OSError."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._stream.write("".join(f"{now} {line}\n" for line in lines).encode(errors="replace"))
        if self._stream.tell() >= self._limit:
            self._stream.close()
            self._path.replace(self._older)
            self._stream = self._open()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read(logs: Path, services: Iterable[str], tail: int | None) -> Iterator[LogLine]:
    """The lines that are there, oldest first; with `tail` the last so many of each service."""
    yield from follow(logs, services, tail, lambda: False)


def follow(
    logs: Path, services: Iterable[str], tail: int | None, goes_on: Callable[[], bool]
) -> Iterator[LogLine]:
    """As `read`, then each new line until `goes_on` says no."""
    followers = [_Follower(logs, service) for service in services]
    try:
        last = False
        batches: list[Iterable[Entry]] = [_last(follower.fresh(), tail) for follower in followers]
        while True:
            for _, service, text in heapq.merge(*batches, key=lambda entry: entry[0]):
                yield LogLine(service, text)
            if last:
                return
            last = not goes_on()  # what was written before that answer is still read
            if not last:
                time.sleep(_POLL)
            batches = [list(follower.fresh()) for follower in followers]
    finally:
        for follower in followers:
            follower.close()


def _last(entries: Iterator[Entry], count: int | None) -> list[Entry]:
    return list(entries if count is None else deque(entries, maxlen=count))


class _Follower:
    """Reads one service's log from its beginning, through the file's replacement by a new one."""

    def __init__(self, logs: Path, service: str) -> None:
        self._service = service
        self._path = logs / f"{service}.log"
        self._stream: BinaryIO | None = None
        self._rest = b""
        with contextlib.suppress(FileNotFoundError):
            self._stream = (logs / f"{service}.log.1").open("rb")

    def fresh(self) -> Iterator[Entry]:
        """What was written since the last call."""
        while True:
            current = self._replacement()
            yield from self._read()
            if current is None:
                return
            self.close()
            self._stream, self._rest = current, b""

    def _replacement(self) -> BinaryIO | None:
        """The file that now stands at the path, if it is another one than we read."""
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            return None
        if self._stream is None or not os.path.sameopenfile(stream.fileno(), self._stream.fileno()):
            return stream
        stream.close()
        return None

    def _read(self) -> Iterator[Entry]:
        if self._stream is None:
            return
        while data := self._stream.read(1 << 16):
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                moment, _, text = line.decode(errors="replace").partition(" ")
                yield moment, self._service, text

    def close(self) -> None:
        """Close the file that is being read."""
        if self._stream is not None:
            self._stream.close()

"""Carries what a service writes from its pipe to the observer and to its log."""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from bootstrap.model.masking import Mask
from bootstrap.stack.interface import LogLine
from bootstrap.stack.lines import Lines
from bootstrap.stack.logfile import LogWriter

_REMEMBERED = 15


class Output:
    """The output of one service, through its setup and its life."""

    def __init__(self, service: str, mask: Mask, log: LogWriter, emit: Callable[[LogLine], None]) -> None:
        self._service = service
        self._mask = mask
        self._log: LogWriter | None = log
        self._emit = emit
        self._lock = threading.Lock()
        self._last: deque[str] = deque(maxlen=_REMEMBERED)

    def last(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        with self._lock:
            return tuple(self._last)

    def attach(self, stream: IO[bytes]) -> threading.Thread:
        """Read the stream to its end, and close it, in a thread of its own.

        A process that has left the group may keep the other end open: whoever joins sets a limit.
        """
        thread = threading.Thread(
            target=self._pump, args=(stream,), name=f"{self._service} output", daemon=True
        )
        thread.start()
        return thread

    def _pump(self, stream: IO[bytes]) -> None:
        lines = Lines(self._mask)
        with stream:
            while data := os.read(stream.fileno(), 1 << 16):
                self._take(lines.feed(data))
        self._take(lines.close())

    def _take(self, lines: list[str]) -> None:
        if not lines:
            return
        with self._lock:
            self._last.extend(lines)
            self._store(lines)
        for line in lines:
            self._emit(LogLine(self._service, line))

    def _store(self, lines: list[str]) -> None:
        """Write to the log; a full disk ends the log, never the service."""
        if self._log is None:
            return
        try:
            self._log.write(lines)
        except OSError as error:
            self._close_log()
            self._last.append(f"[the log ends here: {os.strerror(error.errno or 0).lower()}]")

    def close(self) -> None:
        """Close the log."""
        with self._lock:
            self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.close()
            self._log = None

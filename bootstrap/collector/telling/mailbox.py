"""Events on their way to one reader: a slow one misses some, and holds up nobody."""

import asyncio
import contextlib
import threading
from collections import deque

MOST_EVENTS = 1_000
MOST_BYTES = 4 * 1024 * 1024


class Mailbox:
    """Takes events on any thread, and gives them out on the loop that it was made on.

    Where there are too many, the oldest are dropped and counted.
    """

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most = (most_events, most_bytes)
        self._events: deque[bytes] = deque()
        self._size = 0
        self._skipped = 0
        self._closed = False
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()

    def put(self, event: bytes) -> None:
        """Add an event, which may push out others."""
        with self._lock:
            woken = self._is_awaited()
            self._events.append(event)
            self._size += len(event)
            most_events, most_bytes = self._most
            while len(self._events) > 1 and (len(self._events) > most_events or self._size > most_bytes):
                self._size -= len(self._events.popleft())
                self._skipped += 1
        self._wake(woken)

    def skip(self, count: int) -> None:
        """Count events that never got here."""
        with self._lock:
            woken = self._is_awaited()
            self._skipped += count
        self._wake(woken)

    def close(self) -> None:
        """End it, after what is still in it."""
        with self._lock:
            self._closed = True
        self._wake(needed=True)

    async def take(self, seconds: float) -> tuple[list[bytes], int] | None:
        """Wait for events, no longer than that: them, and how many were dropped before; None at the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        with self._lock:
            self._filled.clear()
            if self._closed and self._is_awaited():
                return None
            taken = list(self._events), self._skipped
            self._events.clear()
            self._size = self._skipped = 0
            if self._closed:
                self._filled.set()
            return taken

    def _is_awaited(self) -> bool:
        """Whether the reader has to be woken: once is enough for all that comes until it looks."""
        return not self._events and not self._skipped

    def _wake(self, needed: bool) -> None:  # noqa: FBT001
        if needed:
            # The loop may have ended meanwhile, and the reader with it.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._filled.set)

"""A queue between threads that is bounded by bytes, because items differ in size by a factor of thousands."""

import threading
from collections import deque
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class ByteQueue(Generic[_Item]):
    """First in, first out, up to a number of bytes; an item larger than that is taken when it is alone.

    Each item comes with its size. None is what `get` returns once the queue is closed and empty.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[tuple[_Item, int]] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: _Item, size: int) -> None:
        """Add an item as soon as there is room."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(size))
            self._append(item, size)

    def offer(self, item: _Item, size: int) -> bool:
        """Add an item if there is room; say whether."""
        with self._changed:
            if not self._fits(size):
                return False
            self._append(item, size)
            return True

    def get(self, seconds: float | None = None) -> _Item | None:
        """Wait for an item, without end or for so long; None at the end. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, seconds):
                raise TimeoutError
            return self._pop()

    def get_nowait(self) -> _Item | None:
        """Take an item if there is one."""
        with self._changed:
            return self._pop()

    def close(self) -> None:
        """Say that nothing more comes; what is there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return not self._items or self._size + size <= self._limit

    def _append(self, item: _Item, size: int) -> None:
        self._items.append((item, size))
        self._size += size
        self._changed.notify_all()

    def _pop(self) -> _Item | None:
        if not self._items:
            return None
        item, size = self._items.popleft()
        self._size -= size
        self._changed.notify_all()
        return item

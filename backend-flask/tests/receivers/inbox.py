"""What a receiver has received, and waiting for more of it."""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

PATIENCE = 30.0  # seconds that a loaded machine may need for anything


class Inbox:
    """Everything that arrived and was accepted, in order; or only how much of it (`keep=False`).

    `refusals` counts what was not accepted, by reason.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.items: list[Any] = []
        self.count = 0
        self.bytes = 0
        self.refusals: Counter[str] = Counter()
        self._keep = keep
        self._changed = threading.Condition()

    def add(self, items: Collection[Any], size: int = 0) -> None:
        """Add what came in one body of `size` bytes."""
        with self._changed:
            self.count += len(items)
            self.bytes += size
            if self._keep:
                self.items += items
            self._changed.notify_all()

    def refuse(self, reason: str) -> None:
        with self._changed:
            self.refusals[reason] += 1

    def wait_for(self, count: int) -> list[Any]:
        """Wait until `count` items are there, and answer all that are."""
        self.wait_until(lambda: self.count >= count, f"{count} items")
        return list(self.items)

    def wait_until(self, condition: Callable[[], bool], wanted: str) -> None:
        """Wait until `condition` holds; it is looked at whenever something arrives."""
        with self._changed:
            arrived = self._changed.wait_for(condition, PATIENCE)
            seen = f"{self.count} arrived: {str(self.items)[-2000:]}, refused: {self.refusals}"
            assert arrived, f"waiting for {wanted}, {seen}"

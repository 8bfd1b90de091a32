"""What the collector says about itself: counts for whoever asks, one line on stderr for what went wrong."""

import sys
import threading
from collections import Counter


class Tally:
    """How many items each receiver stored, and how many it had to refuse; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def add(self, receiver: str, outcome: str, count: int = 1) -> None:
        """Count items of a receiver (`otlp`) under an outcome (`stored`, `rejected`)."""
        with self._lock:
            self._counts.setdefault(receiver, Counter())[outcome] += count

    def snapshot(self) -> dict[str, dict[str, int]]:
        """The counts since the start, by receiver and outcome."""
        with self._lock:
            return {receiver: dict(counts) for receiver, counts in self._counts.items()}


def complain(message: str) -> None:
    """Write one line to stderr; whatever could end the line or steer a terminal is taken out."""
    line = "".join(character if character.isprintable() else " " for character in message)
    sys.stderr.write(f"collector: {line}\n")
    sys.stderr.flush()

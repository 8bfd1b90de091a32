"""Gives the server a processor core of its own, where the system can."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def available() -> list[int]:
    """The cores that this process may use; empty where processes cannot be bound to cores, as on macOS."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


@contextmanager
def bound_to(cores: list[int]) -> Iterator[None]:
    """Bind what is started inside the block to `cores`. No cores: to none in particular."""
    if sys.platform != "linux" or not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

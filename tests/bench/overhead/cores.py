"""Gives the server a processor core of its own, so that neither client nor receivers take its time."""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache


def servers() -> list[int]:
    """The core for the server."""
    return _all()[-1:]


def others() -> list[int]:
    """The cores for everything else."""
    return _all()[:-1]


@contextmanager
def bound_to(cores: Collection[int]) -> Iterator[None]:
    """Bind what is started in the block to these cores. None are given where that cannot be done."""
    if sys.platform != "linux" or not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@cache  # asked for the first time before anything is bound
def _all() -> list[int]:
    """The cores of this process; none where there is only one, or where processes cannot be bound (macOS)."""
    if sys.platform != "linux":
        return []
    found = sorted(os.sched_getaffinity(0))
    return found if len(found) > 1 else []

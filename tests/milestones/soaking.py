"""How much of what takes long is done: a sample in each run, chosen by its seed, and everything in a soak."""

import os
import random
from collections.abc import Collection

import pytest

#: 1, or what `make soak` says
SOAK = int(os.environ["BOOTSTRAP_SOAK"])
#: a soak is as patient as it is long
patient = pytest.mark.timeout(600 * max(SOAK, 12) if SOAK > 1 else 600)


def some(cases: Collection[str], most: int, salt: str) -> list[str]:
    """Every case in a soak; otherwise so many at most, others with every seed."""
    if SOAK > 1:
        return list(cases)
    return random.Random(f"{os.environ['BOOTSTRAP_SEED']} {salt}").sample(sorted(cases), most)

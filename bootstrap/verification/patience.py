"""Looks again and again, after pauses that grow, until everything has arrived or the time is up."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from bootstrap.verification.interface import Arrival, Look, Reading

K = TypeVar("K")

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.1, 5.0, 1.5
#: seconds that the rest has to follow once something has arrived
_GRACE = 5.0
#: seconds until a person is told what is waited for, and between two such lines
_QUIET, _AGAIN = 1.0, 5.0


def settle(
    looks: Mapping[K, tuple[float, Look]], timeout: float, say: Callable[[list[K], float], None]
) -> dict[K, tuple[Reading, float]]:
    """Take each look until it settles, for `timeout` seconds; return the last reading, and when it was made.

    `looks` has for each the moment (seconds since 1970) from which its time counts. `say` is told what is
    still waited for, and for how long, after a second and every five from then on.
    """
    start = time.monotonic()
    pause, told = _FIRST_PAUSE, start + _QUIET - _AGAIN
    found: dict[K, tuple[Reading, float]] = {}
    arrived: dict[K, float] = {}
    waiting = list(looks)
    while True:
        for key in list(waiting):
            if key in found and time.monotonic() > start + timeout + _LONGEST_PAUSE:
                return found  # whom nobody answers takes long for every look
            since, look = looks[key]
            reading = look()
            now = max(0.0, time.time() - since)
            if reading.state is Arrival.ARRIVED:
                arrived.setdefault(key, now)
            if key not in arrived or reading.state is Arrival.ARRIVED:
                # What counts is when the first of it was seen; what follows only completes it.
                found[key] = (reading, arrived.get(key, now))
            if reading.settled or now > arrived.get(key, now) + _GRACE:
                waiting.remove(key)
            told = _tell(say, waiting, start, told)
        left = start + timeout - time.monotonic()
        if not waiting or left <= 0:
            return found
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _tell(say: Callable[[list[K], float], None], waiting: list[K], start: float, told: float) -> float:
    now = time.monotonic()
    if waiting and now >= told + _AGAIN:
        say(waiting, now - start)
        return now
    return told


def seen_after(reading: Reading, seconds: float) -> float | None:
    """How long it took; nothing where nothing was seen."""
    return seconds if reading.state is Arrival.ARRIVED else None

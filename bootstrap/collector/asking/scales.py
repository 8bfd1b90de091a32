"""The scales of the heatmap: columns of a round stretch of time, rows whose bounds grow by a factor."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

_MILLISECOND = 1_000_000
_SECOND = 1_000 * _MILLISECOND
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_MOST_ROWS = 40
_LEAST_DECADE = 1_000
"""X-Ray's times are exact to a microsecond: what is shorter is all in the first row."""
_PER_DECADE = (24, 20, 16, 12, 10, 8, 6, 5, 4, 3, 2, 1)


def _widths() -> Iterator[int]:
    for power in range(3):
        yield from (step * 10**power * _MILLISECOND for step in (1, 2, 5))
    yield from (seconds * _SECOND for seconds in (1, 2, 5, 10, 15, 30))
    yield from (minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30))
    yield from (hours * _HOUR for hours in (1, 2, 3, 6, 12))
    for power in itertools.count():
        yield from (step * 10**power * _DAY for step in (1, 2, 5))


class Columns(NamedTuple):
    """`number` columns of `width_ns` each, from `start_ns`, which is a multiple of it."""

    start_ns: int
    width_ns: int
    number: int

    @property
    def starts(self) -> range:
        """Where each begins."""
        return range(self.start_ns, self.end_ns, self.width_ns)

    @property
    def end_ns(self) -> int:
        """Where the last one ends."""
        return self.start_ns + self.number * self.width_ns


def columns(start_ns: int, end_ns: int, most: int) -> Columns:
    """The narrowest that cover the time from `start_ns` to before `end_ns` with at most so many columns."""
    for width in _widths():
        first, last = start_ns // width, max(start_ns, end_ns - 1) // width
        if last - first < max(1, most):
            return Columns(first * width, width, last - first + 1)
    raise AssertionError("there is no end of widths")


def edges(least_ns: int, greatest_ns: int) -> list[int]:
    """The bounds of up to 40 rows, ever further apart, that cover `least_ns` to `greatest_ns`.

    Durations that lie close together get a part of the rows above and below.
    """
    low, high = max(least_ns, _LEAST_DECADE), max(greatest_ns, _LEAST_DECADE)
    while high < 10 * low:
        low, high = max(_LEAST_DECADE, low * 2 // 3), high * 3 // 2
    bounds = next(found for per in _PER_DECADE if len(found := _bounds(low, high, per)) <= _MOST_ROWS + 1)
    return [0, *bounds[1:]] if least_ns < bounds[0] else bounds


def _bounds(low: int, high: int, per_decade: int) -> list[int]:
    """From the last bound up to `low` to the first one above `high`."""
    steps = range(per_decade * 20)
    grid = [round(_LEAST_DECADE * 10 ** (step / per_decade)) for step in steps]
    first = max(at for at, bound in enumerate(grid) if bound <= low)
    last = min(at for at, bound in enumerate(grid) if bound > high)
    return grid[first : last + 1]

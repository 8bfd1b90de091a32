"""The stretch of time that a heatmap shows where the filter has none.

It is the hour before the newest trace, or less where the oldest started later: a single one with a clock of
last year must not push all others together. What starts more than a minute from now does not count, either,
unless there is nothing else.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.collector.asking.conditions import Conditions, conditions
from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.telemetry.records import MAX_TIME_NS

_MINUTE = 60 * 1_000_000_000
_HOUR = 60 * _MINUTE

_NEWEST = "SELECT start_ns FROM trace WHERE {where} ORDER BY start_ns DESC LIMIT 1"
_OLDEST = "SELECT start_ns FROM trace WHERE {where} ORDER BY start_ns LIMIT 1"


#: traces of a window that are looked at, the newest
MOST_TRACES = 500_000


class Window(Struct, frozen=True):
    """From `start_ns` to before `end_ns`."""

    start_ns: int
    end_ns: int

    def has(self, moment_ns: int) -> bool:
        """Whether a moment lies in it."""
        return self.start_ns <= moment_ns < self.end_ns

    def conditions(self, wanted: TraceFilter) -> Conditions:
        """A filter without attributes and text, in this window."""
        return conditions(replace(wanted, start_ns=self.start_ns, end_ns=self.end_ns))


def of_traces(connection: sqlite3.Connection, wanted: TraceFilter) -> Window:
    """The window of the traces that a filter without attributes and text leaves."""
    chosen = conditions(wanted)

    def first(these: Conditions, order: str) -> int | None:
        found = connection.execute(these.within(order), these.values).fetchone()
        return None if found is None else int(found[0])

    def newest(before_ns: int) -> int | None:
        return first(chosen.also("start_ns < :before", before=before_ns), _NEWEST)

    def oldest(from_ns: int) -> int | None:
        return first(chosen.also("start_ns >= :since", since=from_ns), _OLDEST)

    return _window(wanted, newest, oldest)


def of_starts(starts: Sequence[int], wanted: TraceFilter) -> Window:
    """The window of traces that started at these times, which the filter has left."""

    def newest(before_ns: int) -> int | None:
        return max((start for start in starts if start < before_ns), default=None)

    def oldest(from_ns: int) -> int | None:
        return min((start for start in starts if start >= from_ns), default=None)

    return _window(wanted, newest, oldest)


def _window(
    wanted: TraceFilter, newest: Callable[[int], int | None], oldest: Callable[[int], int | None]
) -> Window:
    now = time.time_ns()
    last = newest(now + _MINUTE) if wanted.end_ns is None else newest(wanted.end_ns)
    if last is None and wanted.end_ns is None:
        last = newest(MAX_TIME_NS)
    end = wanted.end_ns if wanted.end_ns is not None else (now if last is None else last) + 1
    if wanted.start_ns is not None:
        start = wanted.start_ns
    else:
        hour = (end if last is None else last) - _HOUR
        first = oldest(hour)
        start = hour if first is None or first >= end else first
    return Window(start, max(end, start + 1))

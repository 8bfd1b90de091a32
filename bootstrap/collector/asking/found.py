"""The traces that a filter leaves, newest first."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from bootstrap.collector.asking.conditions import Budget, Conditions, Cursor, conditions
from bootstrap.collector.asking.contents import Contents
from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.telemetry.ids import parse_trace_id

_ROWS = """
SELECT number, trace_id, start_ns, end_ns, error FROM trace WHERE {where}
ORDER BY start_ns DESC, number DESC
"""

#: traces that are read at once: so many at first, and then up to so many
_FIRST, _MOST = 20, 500


class Row(NamedTuple):
    """What is known of a trace without reading it."""

    number: int
    trace_id: str
    start_ns: int
    end_ns: int | None
    error: int

    @property
    def cursor(self) -> Cursor:
        """Its place in the list."""
        return Cursor(self.start_ns, self.number)


class Found:
    """The traces that are wanted, as far as the time goes: `stopped_at` says where it was over."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        wanted: TraceFilter,
        budget: Budget,
        after: Cursor | None = None,
        among: Sequence[str] | None = None,
    ) -> None:
        self._connection = connection
        self._budget = budget
        self._after = after
        self._among = among
        self.stopped_at: Cursor | None = None
        # Who looks for an id wants that trace, rather than all that mention it.
        self._trace_id = parse_trace_id(wanted.text or "")
        self._wanted = replace(wanted, text=None) if self._trace_id else wanted

    def __iter__(self) -> Iterator[Row]:
        """Look for them; each one that was looked at takes time, whether it is wanted or not."""
        chosen = conditions(self._wanted).after(self._after)
        if self._among is not None:
            ids = msgspec.json.encode(self._among).decode()
            chosen = chosen.also("trace_id IN (SELECT value FROM json_each(:among))", among=ids)
        if self._trace_id:
            chosen = chosen.also("trace_id = :trace_id", trace_id=self._trace_id)
        rows = self._rows(chosen)
        return self._read(rows) if needs_reading(self._wanted) else rows

    def _rows(self, chosen: Conditions) -> Iterator[Row]:
        return map(Row._make, self._connection.execute(chosen.within(_ROWS), chosen.values))

    def _read(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Read more and more of them at a time, while that takes a fraction of what is left of the time."""
        contents = Contents(self._connection, self._wanted)
        size = _FIRST
        last: Row | None = None
        while some := list(islice(rows, size)):
            left = self._budget.left()
            holding = self._holding(contents, some, self._budget)
            if holding is None and last is None:
                yield from self._one_by_one(contents, some)
                return
            if holding is None:
                break
            yield from (row for row in some if row.trace_id in holding)
            last = some[-1]
            if len(some) < size:
                return
            if self._budget.is_over():
                break
            if left - self._budget.left() < self._budget.left() / 4:
                size = min(2 * size, _MOST)
        self.stopped_at = last.cursor if last else None

    def _one_by_one(self, contents: Contents, some: Sequence[Row]) -> Iterator[Row]:
        """Read very large ones; what takes more than the time for one answer by itself is passed over."""
        budget = Budget(self._budget.seconds)
        for row in some:
            if self._holding(contents, [row], Budget(budget.seconds)):
                yield row
            self.stopped_at = row.cursor
            if budget.is_over():
                return

    def _holding(self, contents: Contents, some: Sequence[Row], budget: Budget) -> set[str] | None:
        """The ids of those that are wanted; None if the time was over before they were read."""
        with budget.limiting(self._connection):
            try:
                return contents.holding([row.trace_id for row in some])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                    raise
                return None


def needs_reading(wanted: TraceFilter) -> bool:
    """Whether no table knows by itself which traces are wanted."""
    return bool(wanted.attributes or wanted.text)

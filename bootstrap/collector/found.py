"""The traces that a filter leaves, newest first."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from bootstrap.collector.conditions import Budget, Conditions, Cursor, conditions
from bootstrap.collector.contents import Contents
from bootstrap.collector.ids import parse_trace_id
from bootstrap.collector.questions import TraceFilter

_ROWS = """
SELECT number, trace_id, start_ns, end_ns, error FROM trace WHERE {where}
ORDER BY start_ns DESC, number DESC
"""


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
    ) -> None:
        self._connection = connection
        self._budget = budget
        self._after = after
        self.stopped_at: Cursor | None = None
        # Who looks for an id wants that trace, rather than all that mention it.
        self._trace_id = parse_trace_id(wanted.text or "")
        self._wanted = replace(wanted, text=None) if self._trace_id else wanted

    def __iter__(self) -> Iterator[Row]:
        """Look for them; each one that was looked at takes time, whether it is wanted or not."""
        chosen = conditions(self._wanted).after(self._after)
        if self._trace_id:
            chosen = chosen.also("trace_id = :trace_id", trace_id=self._trace_id)
        if not needs_reading(self._wanted):
            yield from self._rows(chosen)
            return
        contents = Contents(self._connection, self._wanted)
        for row in self._rows(chosen):
            if contents.hold(row.trace_id):
                yield row
            if self._budget.is_over():
                self.stopped_at = row.cursor
                return

    def _rows(self, chosen: Conditions) -> Iterator[Row]:
        return map(Row._make, self._connection.execute(chosen.within(_ROWS), chosen.values))


def needs_reading(wanted: TraceFilter) -> bool:
    """Whether no table knows by itself which traces are wanted."""
    return bool(wanted.attributes or wanted.text)

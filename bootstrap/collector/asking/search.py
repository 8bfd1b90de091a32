"""Answers the questions of the pages, the API and the terminal about traces."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from bootstrap.collector.asking import grouping, listing, reading
from bootstrap.collector.asking.conditions import Budget, Connect, Cursor
from bootstrap.collector.asking.differences import differences
from bootstrap.collector.asking.evidence import ITEM, read_item
from bootstrap.collector.asking.found import Found, Row
from bootstrap.collector.asking.latency import latency
from bootstrap.collector.asking.questions import (
    Arrival,
    Differences,
    EvidenceFilter,
    ItemGroups,
    ItemPage,
    Latency,
    LinePage,
    Region,
    Room,
    TraceFilter,
    TracePage,
)
from bootstrap.collector.asking.reading import Outline
from bootstrap.collector.tables.rows import LISTED_NAME
from bootstrap.collector.telemetry.lenient_json import read_object
from bootstrap.collector.telemetry.records import Item, Span, TraceSummary

# An index knows which operations are spans, asked just so: rows are read only where there are others.
_SUMMARIES = """
WITH wanted AS (
    SELECT
        *,
        (SELECT count(*) FROM operation WHERE operation.trace_id = trace.trace_id) AS operations,
        (SELECT count(*) FROM operation
            WHERE operation.trace_id = trace.trace_id AND (kind = 'span') = 1) AS spans
    FROM trace WHERE trace_id IN (SELECT value FROM json_each(?))
)
SELECT
    trace_id,
    (SELECT json_group_array(service) FROM trace_service WHERE trace_service.number = wanted.number),
    name,
    start_ns,
    end_ns - start_ns,
    spans,
    iif(operations = spans, 0,
        (SELECT count(*) FROM operation WHERE operation.trace_id = wanted.trace_id AND kind = 'segment')),
    error
FROM wanted ORDER BY start_ns DESC, number DESC
"""

# What stands for the name of a trace without operations.
_FIRST_ITEM = "SELECT title FROM item WHERE trace_id = ? ORDER BY time_ns, number LIMIT 1"
_FIRST_LINE = "SELECT message FROM log_line WHERE trace_id = ? ORDER BY time_ns, number LIMIT 1"
_MESSAGES = ("message", "msg", "event")
"""What those who log JSON call the sentence for people."""

_SERVICES = """
SELECT service FROM arrival WHERE service <> '' GROUP BY service ORDER BY max(last_ns) DESC, service LIMIT ?
"""
_CHOICES = 100
"""Services among which people can choose."""

_OLDEST = """
SELECT min(arrived_ns) FROM (
    SELECT * FROM (SELECT arrived_ns FROM trace ORDER BY number LIMIT 1)
    UNION ALL SELECT * FROM (SELECT ingested_ns FROM log_line ORDER BY number LIMIT 1)
    UNION ALL SELECT * FROM (SELECT arrived_ns FROM item ORDER BY number LIMIT 1)
)
"""


class Search:
    """Reads what was asked for; any thread may, and no answer takes much longer than `Budget.SECONDS`."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the store as it is now, whatever is written meanwhile.

        A transaction also saves each statement the locks that it would take by itself.
        """
        with self._connect() as connection:
            connection.execute("BEGIN")
            yield connection

    def traces(self, wanted: TraceFilter, *, limit: int, after: str | None = None) -> TracePage:
        """A page of the traces that started last, newest first, from where another page has ended.

        Text that is a trace id finds that trace. Raises ValueError for an `after` that no page has given.
        """
        cursor = Cursor.read(after) if after else None
        with self._reading() as connection:
            found = Found(connection, wanted, Budget(), cursor)
            rows: list[Row] = []
            for row in found:
                rows.append(row)
                if len(rows) > limit:
                    break
            summaries = _summaries(connection, [row.trace_id for row in rows[:limit]])
        if len(rows) > limit:
            return TracePage(summaries, next=rows[limit - 1].cursor.write())
        if found.stopped_at:
            return TracePage(summaries, found.stopped_at.write(), searched_to_ns=found.stopped_at.time_ns)
        return TracePage(summaries)

    def latency(self, wanted: TraceFilter, *, columns: int = 60) -> Latency:
        """The heatmap of the traces that have ended; see `latency.py` for the time it shows."""
        with self._reading() as connection:
            return latency(connection, wanted, columns=columns)

    def differences(self, wanted: TraceFilter, region: Region) -> Differences:
        """What sets the traces of a region of the heatmap apart from the others in it."""
        with self._reading() as connection:
            return differences(connection, wanted, region)

    def summaries(self, trace_ids: Sequence[str]) -> list[TraceSummary]:
        """The traces of some ids in W3C form that are stored, newest first."""
        with self._reading() as connection:
            return _summaries(connection, trace_ids)

    def among(self, trace_ids: Sequence[str], wanted: TraceFilter) -> set[str]:
        """Which of some traces a filter leaves, as far as the time for one answer goes."""
        if wanted == TraceFilter():
            return set(trace_ids)
        with self._connect() as connection:
            return {row.trace_id for row in Found(connection, wanted, Budget(), among=trace_ids)}

    def summary(self, trace_id: str) -> TraceSummary | None:
        """The trace of an id in W3C form."""
        return next(iter(self.summaries([trace_id])), None)

    def outline(self, trace_id: str) -> Outline | None:
        """One trace, of whose spans only a few are shown in full; None if there is none."""
        with self._reading() as connection:
            return reading.outline(connection, trace_id)

    def spans(self, trace_id: str, span_ids: Iterable[str]) -> list[Span]:
        """Some spans of a trace; what has been removed meanwhile, or is too much at once, is left out."""
        with self._reading() as connection:
            return reading.spans_of(connection, trace_id, span_ids)

    def lines(self, wanted: EvidenceFilter, *, limit: int, after: str | None = None) -> LinePage:
        """A page of the latest log lines, newest first; ValueError for an `after` that no page has given."""
        with self._reading() as connection:
            return listing.lines(connection, wanted, limit, after)

    def items(self, wanted: EvidenceFilter, *, limit: int, after: str | None = None) -> ItemPage:
        """A page of the latest items, newest first; ValueError for an `after` that no page has given."""
        with self._reading() as connection:
            return listing.items(connection, wanted, limit, after)

    def item_groups(self, wanted: EvidenceFilter, *, limit: int) -> ItemGroups:
        """What the items say, those that say the same together, the latest first."""
        with self._reading() as connection:
            return grouping.groups(connection, wanted, limit)

    def reported(self, trace_ids: Sequence[str]) -> set[str]:
        """Which of some traces have an item."""
        query = "SELECT DISTINCT trace_id FROM item WHERE trace_id IN (SELECT value FROM json_each(?))"
        with self._reading() as connection:
            ids = msgspec.json.encode(trace_ids).decode()
            return {trace_id for (trace_id,) in connection.execute(query, (ids,))}

    def item(self, uuid: str) -> Item | None:
        """One item."""
        with self._reading() as connection:
            row = connection.execute(f"{ITEM} FROM item WHERE uuid = ?", (uuid,)).fetchone()
        return None if row is None else read_item(row)

    def services(self, *, limit: int = _CHOICES) -> list[str]:
        """Who has sent something lately, by name."""
        with self._reading() as connection:
            return sorted(service for (service,) in connection.execute(_SERVICES, (limit,)))

    def arrivals(self) -> list[Arrival]:
        """What each service has sent to each vendor, by both names."""
        with self._reading() as connection:
            query = "SELECT service, vendor, first_ns, last_ns, count FROM arrival ORDER BY service, vendor"
            return [Arrival(*row) for row in connection.execute(query)]

    def room(self, limit: int) -> Room:
        """How much of a limit in bytes is taken."""
        with self._reading() as connection:
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            [oldest] = connection.execute(_OLDEST).fetchone()
        return Room((pages - free) * size, limit, oldest)


def _summaries(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> list[TraceSummary]:
    rows = connection.execute(_SUMMARIES, (msgspec.json.encode(trace_ids).decode(),)).fetchall()
    return [
        TraceSummary(
            trace_id=trace_id,
            services=sorted(msgspec.json.decode(services, type=list[str])),
            name=name or _title(connection, trace_id)[:LISTED_NAME],
            start_ns=start_ns,
            duration_ns=duration_ns,
            span_count=span_count,
            segment_count=segment_count,
            error=bool(error),
        )
        for trace_id, services, name, start_ns, duration_ns, span_count, segment_count, error in rows
    ]


def _title(connection: sqlite3.Connection, trace_id: str) -> str:
    """What the first item, or else the first log line, of a trace says."""
    item = connection.execute(_FIRST_ITEM, (trace_id,)).fetchone()
    line = None if item else connection.execute(_FIRST_LINE, (trace_id,)).fetchone()
    [text] = item or line or [""]
    fields = (read_object(text) or {}) if line else {}
    said = (fields.get(name) for name in _MESSAGES)
    return next((words for words in said if isinstance(words, str) and words), text)

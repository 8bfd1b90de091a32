"""The heatmap: how long traces took, over the time at which they started.

Percentiles are exact: the shortest duration that so many of a hundred traces do not exceed (nearest rank).
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from typing import NamedTuple

import msgspec

from bootstrap.collector import scales, window
from bootstrap.collector.conditions import Budget
from bootstrap.collector.found import Found, needs_reading
from bootstrap.collector.questions import Latency, LatencyCell, LatencyColumn, TraceFilter
from bootstrap.collector.window import MOST_TRACES, Window

# Text, because SQLite hands over many numbers in a few texts much faster than in as many rows.
_ENDED = """
SELECT json_group_array(start_ns), json_group_array(end_ns - start_ns), json_group_array(error) FROM (
    SELECT start_ns, end_ns, error FROM trace WHERE {where} AND end_ns IS NOT NULL
    ORDER BY start_ns DESC LIMIT :most
)
"""
_read_numbers = msgspec.json.Decoder(list[int]).decode

_PERCENTS = (50, 90, 99)


class Ended(NamedTuple):
    """Traces that have ended, oldest first: when they started, what they took, whether something failed."""

    starts: Sequence[int]
    durations: Sequence[int]
    errors: Sequence[int]
    partial: bool


def latency(connection: sqlite3.Connection, wanted: TraceFilter, *, columns: int) -> Latency:
    """Count and sort them; those that have not ended are left out."""
    shown, ended = _ended(connection, wanted)
    across = scales.columns(shown.start_ns, shown.end_ns, columns)
    edges = scales.edges(min(ended.durations, default=0), max(ended.durations, default=0))
    found: list[LatencyColumn] = []
    cells: list[LatencyCell] = []
    for number, start in enumerate(across.starts):
        part = _part(ended, start, start + across.width_ns)
        durations, failed = sorted(part.durations), sorted(compress(part.durations, part.errors))
        found.append(LatencyColumn(start, len(durations), len(failed), *_percentiles(durations)))
        cells += _cells(number, edges, durations, failed)
    return Latency(
        start_ns=across.start_ns,
        end_ns=across.end_ns,
        column_ns=across.width_ns,
        columns=found,
        edges_ns=edges,
        cells=cells,
        count=len(ended.durations),
        **dict(zip(("p50_ns", "p90_ns", "p99_ns"), _percentiles(sorted(ended.durations)), strict=True)),
        partial=ended.partial,
    )


def _ended(connection: sqlite3.Connection, wanted: TraceFilter) -> tuple[Window, Ended]:
    if not needs_reading(wanted):
        shown = window.of_traces(connection, wanted)
        chosen = shown.conditions(wanted)
        query = chosen.within(_ENDED)
        row = connection.execute(query, {**chosen.values, "most": MOST_TRACES + 1}).fetchone()
        starts, durations, errors = (_read_numbers(text)[::-1] for text in row)
        return shown, Ended(starts, durations, errors, partial=len(starts) > MOST_TRACES)
    found = Found(connection, wanted, Budget())
    rows = [row for row in found if row.end_ns is not None][::-1]
    shown = window.of_starts([row.start_ns for row in rows], wanted)
    rows = [row for row in rows if shown.has(row.start_ns)]
    return shown, Ended(
        [row.start_ns for row in rows],
        [row.end_ns - row.start_ns for row in rows if row.end_ns is not None],
        [row.error for row in rows],
        partial=found.stopped_at is not None,
    )


def _part(ended: Ended, start_ns: int, end_ns: int) -> Ended:
    first, last = bisect_left(ended.starts, start_ns), bisect_left(ended.starts, end_ns)
    return Ended(
        ended.starts[first:last], ended.durations[first:last], ended.errors[first:last], ended.partial
    )


def _cells(
    column: int, edges: Sequence[int], durations: Sequence[int], failed: Sequence[int]
) -> Iterator[LatencyCell]:
    """The rows of a column that are not empty; both kinds of durations are sorted."""
    counts, errors = _counts(edges, durations), _counts(edges, failed)
    for row, (count, wrong) in enumerate(zip(counts, errors, strict=True)):
        if count:
            yield LatencyCell(column, row, count, wrong)


def _counts(edges: Sequence[int], durations: Sequence[int]) -> list[int]:
    places = [bisect_left(durations, edge) for edge in edges]
    return [last - first for first, last in pairwise(places)]


def _percentiles(durations: Sequence[int]) -> list[int | None]:
    """Those of sorted durations."""
    count = len(durations)
    return [durations[-(-count * percent // 100) - 1] if count else None for percent in _PERCENTS]

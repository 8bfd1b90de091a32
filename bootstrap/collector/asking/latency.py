"""The heatmap: how long traces took, over the time at which they started.

Percentiles are exact: the shortest duration that so many of a hundred traces do not exceed (nearest rank).
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, compress, pairwise
from typing import NamedTuple

import msgspec

from bootstrap.collector.asking import scales, window
from bootstrap.collector.asking.conditions import Budget
from bootstrap.collector.asking.found import Found, needs_reading
from bootstrap.collector.asking.questions import Latency, LatencyCell, LatencyColumn, TraceFilter
from bootstrap.collector.asking.scales import Columns
from bootstrap.collector.asking.window import MOST_TRACES

# Text, because SQLite hands over many numbers in a few texts much faster than in as many rows.
_ENDED = """
SELECT
    json_group_array((start_ns - :first_ns) / :column_ns),
    json_group_array(end_ns - start_ns),
    json_group_array(error)
FROM (
    SELECT start_ns, end_ns, error FROM trace WHERE {where} AND end_ns IS NOT NULL
    ORDER BY start_ns DESC LIMIT :most
)
"""
_read_numbers = msgspec.json.Decoder(list[int]).decode

_PERCENTS = (50, 90, 99)


class _Ended(NamedTuple):
    """Traces that have ended, by their columns: how long they took, and whether something failed."""

    columns: Sequence[int]
    durations: Sequence[int]
    errors: Sequence[int]
    partial: bool


class _Column(NamedTuple):
    """The durations of a column, sorted, and those of the traces that failed."""

    durations: list[int]
    failed: list[int]

    def rows(self, edges: Sequence[int]) -> list[tuple[int, int]]:
        """Where those of each row begin and end."""
        return list(pairwise(bisect_left(self.durations, edge) for edge in edges))


def latency(connection: sqlite3.Connection, wanted: TraceFilter, *, columns: int) -> Latency:
    """Count and sort them; those that have not ended are left out."""
    across, ended = (_by_reading if needs_reading(wanted) else _by_tables)(connection, wanted, columns)
    edges = scales.edges(min(ended.durations, default=0), max(ended.durations, default=0))
    filled = list(_fill(across.number, ended))
    rows = [column.rows(edges) for column in filled]
    p50, p90, p99 = _overall(filled, rows)
    return Latency(
        start_ns=across.start_ns,
        end_ns=across.end_ns,
        column_ns=across.width_ns,
        columns=[
            LatencyColumn(start, len(column.durations), len(column.failed), *_percentiles(column.durations))
            for start, column in zip(across.starts, filled, strict=True)
        ],
        edges_ns=edges,
        cells=[
            LatencyCell(at, row, last - first, _between(column.failed, edges[row], edges[row + 1]))
            for at, column in enumerate(filled)
            for row, (first, last) in enumerate(rows[at])
            if last > first
        ],
        count=len(ended.durations),
        p50_ns=p50,
        p90_ns=p90,
        p99_ns=p99,
        partial=ended.partial,
    )


def _by_tables(connection: sqlite3.Connection, wanted: TraceFilter, most: int) -> tuple[Columns, _Ended]:
    shown = window.of_traces(connection, wanted)
    across = scales.columns(shown.start_ns, shown.end_ns, most)
    chosen = shown.conditions(wanted).giving(
        first_ns=across.start_ns, column_ns=across.width_ns, most=MOST_TRACES + 1
    )
    row = connection.execute(chosen.within(_ENDED), chosen.values).fetchone()
    columns, durations, errors = (_read_numbers(text)[::-1] for text in row)
    return across, _Ended(columns, durations, errors, partial=len(columns) > MOST_TRACES)


def _by_reading(connection: sqlite3.Connection, wanted: TraceFilter, most: int) -> tuple[Columns, _Ended]:
    found = Found(connection, wanted, Budget())
    rows = [row for row in found if row.end_ns is not None][::-1]
    shown = window.of_starts([row.start_ns for row in rows], wanted)
    rows = [row for row in rows if shown.has(row.start_ns)]
    across = scales.columns(shown.start_ns, shown.end_ns, most)
    return across, _Ended(
        [(row.start_ns - across.start_ns) // across.width_ns for row in rows],
        [row.end_ns - row.start_ns for row in rows if row.end_ns is not None],
        [row.error for row in rows],
        partial=found.stopped_at is not None,
    )


def _fill(columns: int, ended: _Ended) -> Iterator[_Column]:
    """The traces of each column; they come in the order of the columns."""
    places = [bisect_left(ended.columns, column) for column in range(columns + 1)]
    for first, last in pairwise(places):
        durations = ended.durations[first:last]
        yield _Column(sorted(durations), sorted(compress(durations, ended.errors[first:last])))


def _between(ordered: Sequence[int], low: int, high: int) -> int:
    """How many numbers lie from one to before the other."""
    return bisect_left(ordered, high) - bisect_left(ordered, low)


def _rank(count: int, percent: int) -> int:
    """The place of a percentile among so many, counted from 0."""
    return -(-count * percent // 100) - 1


def _percentiles(durations: Sequence[int]) -> list[int | None]:
    """Those of sorted durations."""
    return [durations[_rank(len(durations), percent)] if durations else None for percent in _PERCENTS]


def _overall(columns: Sequence[_Column], rows: Sequence[Sequence[tuple[int, int]]]) -> list[int | None]:
    """The percentiles of all columns; to sort the rows that they lie in is enough."""
    counts: list[int] = [sum(last - first for first, last in row) for row in zip(*rows, strict=True)]
    before = list(accumulate(counts, initial=0))

    def percentile(percent: int) -> int:
        rank = _rank(before[-1], percent)
        row = bisect_right(before, rank) - 1
        parts = (column.durations[at[row][0] : at[row][1]] for column, at in zip(columns, rows, strict=True))
        inside = sorted(chain.from_iterable(parts))
        return inside[rank - before[row]]

    return [percentile(percent) if before[-1] else None for percent in _PERCENTS]

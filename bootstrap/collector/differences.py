"""What sets the traces of a region of the heatmap apart from the others in it.

A sample of either side is read. Of each trace it is asked which values each attribute has in it; an attribute
whose values are spread differently on both sides comes first. What chance may do to samples of this size does
not count, so that ids, of which no two are alike, tell nothing.
"""

import sqlite3
from typing import NamedTuple

from bootstrap.collector import window
from bootstrap.collector.comparing import compare
from bootstrap.collector.conditions import Budget, conditions, storable
from bootstrap.collector.found import Found, Row, needs_reading
from bootstrap.collector.questions import Differences, Region, TraceFilter
from bootstrap.collector.traits import Reader

SAMPLE = 300
"""Traces of either side that are read."""

_COUNT = """
SELECT count(*), coalesce(sum(
    start_ns >= :from_ns AND start_ns < :to_ns
        AND end_ns - start_ns >= :low_ns AND end_ns - start_ns < :high_ns
), 0) FROM trace WHERE {where}
"""

# Multiplied by a large prime the numbers come in an order that has nothing to do with that of the traces.
_SAMPLE = """
SELECT trace_id FROM trace WHERE {where} AND :inside = (
    start_ns >= :from_ns AND start_ns < :to_ns
        AND end_ns - start_ns >= :low_ns AND end_ns - start_ns < :high_ns
)
ORDER BY number % 1000003 * 2654435761 % 4294967296 LIMIT :most
"""


class _Side(NamedTuple):
    total: int
    trace_ids: list[str]


def differences(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> Differences:
    """Compare what is in the region with the others that the filter leaves in the window of the heatmap."""
    sides = _by_reading if needs_reading(wanted) else _by_tables
    inside, outside = sides(connection, wanted, region)
    read = Reader(connection).sides((inside.trace_ids, outside.trace_ids), Budget())
    return Differences(
        inside=inside.total,
        outside=outside.total,
        inside_read=len(read[0]),
        outside_read=len(read[1]),
        differences=compare(*read),
    )


def _by_tables(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> tuple[_Side, _Side]:
    shown = window.of_traces(connection, wanted)
    chosen = conditions(wanted).also(
        "start_ns >= :first_ns AND start_ns < :last_ns AND end_ns IS NOT NULL",
        first_ns=shown.start_ns,
        last_ns=shown.end_ns,
    )
    values = {
        **chosen.values,
        "from_ns": region.start_ns,
        "to_ns": region.end_ns,
        "low_ns": storable(region.min_ns),
        "high_ns": storable(region.max_ns),
    }
    every, inside = connection.execute(chosen.within(_COUNT), values).fetchone()

    def sample(*, within: bool) -> list[str]:
        found = connection.execute(chosen.within(_SAMPLE), {**values, "inside": within, "most": SAMPLE})
        return [trace_id for (trace_id,) in found]

    return _Side(inside, sample(within=True)), _Side(every - inside, sample(within=False))


def _by_reading(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> tuple[_Side, _Side]:
    rows = [row for row in Found(connection, wanted, Budget()) if row.end_ns is not None]
    shown = window.of_starts([row.start_ns for row in rows], wanted)
    rows = [row for row in rows if shown.has(row.start_ns)]
    inside = [row.trace_id for row in rows if _is_inside(row, region)]
    outside = [row.trace_id for row in rows if not _is_inside(row, region)]
    return _Side(len(inside), _spread(inside)), _Side(len(outside), _spread(outside))


def _is_inside(row: Row, region: Region) -> bool:
    duration = (row.end_ns or row.start_ns) - row.start_ns
    return region.start_ns <= row.start_ns < region.end_ns and region.min_ns <= duration < region.max_ns


def _spread(trace_ids: list[str]) -> list[str]:
    """Some of them, evenly."""
    return trace_ids[:: -(-len(trace_ids) // SAMPLE) or 1]

"""What sets the traces of a region of the heatmap apart from the others in it.

A sample of either side is read. Of each trace it is asked which values each attribute has in it; an attribute
whose values are spread differently on both sides comes first. What chance may do to samples of this size does
not count, so that ids, of which no two are alike, tell nothing.
"""

import math
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec

from bootstrap.collector.asking import window
from bootstrap.collector.asking.comparing import compare
from bootstrap.collector.asking.conditions import Budget, storable
from bootstrap.collector.asking.found import Found, Row, needs_reading
from bootstrap.collector.asking.questions import Differences, Region, TraceFilter
from bootstrap.collector.asking.traits import Reader
from bootstrap.collector.asking.window import MOST_TRACES

SAMPLE = 300
"""Traces of either side that are read."""
_GOLDEN = (math.sqrt(5) - 1) / 2

# Both sides in one pass, as text: see latency.py.
_SIDES = """
SELECT json_group_array(number) FILTER (WHERE inside), json_group_array(number) FILTER (WHERE NOT inside)
FROM (
    SELECT number, start_ns >= :from_ns AND start_ns < :to_ns
        AND end_ns - start_ns >= :low_ns AND end_ns - start_ns < :high_ns AS inside
    FROM trace WHERE {where} AND end_ns IS NOT NULL ORDER BY start_ns DESC LIMIT :most
)
"""
_IDS = "SELECT trace_id FROM json_each(?) CROSS JOIN trace ON number = value"

_SECONDS = 0.6 * Budget.SECONDS
"""For finding the traces, and for reading the samples."""

_Any = TypeVar("_Any")
_read_numbers = msgspec.json.Decoder(list[int]).decode


class _Side(NamedTuple):
    total: int
    trace_ids: list[str]


def differences(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> Differences:
    """Compare what is in the region with the others that the filter leaves in the window of the heatmap."""
    sides = _by_reading if needs_reading(wanted) else _by_tables
    inside, outside = sides(connection, wanted, region)
    read = Reader(connection).sides((inside.trace_ids, outside.trace_ids), Budget(_SECONDS))
    return Differences(
        inside=inside.total,
        outside=outside.total,
        inside_read=len(read[0]),
        outside_read=len(read[1]),
        differences=compare(*read),
    )


def _by_tables(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> tuple[_Side, _Side]:
    shown = window.of_traces(connection, wanted)
    chosen = shown.conditions(wanted).giving(
        from_ns=region.start_ns,
        to_ns=region.end_ns,
        low_ns=storable(region.min_ns),
        high_ns=storable(region.max_ns),
        most=MOST_TRACES,
    )
    sides = connection.execute(chosen.within(_SIDES), chosen.values).fetchone()
    inside, outside = (_side(connection, _read_numbers(numbers)) for numbers in sides)
    return inside, outside


def _side(connection: sqlite3.Connection, numbers: Sequence[int]) -> _Side:
    some = msgspec.json.encode(_sample(numbers)).decode()
    return _Side(len(numbers), [trace_id for (trace_id,) in connection.execute(_IDS, (some,))])


def _by_reading(connection: sqlite3.Connection, wanted: TraceFilter, region: Region) -> tuple[_Side, _Side]:
    rows = [row for row in Found(connection, wanted, Budget(_SECONDS)) if row.end_ns is not None]
    shown = window.of_starts([row.start_ns for row in rows], wanted)
    rows = [row for row in rows if shown.has(row.start_ns)]
    inside = [row.trace_id for row in rows if _is_inside(row, region)]
    outside = [row.trace_id for row in rows if not _is_inside(row, region)]
    return _Side(len(inside), _sample(inside)), _Side(len(outside), _sample(outside))


def _is_inside(row: Row, region: Region) -> bool:
    duration = (row.end_ns or row.start_ns) - row.start_ns
    return region.start_ns <= row.start_ns < region.end_ns and region.min_ns <= duration < region.max_ns


def _sample(population: Sequence[_Any]) -> list[_Any]:
    """One of each of many equal stretches, not always at the same place: nothing that repeats is left out."""
    if len(population) <= SAMPLE:
        return list(population)
    step = len(population) / SAMPLE
    return [population[int((number + number * _GOLDEN % 1) * step)] for number in range(SAMPLE)]

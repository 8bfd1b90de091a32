from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.collector.asking import scales
from bootstrap.collector.asking.questions import Latency, TraceFilter
from bootstrap.collector.telemetry.records import MAX_TIME_NS, Record, Status
from tests.collector.records import NOON, SECOND, TRACES, batches, segment, span, store_of, traces_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.collector.records import Known

HOUR = 3_600 * SECOND
PERCENTILES = (50, 90, 99)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latency") / "telemetry.db"


def nearest_rank(durations: Sequence[int], percent: int) -> int | None:
    """The least that is not exceeded by so many of a hundred."""
    fitting = [
        one for one in durations if sum(other <= one for other in durations) * 100 >= percent * len(durations)
    ]
    return min(fitting, default=None)


def check(found: Latency, ended: Sequence[Known]) -> None:
    durations = [one.duration_ns for one in ended if one.duration_ns is not None]
    assert found.count == len(ended) == len(durations)
    assert [found.p50_ns, found.p90_ns, found.p99_ns] == [
        nearest_rank(durations, each) for each in PERCENTILES
    ]
    assert found.start_ns % found.column_ns == 0
    assert found.end_ns == found.start_ns + len(found.columns) * found.column_ns
    assert found.edges_ns == sorted(set(found.edges_ns))
    cells = {(cell.column, cell.row): cell for cell in found.cells}
    assert len(cells) == len(found.cells)
    for at, column in enumerate(found.columns):
        assert column.start_ns == found.start_ns + at * found.column_ns
        there = [one for one in ended if 0 <= one.start_ns - column.start_ns < found.column_ns]
        mine = [one.duration_ns for one in there if one.duration_ns is not None]
        assert (column.count, column.errors) == (len(there), sum(one.error for one in there))
        percentiles = [column.p50_ns, column.p90_ns, column.p99_ns]
        assert percentiles == [nearest_rank(mine, each) for each in PERCENTILES]
        for row, (low, high) in enumerate(pairwise(found.edges_ns)):
            inside = [one for one in there if one.duration_ns is not None and low <= one.duration_ns < high]
            if inside:
                cell = cells.pop((at, row))
                assert (cell.count, cell.errors) == (len(inside), sum(one.error for one in inside))
    assert not cells


@settings(deadline=None, max_examples=80)
@given(
    batches,
    st.none() | st.sampled_from(["web", "nobody"]),
    st.none() | st.just(("app.plan", "free")),
    st.integers(1, 70),
)
def test_every_trace_is_counted_once_and_in_its_place(
    path: Path, made: list[list[Record]], service: str | None, attribute: tuple[str, str] | None, columns: int
) -> None:
    search = store_of(path, made).search
    wanted = TraceFilter(service=service, attributes=(attribute,) if attribute else ())
    left = {summary.trace_id for summary in search.traces(wanted, limit=99).traces}
    found = search.latency(wanted, columns=columns)
    check(found, [one for one in traces_of(made) if one.duration_ns is not None and one.trace_id in left])
    assert len(found.columns) <= columns
    assert not found.partial


def at(*starts: int) -> list[list[Record]]:
    return [[span(f"{number:032x}", start_ns=start) for number, start in enumerate(starts, 1)]]


@pytest.mark.parametrize("attributes", [(), (("a", "1"),)], ids=["plain", "read"])
def test_one_wrong_clock_does_not_push_the_others_together(
    path: Path, attributes: tuple[tuple[str, str], ...]
) -> None:
    now = time.time_ns()
    records = at(0, now - 2 * HOUR, now - HOUR // 2, now - SECOND, now + 10 * HOUR, MAX_TIME_NS - SECOND)
    made = [[replace(one, attributes={"a": 1}) for one in records[0]]]
    search = store_of(path, made).search
    found = search.latency(TraceFilter(attributes=attributes))
    assert found.count == 2
    assert now - HOUR < found.start_ns <= now - HOUR // 2
    assert now - SECOND < found.end_ns <= now + 60 * SECOND
    assert search.latency(TraceFilter(start_ns=0, end_ns=MAX_TIME_NS, attributes=attributes)).count == 6
    assert search.latency(TraceFilter(start_ns=0, attributes=attributes)).count == 4
    assert search.latency(TraceFilter(end_ns=MAX_TIME_NS, attributes=attributes)).count == 1
    assert search.latency(TraceFilter(end_ns=now - HOUR, attributes=attributes)).count == 1
    assert search.latency(TraceFilter(start_ns=now + HOUR, attributes=attributes)).count <= 2
    ahead = store_of(path, [[replace(one, attributes={"a": 1}) for one in at(now + 10 * HOUR)[0]]]).search
    assert ahead.latency(TraceFilter(attributes=attributes)).count == 1


def test_a_store_without_anything_that_has_ended(path: Path) -> None:
    for records in ([], [segment(TRACES[0], end_ns=None)]):
        for wanted in (TraceFilter(), TraceFilter(text="web"), TraceFilter(start_ns=5, end_ns=5)):
            found = store_of(path, [records]).search.latency(wanted)
            assert (found.count, found.cells, found.p50_ns) == (0, [], None)
            assert 1 <= len(found.columns) <= 60
            assert all(column.count == 0 and column.p99_ns is None for column in found.columns)


def test_failures_are_counted_in_their_cells(path: Path) -> None:
    failed = span(TRACES[0], status=Status("error"), end_ns=NOON + 5 * SECOND)
    found = store_of(path, [[failed, span(TRACES[1]), span(TRACES[2])]]).search.latency(TraceFilter())
    assert [(cell.count, cell.errors) for cell in sorted(found.cells, key=lambda cell: cell.row)] == [
        (2, 0),
        (1, 1),
    ]


@settings(max_examples=300)
@given(st.integers(0, MAX_TIME_NS), st.integers(0, MAX_TIME_NS), st.integers(1, 200))
def test_columns_are_round_and_cover_the_time(one: int, other: int, most: int) -> None:
    start, end = sorted((one, other))
    across = scales.columns(start, end, most)
    assert across.start_ns <= start
    assert across.end_ns > max(start, end - 1)
    assert 1 <= len(across.starts) <= most
    assert across.start_ns % across.width_ns == 0
    assert across.width_ns % 1_000_000 == 0
    # The next narrower one is a third as wide at least.
    assert len(across.starts) * 3.1 + 2 > most or across.width_ns == 1_000_000


@settings(max_examples=300)
@given(st.integers(0, MAX_TIME_NS), st.integers(0, MAX_TIME_NS))
def test_rows_cover_the_durations_and_grow_by_a_factor(one: int, other: int) -> None:
    low, high = sorted((one, other))
    edges = scales.edges(low, high)
    assert edges[0] <= low
    assert edges[-1] > high
    assert 10 <= len(edges) - 1 <= 40
    factors = [bound / before for before, bound in pairwise(edges[1:])]
    assert max(factors) < min(factors) * 1.02

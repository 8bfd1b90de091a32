from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.asking.reading import Outline, SpanOutline
from bootstrap.collector.dashboard.busiest import busiest
from bootstrap.collector.dashboard.waterfall import Waterfall, lay_out
from bootstrap.collector.telemetry import segments
from bootstrap.collector.telemetry.records import LogLine, Segment

TRACE = "6b0b596c7038cc653177eddc63803bff"
SECOND = 1_000_000_000


def span(
    own: str, parent: str | None, start: int, end: int, *, error: bool = False, name: str = ""
) -> SpanOutline:
    return SpanOutline(own, parent, "web", name or own, start, end, error)


def segment(own: str, start: int, end: int | None, parent: str | None = None, **more: Any) -> Segment:
    document = {
        "trace_id": f"1-{TRACE[:8]}-{TRACE[8:]}", "id": own * 16, "name": own, "start_time": start,
        **({"in_progress": True} if end is None else {"end_time": end}),
        **({"parent_id": parent * 16} if parent else {}), **more,
    }  # fmt: skip
    return segments.decode(msgspec.json.encode(document))


def trace(
    *spans: SpanOutline, documents: tuple[Segment, ...] = (), lines: tuple[LogLine, ...] = ()
) -> Outline:
    return Outline(TRACE, list(spans), list(documents), lines=list(lines))


def drawn(fall: Waterfall) -> list[str]:
    return ["  " * row.depth + row.name for row in fall.rows]


def test_children_lie_below_their_parents_the_earliest_first() -> None:
    fall = lay_out(
        trace(
            span("c", "a", 60, 90), span("b", "a", 10, 50), span("d", "b", 20, 30), span("a", None, 0, 100)
        ),
        most=10,
    )
    assert drawn(fall) == ["a", "  b", "    d", "  c"]
    assert (fall.start_ns, fall.end_ns, fall.share(25)) == (0, 100, 25.0)
    assert (fall.share(-10), fall.share(110)) == (0.0, 100.0)


def test_own_time_is_what_children_leave() -> None:
    fall = lay_out(
        trace(
            span("a", None, 0, 100), span("b", "a", 10, 50), span("c", "a", 40, 60), span("d", "a", 90, 130)
        ),
        most=10,
    )
    assert (fall.rows[0].own, fall.rows[0].own_ns) == ([(0, 10), (60, 90)], 40)
    assert [(each.name, each.own_ns) for each in busiest(fall.rows, 2)] == [("a", 40), ("b", 40)]


def test_operations_of_one_name_count_together() -> None:
    fall = lay_out(
        trace(
            span("a", None, 0, 100),
            span("b", "a", 0, 30, name="SELECT"),
            span("c", "a", 30, 80, name="SELECT"),
        ),
        most=10,
    )
    first = busiest(fall.rows, 1)[0]
    assert (first.name, first.own_ns, first.count, first.first.id) == ("SELECT", 80, 2, "c")


def test_segments_and_their_parts_stand_among_spans() -> None:
    inner = {"id": "2" * 16, "name": "mock-data", "start_time": 1.5, "end_time": 2}
    outer = {"id": "1" * 16, "name": "activities", "start_time": 1, "end_time": 3, "subsegments": [inner]}
    late = segment("4", 3, 4, parent="1", type="subsegment")
    fall = lay_out(
        trace(span("f" * 16, None, 0, 5 * SECOND), documents=(segment("a", 0, 4, subsegments=[outer]), late)),
        most=10,
    )
    assert drawn(fall) == ["f" * 16, "a", "  activities", "    mock-data", "    4"]
    assert [row.kind for row in fall.rows] == ["span", "segment", "subsegment", "subsegment", "subsegment"]
    assert [row.service for row in fall.rows] == ["web", "a", "a", "a", "a"]


def test_a_segment_may_lie_below_a_span() -> None:
    fall = lay_out(
        trace(span("f" * 16, None, 0, 5 * SECOND), documents=(segment("a", 1, 2, parent="f"),)), most=10
    )
    assert drawn(fall) == ["f" * 16, "  a"]


def test_the_same_id_may_stand_for_a_span_and_a_segment() -> None:
    fall = lay_out(
        trace(
            span("a" * 16, None, 0, 5 * SECOND), span("b" * 16, "a" * 16, 1, 2),
            documents=(segment("a", 1, 2), segment("c", 1, 2, parent="a")),
        ),
        most=10,
    )  # fmt: skip
    assert drawn(fall) == ["a" * 16, "  " + "b" * 16, "a", "  c"]


def test_what_runs_reaches_to_the_end() -> None:
    fall = lay_out(trace(span("s", None, 0, 9 * SECOND), documents=(segment("a", 1, None),)), most=10)
    assert (fall.rows[1].end_ns, fall.rows[1].stop_ns, fall.rows[1].duration_ns) == (None, 9 * SECOND, None)


def test_a_parent_that_is_not_there() -> None:
    fall = lay_out(trace(span("a", "gone", 0, 10), span("b", "a", 1, 2)), most=10)
    assert (drawn(fall), fall.rows[0].orphan) == (["a", "  b"], True)


def test_the_time_line_of_lines_alone() -> None:
    lines = tuple(LogLine("g", "s", at, at, "hello", TRACE) for at in (5, 25))
    fall = lay_out(trace(lines=lines), most=10)
    assert (fall.rows, fall.start_ns, fall.end_ns, fall.share(10)) == ([], 5, 25, 25.0)


def test_of_many_the_long_and_the_broken_stay() -> None:
    children = [span(f"c{n}", "root", n * 10, n * 10 + n, error=n == 2) for n in range(1, 10)]
    fall = lay_out(trace(span("root", None, 0, 200), *children, span("deep", "c1", 10, 11)), most=4)
    assert drawn(fall) == ["root", "  c2", "  c8", "  c9"]
    assert (fall.total, fall.rows[0].hidden) == (11, 7)


def test_one_part_of_a_trace() -> None:
    fall = lay_out(
        trace(span("a", None, 0, 100), span("b", "a", 10, 50), span("c", "b", 20, 30)), most=10, below="b"
    )
    assert (drawn(fall), fall.start_ns, fall.end_ns, fall.total) == (["b", "  c"], 10, 50, 2)


IDS = st.sampled_from("abcdef")


@given(
    st.lists(
        st.tuples(IDS, st.none() | IDS, st.integers(0, 50), st.integers(0, 50)), unique_by=lambda it: it[0]
    ),
    st.integers(1, 6),
)
def test_whatever_the_parents_say(given: list[tuple[str, str | None, int, int]], most: int) -> None:
    whole = trace(*(span(own, parent, start, start + length) for own, parent, start, length in given))
    fall = lay_out(whole, most=100)
    assert sorted(row.id for row in fall.rows) == sorted(own for own, *_ in given)
    depths = [row.depth for row in fall.rows]
    assert all(below <= above + 1 for above, below in zip([-1, *depths], depths, strict=False))
    for row in fall.rows:
        assert 0 <= row.own_ns <= (row.duration_ns or 0)
        assert all(row.start_ns <= start < end <= row.stop_ns for start, end in row.own)
        assert 0 <= fall.share(row.start_ns) <= fall.share(row.stop_ns) <= 100
    part = lay_out(whole, most=most)
    assert len(part.rows) == min(most, len(given)) or len(part.rows) < most
    kept, depth_of = {row.id for row in part.rows}, {row.id: row.depth for row in fall.rows}
    assert all(row.depth == 0 or row.parent_id in kept for row in part.rows)
    assert all(row.depth == depth_of[row.id] for row in part.rows)


def test_ten_thousand_below_one_another() -> None:
    deep = [span(f"{n:016x}", f"{n - 1:016x}" if n else None, n, 20_000 - n) for n in range(10_000)]
    fall = lay_out(trace(*deep), most=50)
    assert ([row.depth for row in fall.rows], fall.rows[-1].hidden) == (list(range(50)), 9_950)


@pytest.mark.parametrize("value", [None, "[MASKED]", float("inf"), True, [1]])
def test_times_that_are_none(value: Any) -> None:
    whole = trace(documents=(segment("a", 1, 2),))
    odd = {"id": "b", "name": "x", "start_time": value, "end_time": value}
    whole.segments[0].document["subsegments"] = [odd]
    assert len(lay_out(whole, most=10).rows) == 2

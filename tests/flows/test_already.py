from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.flows.already import Already

NOON = datetime(2026, 11, 28, 12, 0, 0, 700_000, UTC)


def event(name: str, seconds: float, **more: Any) -> tuple[str, dict[str, Any]]:
    moment = (NOON + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return name, {"start" if name == "trace" else "timestamp": moment, **more}


def test_what_was_told_or_was_over_is_left_out_of_a_second_stream_and_what_has_grown_is_not() -> None:
    already = Already(NOON)
    old, first, more = event("log", -9), event("trace", 1, span_count=1), event("trace", 1, span_count=2)
    assert list(already.new([old, first])) == [old, first]
    before, late = event("log", -9, message="before"), event("trace", -9, duration_ms=9_500)
    skipped = ("skipped", {"count": 3})
    later = [old, before, late, first, more, skipped, ("trace", {"start": "never"})]
    assert list(already.new(later)) == [late, more, skipped, ("trace", {"start": "never"})]
    assert list(already.new([skipped, more])) == [skipped]


def test_a_report_has_no_fraction_of_a_second() -> None:
    already = Already(NOON)
    assert list(already.new([])) == []
    report = event("item", -0.7)
    assert list(already.new([report])) == [report]


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=2, max_size=4))
def test_each_event_is_told_as_often_as_it_happened(parts: list[list[int]]) -> None:
    """Each stream begins with all that is stored by then."""
    already = Already(NOON)
    told: Counter[int] = Counter()
    stored: list[int] = []
    for part in parts:
        stored += part
        stream = [event("log", 1, number=number) for number in stored]
        told.update(view["number"] for _, view in already.new(stream))
        assert told == Counter(stored)


def test_only_the_latest_are_remembered() -> None:
    already = Already(NOON, most=2)
    three = [event("log", 1, number=number) for number in range(3)]
    assert list(already.new(three)) == three
    assert list(already.new(three)) == three[:1]

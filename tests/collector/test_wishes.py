from __future__ import annotations

from typing import Any

import pytest

from bootstrap.collector.questions import TraceFilter
from bootstrap.collector.records import Item, LogLine, TraceSummary
from bootstrap.collector.wishes import Wishes

MILLISECOND = 1_000_000


def summary(**overrides: Any) -> TraceSummary:
    usual: dict[str, Any] = {
        "trace_id": "a" * 32,
        "services": ["api", "web"],
        "name": "GET /",
        "start_ns": 100,
        "duration_ns": 5 * MILLISECOND,
        "span_count": 1,
        "segment_count": 0,
        "error": False,
    }
    return TraceSummary(**{**usual, **overrides})


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({}, True),
        ({"service": "web"}, True),
        ({"service": "we"}, False),
        ({"status": "ok"}, True),
        ({"status": "error"}, False),
        ({"min_ns": 5 * MILLISECOND}, True),
        ({"min_ns": 5 * MILLISECOND + 1}, False),
        ({"max_ns": 5 * MILLISECOND}, False),
        ({"max_ns": 5 * MILLISECOND + 1}, True),
        ({"start_ns": 100, "end_ns": 101}, True),
        ({"end_ns": 100}, False),
        ({"start_ns": 101}, False),
    ],
)
def test_traces(conditions: dict[str, Any], told: bool) -> None:  # noqa: FBT001
    assert Wishes(wanted=TraceFilter(**conditions)).summary(summary()) == told


def test_a_trace_that_has_not_ended_has_no_duration() -> None:
    open_ended = summary(duration_ns=None)
    assert Wishes().summary(open_ended)
    assert not Wishes(wanted=TraceFilter(max_ns=MILLISECOND)).summary(open_ended)


FIELDS = {"level": "ERROR", "user": {"id": 7, "name.full": "Ann"}, "http.status": 500, "paid": True}


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({}, True),
        ({"service": "api"}, True),
        ({"service": "web"}, False),
        ({"status": "error"}, True),
        ({"status": "ok"}, False),
        ({"min_ns": 0}, False),
        ({"max_ns": 1}, False),
        ({"attributes": (("user.id", "7"),)}, True),
        ({"attributes": (("user.id", "7"), ("user.name.full", "Ann"))}, True),
        ({"attributes": (("user.id", "8"),)}, False),
        ({"attributes": (("http.status", "500"), ("paid", "true"))}, True),
        ({"attributes": (("user", "7"),)}, False),
        ({"attributes": (("user.id.deeper", "7"),)}, False),
        ({"text": "STRASSE"}, True),
        ({"text": "nowhere"}, False),
    ],
)
def test_log_lines_and_items(conditions: dict[str, Any], told: bool) -> None:  # noqa: FBT001
    wishes = Wishes(wanted=TraceFilter(**conditions))
    line = LogLine("group", "stream", 1, 1, "in der Straße", service="api", fields=FIELDS)
    item = Item("u", None, "api", "critical", "It broke", "test", 1, {**FIELDS, "where": ["in der Straße"]})
    assert (wishes.line(line), wishes.item(item)) == (told, told)


def test_a_line_that_says_no_level_did_not_fail() -> None:
    line = LogLine("group", "stream", 1, 1, "ERROR it broke")
    assert Wishes(wanted=TraceFilter(status="ok")).line(line)
    assert not Wishes(wanted=TraceFilter(status="error")).line(line)


def test_only_kinds_that_are_asked_for() -> None:
    line = LogLine("group", "stream", 1, 1, "text")
    item = Item("u", None, None, "error", "It broke", "test", 1, {})
    logs = Wishes(frozenset({"logs"}))
    assert (logs.summary(summary()), logs.line(line), logs.item(item)) == (False, True, False)
    others = Wishes(frozenset({"traces", "items"}))
    assert (others.summary(summary()), others.line(line), others.item(item)) == (True, False, True)

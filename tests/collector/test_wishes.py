from __future__ import annotations

from typing import Any

import pytest

from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.telemetry.records import Item, LogLine
from bootstrap.collector.telling.wishes import Wishes

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
        ({"text": "IN DER STRAß"}, True),
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
    assert (logs.line(line), logs.item(item)) == (True, False)
    others = Wishes(frozenset({"traces", "items"}))
    assert (others.line(line), others.item(item)) == (False, True)

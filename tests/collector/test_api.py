from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Made


def test_the_welcome_names_the_addresses(collector: Collector) -> None:
    answer = collector.request("GET", "/")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"/api/traces" in answer.body
    assert b"/api/traces/<id>" in answer.body
    assert b"/api/logs" in answer.body
    assert b"/api/items" in answer.body


def test_health(collector: Collector) -> None:
    assert collector.request("GET", "/healthz").body == b"ok"


def test_a_trace_by_either_form_of_its_id(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    collector.post_json(made.export(made.span(trace_id)))
    xray = f"1-{trace_id[:8]}-{trace_id[8:]}"
    for form in (trace_id, trace_id.upper(), xray):
        answer = collector.read(f"/api/traces/{form}").json()
        assert (answer["trace_id"], answer["xray_trace_id"], len(answer["spans"])) == (trace_id, xray, 1)


@pytest.mark.parametrize(
    "trace_id", ["f" * 32, "1-ffffffff-" + "f" * 24, "nonsense", "0" * 32, "%00", "a%2Fb"]
)
def test_an_unknown_trace(collector: Collector, trace_id: str) -> None:
    answer = collector.read(f"/api/traces/{trace_id}")
    assert answer.status == 404
    assert answer.json()["error"]


def test_the_list_is_newest_first_and_tells_when(collector: Collector, made: Made) -> None:
    day = datetime(2020, 1, 2, tzinfo=UTC)
    trace_ids = [made.trace_id() for _ in range(3)]
    for hour, trace_id in enumerate(trace_ids):
        start = int((day + timedelta(hours=hour)).timestamp()) * 1_000_000_000
        span = made.span(trace_id, startTimeUnixNano=str(start), endTimeUnixNano=str(start + 1_500_000))
        collector.post_json(made.export(span, service="of old"))
    traces = collector.read("/api/traces?service=of%20old&limit=2").json()["traces"]
    assert [trace["trace_id"] for trace in traces] == [trace_ids[2], trace_ids[1]]
    assert traces[0] == {
        "trace_id": trace_ids[2],
        "xray_trace_id": f"1-{trace_ids[2][:8]}-{trace_ids[2][8:]}",
        "services": ["of old"],
        "name": "home",
        "start": "2020-01-02T02:00:00.000000Z",
        "duration_ms": 1.5,
        "span_count": 1,
        "segment_count": 0,
        "error": False,
    }


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "9" * 5000, "ten", "1.5", "", "%D9%A1"])
def test_a_limit_that_is_none(collector: Collector, limit: str) -> None:
    answer = collector.read(f"/api/traces?limit={limit}")
    assert answer.status == 400
    assert "limit" in answer.json()["error"]


def test_a_wrong_method_and_an_unknown_path_are_json(collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {collector.token}"}
    assert collector.request("POST", "/api/traces", b"", headers).json() == {"error": "Method Not Allowed"}
    assert collector.read("/nowhere").json() == {"error": "Not Found"}


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), max_size=40))
def test_any_text_as_id_or_service(collector: Collector, text: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in text.encode())
    assert collector.read(f"/api/traces/{quoted}").status in {200, 404}
    assert collector.read(f"/api/traces?service={quoted}").status == 200
    assert collector.read(f"/api/logs?service={quoted}").status == 200
    assert collector.read(f"/api/items?service={quoted}&trace_id={quoted}").status in {200, 400}

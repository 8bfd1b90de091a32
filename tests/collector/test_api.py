from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.collector.conftest import Collector, Made


def test_a_program_without_the_token_learns_the_addresses(collector: Collector) -> None:
    answer = collector.request("GET", "/")
    assert (answer.status, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    for path in (
        "traces",
        "traces/<id>",
        "latency",
        "differences",
        "overview",
        "logs",
        "items",
        "items/<uuid>",
    ):
        assert f"/api/{path} ".encode() in answer.body


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


# Questions.


def at(second: int) -> int:
    """Nanoseconds since 1970 of a day that no other test uses."""
    return int(datetime(2019, 5, 6, tzinfo=UTC).timestamp() + second) * 1_000_000_000


def ask(collector: Collector, path: str, *pairs: tuple[str, object]) -> Any:
    answer = collector.read(f"/api/{path}?{urlencode(pairs)}")
    assert answer.status == 200
    return answer.json()


DAY = (("start", "2019-05-06"), ("end", "2019-05-07"))


@pytest.fixture(scope="module")
def shop(collector: Collector, made: Made) -> list[str]:
    """Forty traces, every fourth of them slow and of the free plan, the first one failed."""
    trace_ids = [made.trace_id() for _ in range(40)]
    for number, trace_id in enumerate(trace_ids):
        slow = number % 4 == 0
        span = made.span(
            trace_id,
            startTimeUnixNano=str(at(number)),
            endTimeUnixNano=str(at(number) + (2_000_000_000 if slow else 10_000_000)),
            attributes=[{"key": "app.plan", "value": {"stringValue": "free" if slow else "pro"}}],
            status={"code": 2 if number == 0 else 0},
        )
        collector.post_json(made.export(span, service="shop" if number else "shop's own"))
    return trace_ids


@pytest.mark.parametrize(
    ("pairs", "numbers"),
    [
        ((), range(39, -1, -1)),
        ((("status", "error"),), [0]),
        ((("service", "shop's own"),), [0]),
        ((("min", "1999.5"), ("service", "shop")), range(36, 0, -4)),
        ((("max", "2000"), ("end", "2019-05-06T00:00:04Z")), [3, 2, 1]),
        ((("start", "2019-05-06T00:00:38Z"),), [39, 38]),
        ((("attribute", "app.plan=free"), ("start", "2019-05-06T00:00:30Z")), [36, 32]),
        ((("q", "FREE"), ("end", "2019-05-06T00:00:09")), [8, 4, 0]),
        ((("q", "no such text"),), []),
    ],
)
def test_traces_by_all_that_a_filter_knows(
    collector: Collector, shop: list[str], pairs: tuple[tuple[str, str], ...], numbers: Sequence[int]
) -> None:
    found = ask(collector, "traces", *dict((*DAY, *pairs)).items(), ("limit", 1_000))
    assert [trace["trace_id"] for trace in found["traces"]] == [shop[number] for number in numbers]
    assert (found["next"], found["searched_to"]) == (None, None)


def test_pages_follow_one_another(collector: Collector, shop: list[str]) -> None:
    found = ask(collector, "traces", *DAY, ("limit", 25))
    rest = ask(collector, "traces", *DAY, ("limit", 25), ("after", found["next"]))
    assert [trace["trace_id"] for trace in (*found["traces"], *rest["traces"])] == shop[::-1]
    assert rest["next"] is None


def test_the_heatmap_and_what_differs_in_a_part_of_it(collector: Collector, shop: list[str]) -> None:
    found = ask(collector, "latency", *DAY, ("end", "2019-05-06T00:00:40Z"), ("columns", 10))
    assert (found["count"], found["p50_ms"], found["p99_ms"]) == (len(shop), 10.0, 2_000.0)
    assert (found["start"], found["column_ms"], len(found["columns"])) == (
        "2019-05-06T00:00:00.000000Z",
        5_000.0,
        8,
    )
    assert found["columns"][0]["errors"] == 1
    slow = max(cell["row"] for cell in found["cells"])
    region = {
        "from": found["columns"][0]["start"],
        "to": found["end"],
        "low": found["edges_ms"][slow],
        "high": found["edges_ms"][slow + 1],
    }
    differences = ask(collector, "differences", *DAY, *region.items())
    assert (differences["inside"], differences["outside"]) == (10, 30)
    plan = differences["differences"][0]
    assert (plan["name"], plan["score"], plan["derived"]) == ("app.plan", 1.0, False)
    values = [{"value": "free", "inside": 1.0, "outside": 0.0, "kind": "value"}]
    values += [{"value": "pro", "inside": 0.0, "outside": 1.0, "kind": "value"}]
    assert plan["values"] == values


@pytest.mark.parametrize(
    "path",
    [
        "traces?status=bad",
        "traces?after=x",
        "traces?attribute=x",
        "latency?min=x",
        "latency?columns=0",
        "differences",
        "differences?from=2019-05-06&to=2019-05-05&low=1&high=2",
        "logs?after=1",
        "logs?q=" + "x" * 1_001,
        "items?limit=x",
        "items?trace_id=x",
    ],
)
def test_a_parameter_that_is_none_is_explained(collector: Collector, path: str) -> None:
    answer = collector.read(f"/api/{path}")
    assert answer.status == 400
    assert answer.json()["error"].endswith(".")


def test_log_lines_and_items_by_text_page_by_page(collector: Collector, made: Made) -> None:
    trace_id, word = made.trace_id(), secrets.token_hex(8)
    stream = f"api/{word}"
    collector.logs("CreateLogStream", {"logGroupName": "cruddur", "logStreamName": stream})
    now = time.time_ns() // 1_000_000
    events = [{"timestamp": now, "message": f"{word} number {number}"} for number in range(5)]
    collector.logs("PutLogEvents", {"logGroupName": "cruddur", "logStreamName": stream, "logEvents": events})
    for number in range(5):
        body = {"message": {"body": f"{word} {number}", "trace_id": trace_id}}
        level = "error" if number else "info"
        data = {"environment": "testing", "level": level, "timestamp": now // 1_000 + number, "body": body}
        assert collector.item({"access_token": "made-up", "data": data}).status == 200

    def texts(path: str, field: str, **more: object) -> list[str]:
        found, after = [], ""
        while after is not None:
            page = ask(collector, path, ("q", word.upper()), ("limit", 2), ("after", after), *more.items())
            found += [each[field] for each in page[path]]
            after = page["next"]
        return found

    assert texts("logs", "message") == [f"{word} number {number}" for number in range(4, -1, -1)]
    assert texts("items", "title") == [f"{word} {number}" for number in range(4, -1, -1)]
    assert texts("items", "title", level="info") == [f"{word} 0"]
    assert texts("items", "title", trace_id=made.trace_id()) == []
    [newest, *_] = ask(collector, "items", ("trace_id", trace_id))["items"]
    assert ask(collector, f"items/{newest['uuid']}") == newest
    missing = collector.read("/api/items/nobody")
    assert (missing.status, missing.json()) == (404, {"error": "There is no item with this uuid."})


def test_the_overview_says_who_has_sent_what(collector: Collector, made: Made) -> None:
    service = f"overview-{secrets.token_hex(4)}"
    collector.post_json(made.export(made.span(made.trace_id()), made.span(made.trace_id()), service=service))
    found = ask(collector, "overview")
    [arrival] = [each for each in found["arrivals"] if each["service"] == service]
    assert (arrival["vendor"], arrival["count"]) == ("honeycomb", 2)
    assert found["store"]["oldest"] <= arrival["first"] == arrival["last"]
    assert found["received"]["otlp"]["stored"] >= 2
    assert (found["expected"], found["store"]["limit"]) == ([], 1 << 30)
    assert 0 < found["store"]["bytes"] < 1 << 30


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["traces", "latency", "differences", "logs", "items", "overview"]),
    st.dictionaries(
        st.sampled_from(
            ["service", "status", "min", "max", "start", "end", "attribute", "q", "after", "from", "level"]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    ),
)
def test_any_query_is_answered(collector: Collector, path: str, query: dict[str, str]) -> None:
    answer = collector.read(f"/api/{path}?{urlencode(query)}")
    assert answer.status in {200, 400}
    assert ("error" in answer.json()) == (answer.status == 400)

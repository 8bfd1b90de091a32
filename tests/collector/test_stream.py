"""The live stream: what is told to whom, what is bounded, and that it holds up nobody."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest
from starlette.datastructures import QueryParams

from bootstrap.collector.telling.feed import MOST_READERS
from bootstrap.collector.telling.stream import read_wishes
from tests.collector.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.collector.conftest import Collector, Made, Starter


class Listener:
    """One open stream."""

    def __init__(self, collector: Collector, query: str = "", **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=PATIENCE)
        named = {"Authorization": f"Bearer {collector.token}", **headers}
        self._connection.request("GET", f"/api/stream?{query}", headers=named)
        self.answer = self._connection.getresponse()
        if self.answer.status != 200:
            said = self.answer.read()
            self.close()
            pytest.fail(f"{self.answer.status} {said!r}")
        assert self.answer.readline().startswith(b"retry: ")
        assert self.answer.readline() == b"\n"

    def event(self) -> tuple[str, Any]:
        """Wait for the next event: its name and its data."""
        name = ""
        while line := self.answer.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        return "end", None

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@contextlib.contextmanager
def listening(collector: Collector, query: str = "", **headers: str) -> Iterator[Listener]:
    listener = Listener(collector, query, **headers)
    try:
        yield listener
    finally:
        listener.close()


def service_name() -> str:
    """One that no other test uses: the collector is shared."""
    return f"service-{secrets.token_hex(4)}"


def write_line(collector: Collector, stream: str, **fields: Any) -> None:
    collector.logs("CreateLogStream", {"logGroupName": "cruddur", "logStreamName": stream})
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps(fields)}
    body = {"logGroupName": "cruddur", "logStreamName": stream, "logEvents": [event]}
    assert collector.logs("PutLogEvents", body).status == 200


def send_item(collector: Collector, service: str, level: str = "error", **custom: Any) -> None:
    data = {
        "environment": "test",
        "level": level,
        "uuid": secrets.token_hex(16),
        "body": {"message": {"body": "It broke"}},
        "custom": {"service": service, **custom},
    }
    assert collector.item({"access_token": "a" * 32, "data": data}).status == 200


def test_a_trace_is_told_once_it_is_quiet_and_again_when_it_has_grown(
    collector: Collector, made: Made
) -> None:
    service, trace_id = service_name(), made.trace_id()
    with listening(collector, f"service={service}") as listener:
        for _ in range(2):
            assert collector.post_json(made.export(made.span(trace_id), service=service)).status == 200
        name, told = listener.event()
        assert (name, told["trace_id"], told["span_count"]) == ("trace", trace_id, 2)
        [listed] = collector.read(f"/api/traces?service={service}").json()["traces"]
        assert told == listed
        collector.send_segment(made.segment(trace_id, name="another"))
        name, grown = listener.event()
        assert (name, grown["trace_id"]) == ("trace", trace_id)
        assert (grown["segment_count"], sorted(grown["services"])) == (1, sorted(["another", service]))


def test_lines_and_items_are_told_as_the_lists_have_them(collector: Collector, made: Made) -> None:
    service, trace_id = service_name(), made.trace_id()
    with listening(collector, f"service={service}&kinds=logs,items") as listener:
        write_line(collector, service, service=service, trace_id=trace_id, message="<script>\u2028\n\x00")
        assert listener.event() == (
            "log",
            collector.read(f"/api/logs?service={service}").json()["logs"][0],
        )
        send_item(collector, service, trace_id=trace_id)
        assert listener.event() == (
            "item",
            collector.read(f"/api/items?service={service}").json()["items"][0],
        )


def test_what_is_sent_of_a_told_trace_that_says_nothing_new_is_not_told(
    collector: Collector, made: Made
) -> None:
    service, first, second = service_name(), made.trace_id(), made.trace_id()
    with listening(collector, f"service={service}&kinds=traces") as listener:
        span = made.span(first)
        collector.post_json(made.export(span, service=service))
        assert listener.event()[1]["trace_id"] == first
        collector.post_json(made.export(span, service=service))
        write_line(collector, service, service=service, trace_id=first)
        time.sleep(0.6)
        collector.post_json(made.export(made.span(second), service=service))
        assert listener.event()[1]["trace_id"] == second


def test_a_filter_is_kept(collector: Collector, made: Made) -> None:
    service, other = service_name(), service_name()
    with (
        listening(collector, f"service={service}&kinds=traces") as of_service,
        listening(collector, f"service={other}&kinds=items") as of_kind,
    ):
        mine, theirs = made.trace_id(), made.trace_id()
        collector.post_json(made.export(made.span(theirs), service=other))
        send_item(collector, service)
        collector.post_json(made.export(made.span(mine), service=service))
        send_item(collector, other)
        assert of_service.event()[1]["trace_id"] == mine
        assert of_kind.event()[1]["service"] == other


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=error", ["failed"]),
        ("min=50&max=150", ["slow"]),
        ("attribute=user.id%3D7", ["quick", "slow"]),
        ("attribute=user.id%3D7&attribute=deployment%3Dblue&q=SLO", ["slow"]),
        ("q=nowhere", []),
    ],
)
def test_the_live_filter_leaves_what_the_list_s_leaves(
    collector: Collector, made: Made, query: str, names: list[str]
) -> None:
    service, end = service_name(), time.time_ns()

    def send(name: str, milliseconds: int, user: int, **more: Any) -> None:
        attributes = [{"key": "user.id", "value": {"intValue": str(user)}}]
        start = str(end - milliseconds * 1_000_000)
        span = made.span(made.trace_id(), name=name, attributes=attributes, startTimeUnixNano=start, **more)
        document = made.export({**span, "endTimeUnixNano": str(end)}, service=service)
        resource = document["resourceSpans"][0]["resource"]
        resource["attributes"].append({"key": "deployment", "value": {"stringValue": "blue"}})
        assert collector.post_json(document).status == 200

    query = f"service={service}&{query}"
    with (
        listening(collector, f"{query}&kinds=traces") as filtered,
        listening(collector, f"service={service}&kinds=traces") as whole,
    ):
        send("quick", 10, 7)
        send("slow", 100, 7)
        send("failed", 10, 8, status={"code": 2})
        told = sorted(filtered.event()[1]["name"] for _ in names)
        assert told == names
        assert {whole.event()[1]["name"] for _ in range(3)} == {"quick", "slow", "failed"}
        listed = collector.read(f"/api/traces?{query}").json()["traces"]
        assert sorted(view["name"] for view in listed) == told


def test_its_headers_keep_it_out_of_every_cache_and_buffer(collector: Collector) -> None:
    with listening(collector) as listener:
        headers = listener.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert collector.request("HEAD", f"/api/stream?token={collector.token}").status == 200


def test_it_needs_the_token_or_its_cookie(collector: Collector) -> None:
    assert collector.request("GET", "/api/stream").status == 401
    given = collector.request("GET", f"/api/traces?token={collector.token}").headers["set-cookie"]
    with listening(collector, Authorization="", Cookie=given.partition(";")[0]) as listener:
        assert listener.answer.status == 200


@pytest.mark.parametrize(
    "query",
    ["kinds=", "kinds=traces,bogus", "last=", "last=-1", "last=1001", "last=x", "last=%C2%B2", "min=x"],
)
def test_a_filter_that_is_none_is_refused(collector: Collector, query: str) -> None:
    answer = collector.read(f"/api/stream?{query}")
    assert answer.status == 400
    assert answer.json()["error"].startswith(f"{query.partition('=')[0]} ")


def test_it_begins_with_the_last_that_are_stored_and_tells_nothing_twice(
    collector: Collector, made: Made
) -> None:
    service, trace_id = service_name(), made.trace_id()
    for _ in range(3):
        collector.post_json(made.export(made.span(made.trace_id()), service=service))
    send_item(collector, service)
    collector.post_json(made.export(made.span(trace_id), service=service))
    with listening(collector, f"service={service}&last=2") as listener:
        told = [listener.event(), listener.event()]
        assert sorted(name for name, _ in told) == ["item", "trace"]
        assert trace_id in [view.get("trace_id") for _, view in told]
        write_line(collector, service, service=service)
        assert listener.event()[0] == "log"


def test_kinds_by_name() -> None:
    assert read_wishes(QueryParams("")).kinds == {"traces", "logs", "items"}
    assert read_wishes(QueryParams("kinds=logs, items")).kinds == {"logs", "items"}


def test_there_are_so_many_streams_and_then_no_more(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    with contextlib.ExitStack() as opened:
        first = opened.enter_context(contextlib.closing(Listener(collector)))
        for _ in range(MOST_READERS - 1):
            opened.enter_context(contextlib.closing(Listener(collector)))
        refused = collector.read("/api/stream")
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert collector.post_json(made.export(made.span(made.trace_id()))).status == 200
        first.close()
        with contextlib.closing(collector.eventually(lambda: attempt(collector))):
            pass
    assert collector.stop() == ("returned\n", "")


def attempt(collector: Collector) -> Listener | None:
    with contextlib.suppress(pytest.fail.Exception):
        return Listener(collector)
    return None


def test_whoever_does_not_read_holds_up_nobody_and_hears_what_he_missed(
    start_collector: Starter, made: Made
) -> None:
    collector = start_collector()
    with listening(collector, "kinds=logs") as slow, listening(collector, "kinds=traces") as quick:
        body = "x" * 100_000
        stored = 0
        for _ in range(20):
            collector.logs("CreateLogStream", {"logGroupName": "cruddur", "logStreamName": "s"})
            events = [{"timestamp": int(time.time() * 1000), "message": body} for _ in range(9)]
            put = {"logGroupName": "cruddur", "logStreamName": "s", "logEvents": events}
            assert collector.logs("PutLogEvents", put).status == 200
            stored += len(events)
        trace_id = made.trace_id()
        assert collector.post_json(made.export(made.span(trace_id))).status == 200
        assert quick.event()[1]["trace_id"] == trace_id
        told = skipped = 0
        while told + skipped < stored:
            name, data = slow.event()
            if name == "skipped":
                skipped += data["count"]
            else:
                assert data["message"] == body
                told += 1
        assert skipped > 0
        assert told + skipped == stored


def test_streams_end_when_the_collector_does(start_collector: Starter) -> None:
    collector = start_collector()
    with listening(collector) as listener:
        assert collector.stop() == ("returned\n", "")
        assert listener.event() == ("end", None)

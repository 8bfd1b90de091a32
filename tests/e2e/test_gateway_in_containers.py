"""Two services in containers, one calling the other: a request leaves one trace of both."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers import docker
from tests.e2e.checkout import free_port as any_port
from tests.e2e.evidence import Traces
from tests.e2e.strangers import check_headers

if TYPE_CHECKING:
    from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow

#: seconds until everything has been reported
_PATIENCE = 30.0


def test_a_request_leaves_one_trace_of_both(checkout: Checkout, free_port: int) -> None:
    port = any_port()
    called = ("--calls", "backend-flask/api/activities/home")
    checkout.run("service", "add", "gateway", "--template", "flask", "--port", str(port), *called).check(0)
    up = checkout.run("up", "--wait", "--engine", "compose", "--json")
    up.check(0)
    ready = next(each for each in map(json.loads, up.out.splitlines()) if each["event"] == "ready")

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/upstream", timeout=20) as answer:
        root = answer.headers["X-Amzn-Trace-Id"]
        assert answer.status == 200
    trace_id = root.removeprefix("Root=1-").replace("-", "")
    traces = Traces.of(ready["collector"])
    trace = _whole(traces, trace_id)
    assert [each["trace_id"] for each in traces.latest()] == [trace_id]
    _check_spans(trace["spans"])
    _check_segments(trace["segments"])
    lines = {(line["service"], line["fields"]["message"]) for line in trace["logs"]}
    assert {("gateway", "GET /api/upstream 200"), ("backend-flask", "GET /api/activities/home 200")} <= lines

    check_headers(free_port, traces)
    found = checkout.findings()
    states = {name: each["state"] for name, each in found.items()}
    assert states == dict.fromkeys(states, "arrived")
    assert {name.split()[0] for name in states} == {"backend-flask", "gateway"}
    assert "Successfully sent batch of" in found["gateway xray"]["detail"]
    # Private: a peer reaches it, and this machine's loopback.
    ids = checkout.containers()
    assert json.loads(docker("inspect", ids["gateway"]))[0]["HostConfig"]["PortBindings"] == {
        f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
    }
    checkout.run("down").check(0, "Stopped backend-flask, gateway, telemetry, xray-daemon.")


def _whole(traces: Traces, trace_id: str) -> dict[str, Any]:
    """The trace once both services have reported all of it, or as much as there is after a while."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        trace: dict[str, Any] = {}
        if any(each["trace_id"] == trace_id for each in traces.latest()):
            trace = traces.read(trace_id)
            lines = {line["service"] for line in trace["logs"] if "200" in line["fields"]["message"]}
            if (len(trace["spans"]), len(trace["segments"]), len(lines)) == (4, 2, 2):
                return trace
        if time.monotonic() > deadline:
            return trace
        time.sleep(0.2)


def _check_spans(spans: list[dict[str, Any]]) -> None:
    by_kind = {(span["service"], span["kind"]): span for span in spans}
    assert len(by_kind) == len(spans) == 4, spans
    chain = [
        by_kind["gateway", "server"],
        by_kind["gateway", "client"],
        by_kind["backend-flask", "server"],
        by_kind["backend-flask", "internal"],
    ]
    parents = [None, *(span["span_id"] for span in chain[:-1])]
    assert [span["parent_span_id"] for span in chain] == parents
    assert [chain[0]["name"], chain[2]["name"]] == ["GET /api/upstream", "GET /api/activities/home"]


def _check_segments(segments: list[dict[str, Any]]) -> None:
    by_name = {segment["name"]: segment for segment in segments}
    assert by_name.keys() == {"gateway", "backend-flask"}
    assert len(segments) == 2, segments
    assert "parent_id" not in by_name["gateway"]
    (remote,) = by_name["gateway"]["subsegments"]
    assert (remote["namespace"], remote["http"]["response"]["status"]) == ("remote", 200)
    assert by_name["backend-flask"]["parent_id"] == remote["id"]

"""What the receivers refuse: each row is a good call with one thing wrong."""

import dataclasses
import gzip
import json
import socket
import time
from typing import Any

import pytest

from calls import Call, good_call, item, one_span, rollbar_call, segment
from receivers import OtlpSink, RollbarApi, XRayDaemon

TRACES = one_span().SerializeToString()
HEADER = b'{"format": "json", "version": 1}\n'


@pytest.mark.parametrize(
    ("status", "reason", "changes"),
    [
        (404, "POST /", {"path": "/"}),
        (404, "POST /v1/traces/", {"path": "/v1/traces/"}),
        (404, "GET /v1/traces", {"method": "GET"}),
        (415, "unsupported content-type", {"headers": {"Content-Type": "text/plain"}}),
        (415, "unsupported content-encoding br", {"headers": {"Content-Encoding": "br"}}),
        (401, "missing 'x-honeycomb-team' header", {"headers": {"x-honeycomb-team": ""}}),
        (401, "unknown API key - check your credentials", {"headers": {"x-honeycomb-team": "other"}}),
        (400, "failed to parse OTLP request body", {"body": b"\xff"}),
        (400, "failed to parse OTLP request body", {"headers": {"Content-Encoding": "gzip"}}),
        (
            400,
            "failed to parse OTLP request body",
            {"headers": {"Content-Encoding": "gzip"}, "body": gzip.compress(TRACES)[:-4]},
        ),
        (
            413,
            "request body too large",
            {"headers": {"Content-Encoding": "gzip"}, "body": gzip.compress(bytes((20 << 20) + 1))},
        ),
    ],
)
def test_honeycomb(status: int, reason: str, changes: dict[str, Any]) -> None:
    with OtlpSink(key="made-up") as sink:
        good = good_call(sink)
        changes = {**changes, "headers": {**good.headers, **changes.get("headers", {})}}
        assert dataclasses.replace(good, **changes).send(sink.port).status == status
        assert dict(sink.inbox.refusals) == {f"{status} {reason}": 1}
        assert sink.inbox.items == []


@pytest.mark.parametrize(
    ("status", "message", "changes"),
    [
        (404, "nothing at POST /api/1/item", {"path": "/api/1/item"}),
        (404, "nothing at POST /api/item/", {"path": "/api/item/"}),
        (404, "nothing at GET /api/1/item/", {"method": "GET"}),
        (401, "access token required", {"headers": {}}),
        (403, "access token not found: other", {"headers": {"X-Rollbar-Access-Token": "other"}}),
        (413, "request entity too large", {"body": bytes((512 << 10) + 1)}),
        (400, "the payload is not JSON", {"body": b"payload={}"}),
        (422, "Invalid format. access_token is missing and it is required.", {"body": b'{"data": {}}'}),
        (403, "access token not found: other", {"body": b'{"access_token": "other"}'}),
    ],
)
def test_rollbar_calls(rollbar_api: RollbarApi, status: int, message: str, changes: dict[str, Any]) -> None:
    answer = dataclasses.replace(good_call(rollbar_api), **changes).send(rollbar_api.port)
    assert (answer.status, answer.json) == (status, {"err": 1, "message": message})
    assert rollbar_api.inbox.items == []
    assert rollbar_api.inbox.refusals.total() == 1


FRAME = {"filename": "app.py"}
MESSAGE, TRACE = {"body": "Hello World!"}, {"frames": [FRAME], "exception": {"class": "ValueError"}}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        item(environment=None),
        item(environment=""),
        item(level="ERROR"),
        item(uuid=37 * "a"),
        item(body=None),
        item(body={}),
        item(body={"telemetry": []}),
        item(body={"message": MESSAGE, "trace": TRACE}),
        item(body={"message": {}}),
        item(body={"trace": {"frames": [FRAME]}}),
        item(body={"trace": {**TRACE, "frames": [{"lineno": 1}]}}),
        item(body={"trace_chain": []}),
        item(body={"crash_report": ""}),
    ],
)
def test_rollbar_items(rollbar_api: RollbarApi, data: Any) -> None:
    answer = rollbar_call(rollbar_api.token, data).send(rollbar_api.port)
    assert (answer.status, answer.json["err"]) == (422, 1)
    assert rollbar_api.inbox.items == []


@pytest.mark.parametrize(
    "body", [{"trace": TRACE}, {"trace_chain": [TRACE, TRACE]}, {"crash_report": {"raw": "core"}}]
)
def test_rollbar_takes_every_kind_of_body(rollbar_api: RollbarApi, body: dict[str, Any]) -> None:
    uuid = "12345678-1234-1234-1234-123456789012"
    answer = rollbar_call(rollbar_api.token, item(body=body, uuid=uuid)).send(rollbar_api.port)
    assert answer.json == {"err": 0, "result": {"id": None, "uuid": uuid}}


@pytest.mark.parametrize(
    ("reason", "datagram"),
    [
        ("no header line", b"{}"),
        ("the header is not JSON", b"json 1\n{}"),
        ("not format json, version 1", b'{"format": "json", "version": 2}\n{}'),
        ("the document is not JSON", HEADER + b"{"),
        ("the document is not an object", HEADER + b"[]"),
        ("name", segment(name="")),
        ("name", segment(name="a\u2028(b)")),
        ("id", segment(id="B" * 16)),
        ("parent_id", segment(parent_id="1")),
        ("trace_id", segment(trace_id="a" * 32)),
        ("a trace_id of another time", segment(trace_id=f"1-00000001-{24 * 'a'}")),
        ("a trace_id of another time", segment(trace_id=f"1-{int(time.time()) + 3600:08x}-{24 * 'a'}")),
        ("start_time", segment(start_time="now")),
        ("end_time", segment(end_time=None)),
        ("annotations", segment(annotations={"results-size": 1})),
        ("annotations", segment(annotations={"sizes": [1]})),
        ("end_time", segment(subsegments=[segment(end_time=None)])),
        ("a type that is not subsegment, or no parent_id with it", segment(type="subsegment")),
    ],
)
def test_xray_segments(xray: XRayDaemon, reason: str, datagram: bytes | dict[str, Any]) -> None:
    if isinstance(datagram, dict):
        datagram = HEADER + json.dumps(datagram).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for each in (datagram, HEADER + json.dumps(segment(in_progress=False)).encode()):
            client.sendto(each, ("127.0.0.1", xray.port))
    xray.inbox.wait_for(1)
    assert xray.inbox.count == 1
    assert dict(xray.inbox.refusals) == {f"segment: {reason}": 1}


COUNTS = {"RequestCount": 1, "SampledCount": 0}
STATISTICS = {"RuleName": "Default", "ClientID": 24 * "a", "Timestamp": 1, **COUNTS}


def report(documents: Any) -> Call:
    return Call("/SamplingTargets", json.dumps({"SamplingStatisticsDocuments": documents}).encode())


@pytest.mark.parametrize(
    "documents",
    [
        None,
        26 * [STATISTICS],
        ["Default"],
        [{**STATISTICS, "RuleName": ""}],
        [{**STATISTICS, "ClientID": "short"}],
        [{**STATISTICS, "Timestamp": "now"}],
        [{**STATISTICS, "RequestCount": None}],
        [{**STATISTICS, "SampledCount": -1}],
        [{**STATISTICS, "BorrowCount": 0.5}],
    ],
)
def test_xray_statistics(xray: XRayDaemon, documents: Any) -> None:
    answer = report(documents).send(xray.port)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
    assert xray.statistics.documents == []


def test_xray_statistics_of_an_unknown_rule(xray: XRayDaemon) -> None:
    answer = report([{**STATISTICS, "RuleName": "gone"}, STATISTICS]).send(xray.port)
    assert [target["RuleName"] for target in answer.json["SamplingTargetDocuments"]] == ["Default"]
    assert [document["RuleName"] for document in answer.json["UnprocessedStatistics"]] == ["gone"]


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (404, Call("/PutTraceSegments", b"{}")),
        (404, Call("/GetSamplingRules", b"", method="GET")),
        (400, Call("/GetSamplingRules", b"")),
        (400, Call("/GetSamplingRules", b"[]")),
        (400, Call("/GetSamplingRules", b'{"NextToken": 1}')),
    ],
)
def test_xray_calls(xray: XRayDaemon, status: int, call: Call) -> None:
    assert call.send(xray.port).status == status
    assert xray.inbox.refusals.total() == 1

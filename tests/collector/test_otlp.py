from __future__ import annotations

import base64
import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # types-protobuf is not among the tools
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from bootstrap.collector.receiving.bodies import MAX_BODY

if TYPE_CHECKING:
    from tests.collector.conftest import Answer, Collector, Made

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_sdk(collector: Collector, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "backend-flask"}))
    exporter = OTLPSpanExporter(endpoint=f"{collector.url}/v1/traces", compression=compression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("home.activities", "1.0")
    with tracer.start_as_current_span("GET /api/activities/home", kind=SpanKind.SERVER) as parent:
        with tracer.start_as_current_span("home-activities-mock-data") as child:
            child.set_attribute("app.now", "2026-01-02T03:04:05+00:00")
            child.set_attribute("app.result_length", 3)
            child.add_event("looked", {"where": "here"})
        parent.set_status(StatusCode.ERROR, "made up")
    provider.shutdown()

    context = parent.get_span_context()
    trace = collector.read(f"/api/traces/{context.trace_id:032x}").json()
    root, inner = trace["spans"]
    assert (root["name"], root["kind"], root["parent_span_id"]) == (
        "GET /api/activities/home",
        "server",
        None,
    )
    assert root["status"] == {"code": "error", "message": "made up"}
    assert root["service"] == root["resource"]["service.name"] == "backend-flask"
    assert (inner["name"], inner["parent_span_id"]) == ("home-activities-mock-data", root["span_id"])
    assert inner["attributes"] == {"app.now": "2026-01-02T03:04:05+00:00", "app.result_length": 3}
    assert [(event["name"], event["attributes"]) for event in inner["events"]] == [
        ("looked", {"where": "here"})
    ]
    assert (inner["scope"]["name"], inner["scope"]["version"]) == ("home.activities", "1.0")
    assert 0 <= inner["duration_ms"] <= root["duration_ms"]
    [summary] = [
        one for one in collector.read("/api/traces").json()["traces"] if one["trace_id"] == trace["trace_id"]
    ]
    assert (summary["name"], summary["span_count"], summary["error"]) == ("GET /api/activities/home", 2, True)


def test_json_by_hand(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    parent = made.span(trace_id)
    child = made.span(trace_id, parentSpanId=parent["spanId"].upper(), kind=3, anUnknownField={"a": 1})
    child["links"] = [{"traceId": trace_id, "spanId": parent["spanId"]}]
    answer = collector.post_json(made.export(parent, child))
    assert (answer.status, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    spans = {span["span_id"]: span for span in collector.read(f"/api/traces/{trace_id}").json()["spans"]}
    stored = spans[child["spanId"]]
    assert (stored["kind"], stored["parent_span_id"], stored["duration_ms"]) == (
        "client",
        parent["spanId"],
        5.0,
    )
    assert stored["links"] == [{"trace_id": trace_id, "span_id": parent["spanId"], "attributes": {}}]


VALUES: dict[str, tuple[dict[str, Any], Any]] = {
    "text": ({"stringValue": "a"}, "a"),
    "bool": ({"boolValue": False}, False),
    "int": ({"intValue": 1}, 1),
    "int64 as text": ({"intValue": str(2**63 - 1)}, 2**63 - 1),
    "double": ({"doubleValue": 0.5}, 0.5),
    "NaN": ({"doubleValue": "NaN"}, "NaN"),
    "infinity": ({"doubleValue": "-Infinity"}, "-Infinity"),
    "bytes": ({"bytesValue": base64.b64encode(b"\x00\xff").decode()}, "AP8="),
    "array": ({"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "b"}]}}, [1, "b"]),
    "map": ({"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}, {"k": True}),
    "nothing": ({}, None),
}


def test_every_kind_of_value_is_kept(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    attributes = [{"key": name, "value": sent} for name, (sent, _) in VALUES.items()]
    assert collector.post_json(made.export(made.span(trace_id, attributes=attributes))).status == 200
    [span] = collector.read(f"/api/traces/{trace_id}").json()["spans"]
    assert span["attributes"] == {name: kept for name, (_, kept) in VALUES.items()}


UNUSABLE: dict[str, dict[str, Any]] = {
    "short trace id": {"traceId": "ab"},
    "zero trace id": {"traceId": "0" * 32},
    "no span id": {"spanId": ""},
    "zero span id": {"spanId": "0" * 16},
    "long parent id": {"parentSpanId": "a" * 18},
    "a link to nowhere": {"links": [{}]},
    "a start beyond 2262": {"startTimeUnixNano": str(2**64 - 1)},
}


@pytest.mark.parametrize("overrides", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_span_is_refused_alone(
    collector: Collector, made: Made, overrides: dict[str, Any]
) -> None:
    trace_id = made.trace_id()
    answer = collector.post_json(made.export(made.span(trace_id), {**made.span(trace_id), **overrides}))
    assert answer.status == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert partial["errorMessage"]
    assert len(collector.read(f"/api/traces/{trace_id}").json()["spans"]) == 1


def test_partial_success_in_protobuf(collector: Collector) -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name="no ids")
    answer = collector.request("POST", "/v1/traces", request.SerializeToString(), PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(answer.body).partial_success.rejected_spans == 1


def test_zeros_as_parent_mean_a_root(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    assert collector.post_json(made.export(made.span(trace_id, parentSpanId="0" * 16))).json() == {}
    assert collector.read(f"/api/traces/{trace_id}").json()["spans"][0]["parent_span_id"] is None


MALFORMED: dict[str, tuple[dict[str, str], bytes, int]] = {
    "protobuf that is none": (PROTOBUF, b"\xff\xff\xff", 400),
    "protobuf cut off": (PROTOBUF, b"\x0a\x7f\x0a", 400),
    "empty JSON": (JSON, b"", 400),
    "broken JSON": (JSON, b'{"resourceSpans": [', 400),
    "a JSON list": (JSON, b"[]", 400),
    "JSON null": (JSON, b"null", 400),
    "not UTF-8": (JSON, b'{"resourceSpans": "\xff"}', 400),
    "a lone surrogate": (JSON, b'{"resourceSpans": [{"schemaUrl": "\\ud800"}]}', 400),
    "NaN as a number": (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": NaN}]}]}]}', 400),
    "spans that are text": (JSON, b'{"resourceSpans": "text"}', 400),
    "a span that is a number": (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [1]}]}]}', 400),
    "an id that is not hex": (
        JSON,
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xy"}]}]}]}',
        400,
    ),
    "an id that is a number": (
        JSON,
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 1}]}]}]}',
        400,
    ),
    "nested without end": (JSON, b"[" * 200_000, 400),
    "not gzip": (PROTOBUF | GZIP, b"plain", 400),
    "gzip cut off": (PROTOBUF | GZIP, gzip.compress(b"\x0a\x00" * 99)[:-9], 400),
    "gzip with a tail": (PROTOBUF | GZIP, gzip.compress(b"") + b"tail", 400),
    "a gzip bomb": (PROTOBUF | GZIP, gzip.compress(bytes(MAX_BODY + 1)), 413),
    "a gzip bomb in members": (PROTOBUF | GZIP, gzip.compress(bytes(MAX_BODY // 2)) * 3, 413),
    "too large": (PROTOBUF, bytes(MAX_BODY + 1), 413),
    "another encoding": (PROTOBUF | {"Content-Encoding": "br"}, b"", 415),
    "text": ({"Content-Type": "text/plain"}, b"", 415),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"", 415),
    "no content type": ({}, b"", 415),
}


@pytest.mark.parametrize(("headers", "body", "status"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(collector: Collector, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = collector.request("POST", "/v1/traces", body, headers)
    assert answer.status == status
    code, message = _rpc_status(answer)
    assert code == 3
    assert message


def _rpc_status(answer: Answer) -> tuple[int, str]:
    """What a client reads from google.rpc.Status."""
    if answer.headers["content-type"] == "application/x-protobuf":
        status = Status.FromString(answer.body)
        return status.code, status.message
    document = answer.json()
    return document["code"], document["message"]


def test_a_body_that_only_claims_to_be_large_is_refused_before_it_comes(collector: Collector) -> None:
    answer = collector.request("POST", "/v1/traces", b"", PROTOBUF | {"Content-Length": "9" * 15})
    assert answer.status == 413


def test_accepted_encodings(collector: Collector, made: Made) -> None:
    body = json.dumps(made.export(made.span(made.trace_id()))).encode()
    half = len(body) // 2
    cases = [
        ({"Content-Type": "Application/JSON; charset=utf-8"}, body),
        (JSON | {"Content-Encoding": "identity"}, body),
        (JSON | {"Content-Encoding": "GZIP"}, gzip.compress(body)),
        (JSON | GZIP, gzip.compress(body[:half]) + gzip.compress(body[half:])),
        (PROTOBUF, b""),
    ]
    for headers, sent in cases:
        assert collector.request("POST", "/v1/traces", sent, headers).status == 200


def test_a_get_is_not_an_export(collector: Collector) -> None:
    answer = collector.request("GET", "/v1/traces")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_retransmission_is_stored_once(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    request = made.export(made.span(trace_id))
    for _ in range(3):
        assert collector.post_json(request).status == 200
    assert len(collector.read(f"/api/traces/{trace_id}").json()["spans"]) == 1


def test_a_burst_of_ten_thousand_spans_is_stored_whole(collector: Collector, made: Made) -> None:
    trace_ids = [made.trace_id() for _ in range(100)]

    def send(trace_id: str) -> int:
        spans = [made.span(trace_id, attributes=[{"key": "n", "value": {"intValue": n}}]) for n in range(100)]
        return collector.post_json(made.export(*spans, service="burst")).status

    with ThreadPoolExecutor(16) as senders:
        health = senders.submit(_slowest_health, collector)
        assert set(senders.map(send, trace_ids)) == {200}
        assert health.result() < 10
    summaries = collector.read("/api/traces?service=burst&limit=1000").json()["traces"]
    assert {summary["trace_id"]: summary["span_count"] for summary in summaries} == dict.fromkeys(
        trace_ids, 100
    )


def _slowest_health(collector: Collector) -> float:
    """How long the slowest of some small requests took meanwhile, in seconds."""
    slowest = 0.0
    for _ in range(20):
        start = time.monotonic()
        assert collector.request("GET", "/healthz").status == 200
        slowest = max(slowest, time.monotonic() - start)
    return slowest


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("0123456789abcdef"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "traceId",
    "spanId",
    "parentSpanId",
    "name",
    "kind",
    "startTimeUnixNano",
    "attributes",
    "events",
    "links",
]
SPANS = st.lists(st.dictionaries(st.sampled_from([*FIELDS, "status"]), ANYTHING) | ANYTHING, max_size=3)


@settings(deadline=None)
@given(SPANS | ANYTHING)
def test_any_json_is_answered(collector: Collector, spans: Any) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    assert collector.post_json(body.encode()).status in {200, 400}


@settings(deadline=None)
@given(st.binary(), st.sampled_from([PROTOBUF, JSON, PROTOBUF | GZIP, JSON | GZIP]))
def test_any_bytes_are_answered(collector: Collector, body: bytes, headers: dict[str, str]) -> None:
    assert collector.request("POST", "/v1/traces", body, headers).status in {200, 400}


@settings(deadline=None)
@given(st.data())
def test_damaged_protobuf_is_answered(collector: Collector, data: st.DataObject) -> None:
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=bytes(range(16)), span_id=bytes(range(8)), name="home", start_time_unix_nano=1)
    )
    span.attributes.add(key="key").value.array_value.values.add(string_value="value")
    body = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert collector.request("POST", "/v1/traces", bytes(body), PROTOBUF).status in {200, 400}

"""The OTLP that spans become, held against what the SDK's own encoder makes of them."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from observability import otlp
from receivers import Fault, HttpReceiver
from receivers.wire import Request, Response

TEXT = st.text(max_size=20)
PLAIN = TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()
SEQUENCES = st.sampled_from([TEXT, st.booleans(), st.integers(0, 9), st.floats()]).flatmap(
    lambda kind: st.lists(kind, max_size=3)
)
ODD = (
    SEQUENCES | st.integers() | st.binary(max_size=5) | st.none() | st.text(st.characters(categories=["Cs"]))
)
# Equal in Python, and not the same in OTLP.
CONFUSABLE = st.sampled_from([True, 1, 1.0, False, 0, 0.0, -0.0, "1", ""])
KEYS = st.sampled_from(["http.route", "app.now", "a"]) | st.text(min_size=1, max_size=9)
ATTRIBUTES = st.dictionaries(KEYS, PLAIN | CONFUSABLE, max_size=6)
ANY_ATTRIBUTES = ATTRIBUTES | st.dictionaries(KEYS, PLAIN | ODD | CONFUSABLE, max_size=6)
TIMES = st.integers(0, 2**63 - 1)
CONTEXTS = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.just(TraceFlags(1)),
    st.just(TraceState()) | st.just(TraceState([("vendor", "made-up")])),
)
SPANS = st.fixed_dictionaries(
    {
        "name": TEXT,
        "parent": st.none() | CONTEXTS,
        "kind": st.sampled_from(SpanKind),
        "attributes": ANY_ATTRIBUTES,
        "events": st.lists(st.tuples(TEXT, ANY_ATTRIBUTES, TIMES), max_size=2),
        "links": st.lists(st.tuples(CONTEXTS, ANY_ATTRIBUTES), max_size=2),
        "status": st.builds(Status, st.sampled_from(StatusCode))
        | st.builds(Status, st.just(StatusCode.ERROR), TEXT),
        "times": st.tuples(TIMES, TIMES),
        "scope": st.tuples(TEXT, st.none() | TEXT, st.none() | TEXT, st.none() | ATTRIBUTES),
    }
)
PLAIN_SPAN: dict[str, Any] = {
    "name": "GET /",
    "parent": None,
    "kind": SpanKind.SERVER,
    "attributes": {},
    "events": [],
    "links": [],
    "status": Status(),
    "times": (1, 2),
    "scope": ("made-up", None, None, None),
}


class Collector(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class Wire(HttpReceiver):
    """Takes anything, and keeps it as it came."""

    environ: dict[str, str] = {}  # noqa: RUF012 - it points nobody here

    def answer(self, request: Request) -> Response:
        self.inbox.add([request.body])
        return Response(200, b"", "application/x-protobuf")

    def counts(self) -> dict[str, int]:
        return {}

    def failure(self, fault: Fault) -> Response:
        raise NotImplementedError(fault)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Wire() as receiver:
        yield receiver


def made(limits: SpanLimits, resource: Resource, wanted: list[dict[str, Any]]) -> list[ReadableSpan]:
    """Make real spans of the SDK."""
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    collector = Collector()
    provider.add_span_processor(collector)
    for want in wanted:
        name, version, schema_url, attributes = want["scope"]
        parent = want["parent"] and trace.set_span_in_context(NonRecordingSpan(want["parent"]))
        start, end = want["times"]
        span = provider.get_tracer(name, version, schema_url=schema_url, attributes=attributes).start_span(
            want["name"],
            parent,
            want["kind"],
            want["attributes"],
            [trace.Link(*link) for link in want["links"]],
            start,
        )
        for event in want["events"]:
            span.add_event(*event)
        span.set_status(want["status"])
        span.end(end)
    return collector.spans


@given(
    st.lists(SPANS, min_size=1, max_size=4),
    ANY_ATTRIBUTES,
    st.none() | TEXT,
    st.sampled_from([SpanLimits(), SpanLimits(max_span_attributes=2, max_events=0, max_links=0)]),
)
@example([PLAIN_SPAN | {"attributes": {"a": value}} for value in (1, True, 1.0, 1)], {}, None, SpanLimits())
@example([PLAIN_SPAN | {"attributes": {"a": value}} for value in (0.0, -0.0)], {}, None, SpanLimits())
@example([PLAIN_SPAN | {"attributes": {"a": math.nan}}], {"b": [1, 2]}, "made-up", SpanLimits())
@example([PLAIN_SPAN | {"attributes": {"a": 2**64, "b": 1}}], {}, None, SpanLimits())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_any_spans_become_what_the_sdk_makes_of_them(
    wire: Wire,
    wanted: list[dict[str, Any]],
    resource_attributes: dict[str, Any],
    schema_url: str | None,
    limits: SpanLimits,
) -> None:
    spans = made(limits, Resource(resource_attributes, schema_url), wanted)
    exporter = otlp.Exporter(endpoint=wire.url)
    try:
        resource = otlp.encode_resource(spans[0].resource)
        assert exporter.send([otlp.encode(span) for span in spans], resource) is None
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call] # the SDK's
    assert in_full(wire.inbox.items.pop()) == in_full(encode_spans(spans).SerializeToString())


def in_full(body: bytes) -> bytes:
    """Answer a form in which equal messages are equal bytes; messages with a NaN are never equal."""
    message = ExportTraceServiceRequest.FromString(body)
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def test_a_resource_is_the_same_for_every_batch(wire: Wire) -> None:
    spans = made(SpanLimits(), Resource({"service.name": "posts"}), [PLAIN_SPAN])
    exporter = otlp.Exporter(endpoint=wire.url)
    resource = otlp.encode_resource(spans[0].resource)
    for _ in range(2):
        exporter.send([otlp.encode(spans[0])], resource)
    exporter.shutdown()  # type: ignore[no-untyped-call] # the SDK's
    first, second = wire.inbox.items[-2:]
    assert first == second

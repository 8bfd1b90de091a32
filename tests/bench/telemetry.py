"""What a busy backend sends: export requests and segments, made by the SDKs' encoders, then multiplied."""

import secrets
import time
from collections.abc import Iterator

from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

#: what BatchSpanProcessor sends at once
BATCH = 512
SPANS_PER_TRACE = 4

#: in how many traces something fails, with a stack
_FAILING = 20

_REQUEST: dict[str, str | int | float] = {
    "http.request.method": "GET",
    "http.route": "/api/activities/@<string:handle>",
    "http.response.status_code": 200,
    "url.path": "/api/activities/@andrewbrown",
    "url.scheme": "http",
    "server.address": "backend-flask",
    "server.port": 4567,
    "client.address": "172.18.0.1",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "network.protocol.version": "1.1",
}
_QUERY: dict[str, str | int | float] = {
    "db.system.name": "postgresql",
    "db.namespace": "cruddur",
    "db.operation.name": "SELECT",
    "db.query.text": "SELECT * FROM activities JOIN users USING (user_uuid) WHERE handle = %s LIMIT 20",
    "server.address": "db",
    "server.port": 5432,
    "app.result_length": 20,
    "app.cache_hit": False,
    "app.elapsed": 0.01825,
    "thread.id": 140_245_301_208_768,
}
_RESOURCE = {"service.name": "backend-flask", "service.version": "1.4.2", "deployment.environment": "testing"}


class ExportRequests:
    """Makes bodies of POST /v1/traces that differ in all ids."""

    def __init__(self) -> None:
        self._made = ExportTraceServiceRequest.FromString(encode_spans(_spans()).SerializeToString())
        self._spans = [
            span
            for resource in self._made.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def body(self) -> bytes:
        """Make one with new ids; its traces keep their shape."""
        names = {b"": b""}
        for span in self._spans:
            names.setdefault(span.trace_id, secrets.token_bytes(16))
            names.setdefault(span.span_id, secrets.token_bytes(8))
        for span in self._spans:
            span.trace_id, span.span_id = names[span.trace_id], names[span.span_id]
            span.parent_span_id = names[span.parent_span_id]
        body: bytes = self._made.SerializeToString()
        return body


def _spans() -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create(_RESOURCE), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    flask, app = provider.get_tracer("opentelemetry.flask", "0.66b1"), provider.get_tracer("home", "1.0")
    for number in range(BATCH // SPANS_PER_TRACE):
        with flask.start_as_current_span("GET /api/activities", kind=SpanKind.SERVER, attributes=_REQUEST):
            with app.start_as_current_span("user_activities", attributes=_QUERY) as span:
                if number % _FAILING == 0:
                    span.record_exception(_failure())
                with app.start_as_current_span("query", kind=SpanKind.CLIENT, attributes=_QUERY):
                    pass
            with app.start_as_current_span("render", attributes=_REQUEST):
                pass
    return list(exporter.get_finished_spans())


def _failure() -> ValueError:
    try:
        raise ValueError("user_handle is blank")
    except ValueError as error:
        return error


def segment() -> Segment:
    """A segment as the middleware for Flask leaves it: about 1 KB once it is JSON."""
    now = time.time()
    made = Segment("backend-flask")
    made.start_time = now - 0.02
    made.set_service({"runtime": "CPython", "runtime_version": "3.11.7"})
    made.set_aws({"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}})
    made.put_http_meta("url", "http://127.0.0.1:4567/api/activities/@andrewbrown?limit=20")
    made.put_http_meta("method", "GET")
    made.put_http_meta("user_agent", _REQUEST["user_agent.original"])
    made.put_http_meta("client_ip", "172.18.0.1")
    made.put_http_meta("status", 200)
    made.put_http_meta("content_length", 1873)
    made.put_annotation("handle", "andrewbrown")
    made.put_annotation("result_length", 20)
    made.put_metadata("query", {"limit": 20, "text": _QUERY["db.query.text"]}, "app")
    below = Subsegment("mock-data", "local", made)
    below.start_time = now - 0.015
    below.put_metadata("now", {"at": "2026-11-20T10:15:30.120+00:00", "results": [1, 2, 3, 5, 8]}, "app")
    made.add_subsegment(below)
    below.close(now - 0.005)
    made.close(now)
    return made


def datagrams(count: int) -> Iterator[bytes]:
    """Datagrams of the X-Ray daemon's inlet that differ in all ids."""
    made = segment()
    text = '{"format":"json","version":1}\n' + str(made.serialize())
    for _ in range(count):
        trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        yield text.replace(made.id, secrets.token_hex(8)).replace(made.trace_id, trace_id).encode()

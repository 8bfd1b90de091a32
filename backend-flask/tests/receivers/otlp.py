"""Honeycomb's OTLP/HTTP endpoint for traces."""

import gzip
import zlib
from dataclasses import dataclass
from typing import Any

# types-protobuf is not among the project's tools; these two names are all that is used of the libraries.
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from receivers.faults import BROKEN, THROTTLED, UNAUTHORIZED, Fault
from receivers.wire import HttpReceiver, RefusedError, Request, Response

MAX_BODY = 20 << 20  # bytes, unpacked: Honeycomb's limit
KEY_HEADER = "x-honeycomb-team"

# gRPC's numbers for these, which OTLP's errors carry.
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAUTHENTICATED = 8, 12, 13, 16
_PROTOBUF = ("application/protobuf", "application/x-protobuf")


@dataclass(frozen=True)
class ReceivedSpan:
    """One span, with what OTLP says around it."""

    span: Span
    service: str
    headers: dict[str, str]

    @property
    def attributes(self) -> dict[str, Any]:
        return _plain(self.span.attributes)


class OtlpSink(HttpReceiver):
    """Takes `POST /v1/traces` in protobuf, plain or gzip, with the API key if there is one to ask for.

    The words of its errors are those of Honeycomb's own OTLP library, in the form that OTLP asks for.
    """

    def __init__(self, *, key: str | None = None, keep: bool = True) -> None:
        super().__init__(keep=keep)
        self.key = key
        self.traces: set[bytes] = set()

    @property
    def environ(self) -> dict[str, str]:
        headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"{KEY_HEADER}={self.key}"} if self.key else {}
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, **headers}

    def counts(self) -> dict[str, int]:
        return {"spans": self.inbox.count, "traces": len(self.traces)}

    def answer(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", "/v1/traces"):
            raise _refused(404, UNIMPLEMENTED, f"{request.method} {request.path}")
        if request.headers.get("content-type") not in _PROTOBUF:
            raise _refused(415, UNIMPLEMENTED, "unsupported content-type")
        self._authorize(request.headers.get(KEY_HEADER))
        body = _unpacked(request)
        try:
            export = ExportTraceServiceRequest.FromString(body)
        except DecodeError as error:
            raise _refused(400, INTERNAL, "failed to parse OTLP request body") from error
        self._take(export, dict(request.headers), len(request.body))
        return Response(200, ExportTraceServiceResponse().SerializeToString(), _PROTOBUF[0])

    def failure(self, fault: Fault) -> Response:
        return {
            THROTTLED: _failed(429, RESOURCE_EXHAUSTED, "request dropped due to rate limiting", after="1"),
            BROKEN: _failed(500, INTERNAL, "internal error"),
            UNAUTHORIZED: _failed(401, UNAUTHENTICATED, "unknown API key - check your credentials"),
        }[fault]

    def _authorize(self, key: str | None) -> None:
        if self.key and not key:
            raise _refused(401, UNAUTHENTICATED, f"missing '{KEY_HEADER}' header")
        if self.key and key != self.key:
            raise _refused(401, UNAUTHENTICATED, "unknown API key - check your credentials")

    def _take(self, export: ExportTraceServiceRequest, headers: dict[str, str], size: int) -> None:
        spans = [
            ReceivedSpan(span, service, headers)
            for resource in export.resource_spans
            for service in [_plain(resource.resource.attributes).get("service.name", "unknown_service")]
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        self.traces.update(received.span.trace_id for received in spans)
        self.inbox.add(spans, size)


def _unpacked(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "")
    if encoding not in {"", "gzip"}:
        raise _refused(415, UNIMPLEMENTED, f"unsupported content-encoding {encoding}")
    try:
        body = gzip.decompress(request.body) if encoding else request.body
    except (OSError, EOFError, zlib.error) as error:
        raise _refused(400, INTERNAL, "failed to parse OTLP request body") from error
    if len(body) > MAX_BODY:
        raise _refused(413, RESOURCE_EXHAUSTED, "request body too large")
    return body


def _failed(status: int, code: int, message: str, after: str = "") -> Response:
    headers = {"Retry-After": after} if after else {}
    return Response(status, Status(code=code, message=message).SerializeToString(), _PROTOBUF[0], headers)


def _refused(status: int, code: int, message: str) -> RefusedError:
    return RefusedError(_failed(status, code, message), message)


def _plain(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in attributes}

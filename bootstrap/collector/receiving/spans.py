"""OTLP messages: from protobuf or JSON bytes to spans, one by one judged usable or not.

The formats: https://opentelemetry.io/docs/specs/otlp/
"""

import base64
import json
import math
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

# types-protobuf is not among the project's tools; these two calls are all that is used of the library.
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status as WireStatus

from bootstrap.collector.tables.rows import LISTED_NAME
from bootstrap.collector.telemetry.limits import MAX_SPANS, Budget, TooMuchError, check_json, check_protobuf
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import (
    MAX_TIME_NS,
    UNSET,
    Attributes,
    Event,
    Link,
    Scope,
    Span,
    Status,
)
from bootstrap.model.masking import MASK

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_ZEROS = {"0" * 2 * _TRACE_ID_BYTES, "0" * 2 * _SPAN_ID_BYTES}
_PLAIN = {"string_value", "int_value", "bool_value"}
_OK = Status("ok")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


class UndecodableError(ValueError):
    """Bytes that are no export request; the text says why."""


class UnusableSpanError(ValueError):
    """One span that cannot be stored; the text says why."""


def decode_protobuf(body: bytes) -> ExportTraceServiceRequest:
    """Read an export request; raises UndecodableError, or TooMuchError before there is too much of it."""
    check_protobuf(body)
    try:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
    except DecodeError as error:
        raise UndecodableError(f"not an ExportTraceServiceRequest: {error}") from error
    return request


def decode_json(body: bytes) -> ExportTraceServiceRequest:
    """Read an export request in OTLP's own JSON, whose ids are hex; raises like `decode_protobuf`."""
    check_json(body)
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
        _ids_to_base64(document)
        request = ExportTraceServiceRequest()
        json_format.ParseDict(document, request, ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # ParseDict lets the last three through for values of the wrong type.
        raise UndecodableError(f"not an ExportTraceServiceRequest in JSON: {error}") from error
    return request


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _ids_to_base64(document: dict[str, Any]) -> None:
    """Spell the ids as protobuf's own JSON does."""
    for span in _wire_spans(document):
        for holder in (span, *(span.get("links") or ())):
            for field in ("traceId", "spanId", "parentSpanId"):
                value = holder.get(field)
                if value is not None:
                    holder[field] = _hex_to_base64(value)


def _wire_spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource_spans in document.get("resourceSpans") or ():
        for scope_spans in resource_spans.get("scopeSpans") or ():
            yield from scope_spans.get("spans") or ()


def _hex_to_base64(value: str) -> str:
    if not _HEX.fullmatch(value):
        raise ValueError("an id is not hex")
    return base64.b64encode(bytes.fromhex(value)).decode("ascii")


class _Reading(NamedTuple):
    """What reading one request goes by."""

    masker: Masker
    budget: Budget


class Reader:
    """Reads the spans of one request, and keeps count of those that are unusable."""

    def __init__(self, masker: Masker) -> None:
        self.rejected = 0
        self.reason = ""
        """Why the first one was rejected."""
        self._reading = _Reading(masker, Budget())

    def spans(self, request: ExportTraceServiceRequest) -> Iterator[Span]:
        """All usable spans; raises TooMuchError, for too many spans before the first one."""
        scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
        if sum(len(scope.spans) for scope in scopes) > MAX_SPANS:
            raise TooMuchError(f"The request has more than {MAX_SPANS} spans.")
        for resource_spans in request.resource_spans:
            resource = _attributes(resource_spans.resource.attributes, self._reading)
            service = self._service(resource)
            for scope_spans in resource_spans.scope_spans:
                scope = _scope(scope_spans.scope, self._reading)
                for wire in scope_spans.spans:
                    try:
                        yield _span(wire, service, resource, scope, self._reading)
                    except UnusableSpanError as error:
                        self.reject(str(error))

    def _service(self, resource: Attributes) -> str:
        """Who made the spans; masked before it is cut, because a part of a secret is not recognised."""
        name = resource.get("service.name")
        # Without a name it is the one that OpenTelemetry prescribes.
        whole = name if name and isinstance(name, str) else "unknown_service"
        return self._reading.masker.text(whole)[:LISTED_NAME]

    def reject(self, reason: str) -> None:
        """Count a span that cannot be stored."""
        self.reason = self.reason or reason
        self.rejected += 1


def _scope(scope: InstrumentationScope, reading: _Reading) -> Scope:
    return Scope(scope.name, scope.version, _attributes(scope.attributes, reading))


def _span(wire: WireSpan, service: str, resource: Attributes, scope: Scope, reading: _Reading) -> Span:
    start_ns = _time(wire.start_time_unix_nano)
    # Each look at a field of a message makes an object, and there are many spans.
    events, links, parent, kind = wire.events, wire.links, wire.parent_span_id, wire.kind
    return Span(
        trace_id=_identifier(wire.trace_id, _TRACE_ID_BYTES, "trace_id"),
        span_id=_identifier(wire.span_id, _SPAN_ID_BYTES, "span_id"),
        parent_id=_parent(parent) if parent else None,
        service=service,
        name=wire.name,
        kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        start_ns=start_ns,
        end_ns=max(start_ns, _time(wire.end_time_unix_nano)),
        status=_status(wire.status),
        attributes=_attributes(wire.attributes, reading),
        events=_events(events, reading) if events else [],
        links=_links(links, reading) if links else [],
        resource=resource,
        scope=scope,
        trace_state=wire.trace_state,
    )


def _events(events: Collection[WireSpan.Event], reading: _Reading) -> list[Event]:
    reading.budget.spend(len(events))
    return [
        Event(event.name, _time(event.time_unix_nano), _attributes(event.attributes, reading))
        for event in events
    ]


def _links(links: Collection[WireSpan.Link], reading: _Reading) -> list[Link]:
    reading.budget.spend(len(links))
    return [
        Link(
            _identifier(link.trace_id, _TRACE_ID_BYTES, "a link's trace_id"),
            _identifier(link.span_id, _SPAN_ID_BYTES, "a link's span_id"),
            _attributes(link.attributes, reading),
        )
        for link in links
    ]


def _status(status: WireStatus) -> Status:
    code, message = status.code, status.message
    if code == WireStatus.STATUS_CODE_ERROR:
        return Status("error", message)
    if code == WireStatus.STATUS_CODE_OK:
        return _OK
    return Status("unset", message) if message else UNSET


def _identifier(value: bytes, length: int, name: str) -> str:
    if len(value) != length:
        raise UnusableSpanError(f"{name} has {len(value)} bytes instead of {length}")
    text = value.hex()
    if text in _ZEROS:
        raise UnusableSpanError(f"{name} is all zero")
    return text


def _parent(value: bytes) -> str | None:
    """A root span has no parent, which some clients spell as zeros."""
    return _identifier(value, _SPAN_ID_BYTES, "parent_span_id") if any(value) else None


def _time(nanoseconds: int) -> int:
    if nanoseconds > MAX_TIME_NS:
        raise UnusableSpanError("a time lies after the year 2262")
    return nanoseconds


def _attributes(pairs: Collection[KeyValue], reading: _Reading) -> Attributes:
    reading.budget.spend(len(pairs))
    found = {}
    for pair in pairs:
        value = pair.value
        # Nearly all are texts or numbers, which are read in one step.
        found[pair.key] = value.string_value or value.int_value or _value(value, reading)
    return found


def _value(value: AnyValue, reading: _Reading) -> Any:
    """Any kind of value as JSON has it; see `Attributes`."""
    kind = value.WhichOneof("value")
    if kind in _PLAIN:
        return getattr(value, kind)
    match kind:
        case "double_value":
            return _double(value.double_value)
        case "array_value":
            reading.budget.spend(len(value.array_value.values))
            return [_value(item, reading) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values, reading)
        case "bytes_value":
            return _binary(value.bytes_value, reading)
        case _:
            return getattr(value, kind) if kind else None


def _binary(data: bytes, reading: _Reading) -> str:
    return MASK if reading.masker.holds_secret(data) else base64.b64encode(data).decode("ascii")


def _double(number: float) -> float | str:
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"

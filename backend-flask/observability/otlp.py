"""Makes OTLP out of finished spans, quickly, and sends it."""

import functools
from collections import defaultdict
from typing import Any

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, SpanFlags, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

Encoded = tuple[InstrumentationScope | None, bytes]

# The span's own flags, which say only whether its parent is another process's.
_LOCAL = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK

# The numbers of the fields in which messages hold each other.
_SPANS = ScopeSpans.DESCRIPTOR.fields_by_name["spans"].number
_SCOPE_SPANS = ResourceSpans.DESCRIPTOR.fields_by_name["scope_spans"].number
_RESOURCE_SPANS = ExportTraceServiceRequest.DESCRIPTOR.fields_by_name["resource_spans"].number


def encode(span: ReadableSpan) -> Encoded:
    """Make the message for one span: the same as the SDK's own encoder, for a fifth of its time.

    Most of what spans hold is the same again and again, and messages one after another are one message that
    holds what all of them do. So only ids and times are made anew. What is unusual is left to the SDK.
    """
    attributes = _usual_attributes(span)
    if attributes is not None:
        try:
            return span.instrumentation_scope, _encode(span, attributes)
        except ValueError:  # an attribute that protobuf cannot hold: the SDK leaves out that one alone
            pass
    return span.instrumentation_scope, _bytes(encode_spans([span]).resource_spans[0].scope_spans[0].spans[0])


def _usual_attributes(span: ReadableSpan) -> dict[str, Any] | None:
    """Answer the attributes of a span that has nothing but plain ones; None for any other.

    They are read where the SDK keeps them: its properties copy, which takes longer than all the rest.
    """
    kept = span._attributes  # noqa: SLF001 - as said
    if (
        not isinstance(kept, BoundedAttributes)
        or len(span._events)  # noqa: SLF001
        or len(span._links)  # noqa: SLF001
        or kept.dropped
        or span.dropped_events
        or span.dropped_links
        or span.context.trace_state
    ):
        return None
    attributes = kept._dict  # noqa: SLF001
    return attributes if _PLAIN.keys() >= set(map(type, attributes.values())) else None


def _encode(span: ReadableSpan, attributes: dict[str, Any]) -> bytes:
    parent, status = span.parent, span.status
    own = Span(
        trace_id=span.context.trace_id.to_bytes(16, "big"),
        span_id=span.context.span_id.to_bytes(8, "big"),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        flags=_REMOTE if parent and parent.is_remote else _LOCAL,
    )
    parts = [_bytes(own), _common(span.name, span.kind, status.status_code, status.description)]
    for key, value in attributes.items():
        kind = value.__class__
        rare = kind is float or (kind is str and len(value) > _LONGEST_KEPT)
        parts.append((_attribute.__wrapped__ if rare else _attribute)(key, kind, value))
    return b"".join(parts)


@functools.lru_cache(1024)
def _common(name: str, kind: trace.SpanKind, code: trace.StatusCode, description: str | None) -> bytes:
    """Make the part of a span that it has in common with many others."""
    return _bytes(
        Span(
            name=name,
            kind=kind.value + 1,  # type: ignore[arg-type] # OTLP counts from 1: 0 is "unspecified"
            status=Status(code=code.value, message=description or ""),  # type: ignore[arg-type] # the same numbers
        )
    )


# Longer texts are seldom the same again, and anybody can send thousands. So are floats, and 0.0 == -0.0.
_LONGEST_KEPT = 128
_PLAIN = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}


@functools.lru_cache(4096)
def _attribute(key: str, kind: type[str | float], value: str | float) -> bytes:
    """Make the part of a span that is one attribute.

    The type is part of the cache's key, too: 1, 1.0 and True are equal.
    """
    attribute = KeyValue(key=key, value=AnyValue(**{_PLAIN[kind]: value}))  # type: ignore[arg-type] # as named
    return _bytes(Span(attributes=[attribute]))


def encode_resource(resource: Resource) -> bytes:
    """Make the message that says whose spans these are, without any. It is the same for all."""
    message = encode_spans([ReadableSpan("", _NOBODY, resource=resource)]).resource_spans[0]
    del message.scope_spans[:]
    return _bytes(message)


@functools.lru_cache(256)
def _scope(scope: InstrumentationScope | None) -> bytes:
    """Make the message that says which part of the program made these spans, without any."""
    # Given no resource it looks for one, in threads, and none can start when the process is about to end.
    sample = ReadableSpan("", _NOBODY, resource=Resource.get_empty(), instrumentation_scope=scope)
    message = encode_spans([sample]).resource_spans[0].scope_spans[0]
    del message.spans[:]
    return _bytes(message)


_NOBODY = trace.SpanContext(0, 0, is_remote=False)


def _bytes(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded


def _field(number: int, message: bytes) -> bytes:
    """Put one message into another's field: https://protobuf.dev/programming-guides/encoding/#length-types."""
    prefix, length = bytearray([number << 3 | 2]), len(message)
    while length >= _MORE:
        prefix.append(length % _MORE | _MORE)
        length //= _MORE
    prefix.append(length)
    return bytes(prefix) + message


_MORE = 128  # a length is written seven bits at a time, and the eighth says that there are more


class Exporter(OTLPSpanExporter):
    """The SDK's exporter, with its retries, compression and TLS, for spans that are encoded already."""

    def send(self, spans: list[Encoded], resource: bytes) -> str | None:
        """Send one batch. Answers None when it has arrived, else why it has not; flushing would not tell."""
        scopes: defaultdict[InstrumentationScope | None, list[bytes]] = defaultdict(list)
        for scope, span in spans:
            scopes[scope].append(_field(_SPANS, span))
        parts = [_field(_SCOPE_SPANS, _scope(scope) + b"".join(members)) for scope, members in scopes.items()]
        body = _field(_RESOURCE_SPANS, resource + b"".join(parts))
        with suppress_instrumentation():  # else the delivery would be a trace, too
            result = self._client.export(body)
        if result.success:
            return None
        return f"HTTP {result.status_code}" if result.status_code else "the OTLP endpoint cannot be reached"

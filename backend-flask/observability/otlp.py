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

Encoded = tuple[InstrumentationScope | None, Span]

# The span's own flags, which say only whether its parent is another process's.
_LOCAL = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


def encode(span: ReadableSpan) -> Encoded:
    """Make the message for one span: the same as the SDK's own encoder, for a quarter of its time.

    Most attributes of most spans are the same pairs again and again; what is unusual is left to the SDK.
    """
    attributes = _usual_attributes(span)
    if attributes is not None:
        try:
            return span.instrumentation_scope, _encode(span, attributes)
        except ValueError:  # an attribute that protobuf cannot hold: the SDK leaves out that one alone
            pass
    return span.instrumentation_scope, encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]


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


def _encode(span: ReadableSpan, attributes: dict[str, Any]) -> Span:
    parent = span.parent
    return Span(
        trace_id=span.context.trace_id.to_bytes(16, "big"),
        span_id=span.context.span_id.to_bytes(8, "big"),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        name=span.name,
        kind=span.kind.value + 1,  # type: ignore[arg-type] # OTLP counts from 1: 0 is "unspecified"
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=[_attribute(key, type(value), value) for key, value in attributes.items()],  # type: ignore[arg-type] # plain, as was checked
        status=_status(span.status),
        flags=_REMOTE if parent and parent.is_remote else _LOCAL,
    )


_PLAIN = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}


@functools.lru_cache(4096)
def _attribute(key: str, kind: type, value: str | float) -> KeyValue:
    """One attribute. Its type is a key of the cache, too: 1, 1.0 and True are equal."""
    return KeyValue(key=key, value=AnyValue(**{_PLAIN[kind]: value}))  # type: ignore[arg-type] # as named


def _status(status: trace.Status) -> Status:
    if status.status_code is trace.StatusCode.UNSET:
        return _UNSET
    return Status(code=status.status_code.value, message=status.description or "")


_UNSET = Status()


def encode_resource(resource: Resource) -> ResourceSpans:
    """Make the message that says whose spans these are, without any. It is the same for all."""
    sample = ReadableSpan("", _NOBODY, resource=resource)
    message: ResourceSpans = encode_spans([sample]).resource_spans[0]
    del message.scope_spans[:]
    return message


@functools.lru_cache(256)
def _scope(scope: InstrumentationScope | None) -> ScopeSpans:
    """Make the message that says which part of the program made these spans, without any."""
    sample = ReadableSpan("", _NOBODY, instrumentation_scope=scope)
    message: ScopeSpans = encode_spans([sample]).resource_spans[0].scope_spans[0]
    del message.spans[:]
    return message


_NOBODY = trace.SpanContext(0, 0, is_remote=False)


class Exporter(OTLPSpanExporter):
    """The SDK's exporter, with its retries, compression and TLS, for spans that are encoded already."""

    def send(self, spans: list[Encoded], resource: ResourceSpans) -> str | None:
        """Send one batch. Answers None when it has arrived, else why it has not; flushing would not tell."""
        scopes: defaultdict[InstrumentationScope | None, list[Span]] = defaultdict(list)
        for scope, span in spans:
            scopes[scope].append(span)
        request = ExportTraceServiceRequest(resource_spans=[resource])
        for scope, members in scopes.items():
            message = request.resource_spans[0].scope_spans.add()
            message.CopyFrom(_scope(scope))
            message.spans.extend(members)
        with suppress_instrumentation():  # else the delivery would be a trace, too
            result = self._client.export(request.SerializeToString())
        if result.success:
            return None
        return f"HTTP {result.status_code}" if result.status_code else "the OTLP endpoint cannot be reached"

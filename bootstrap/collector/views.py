"""Traces, log lines and items as JSON has them, wherever they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bootstrap.collector.ids import to_xray
from bootstrap.collector.records import Item, LogLine, Span, Trace, TraceSummary
from bootstrap.collector.segments import assemble

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def summary_view(summary: TraceSummary) -> dict[str, Any]:
    """A trace in a list."""
    return {
        "trace_id": summary.trace_id,
        "xray_trace_id": to_xray(summary.trace_id),
        "services": summary.services,
        "name": summary.name,
        "start": iso(summary.start_ns),
        "duration_ms": None if summary.duration_ns is None else milliseconds(summary.duration_ns),
        "span_count": summary.span_count,
        "segment_count": summary.segment_count,
        "error": summary.error,
    }


def trace_view(trace: Trace) -> dict[str, Any]:
    """One trace whole."""
    return {
        "trace_id": trace.trace_id,
        "xray_trace_id": to_xray(trace.trace_id),
        "spans": [span_view(span) for span in trace.spans],
        "segments": assemble(trace.segments),
        "logs": [line_view(line) for line in trace.lines],
        "items": [item_view(item) for item in trace.items],
        "truncated": trace.truncated,
    }


def span_view(span: Span) -> dict[str, Any]:
    """One span."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "trace_state": span.trace_state,
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "start": iso(span.start_ns),
        "duration_ms": milliseconds(span.end_ns - span.start_ns),
        "status": span.status,
        "attributes": span.attributes,
        "events": [
            {"name": event.name, "time": iso(event.time_ns), "attributes": event.attributes}
            for event in span.events
        ],
        "links": span.links,
        "resource": span.resource,
        "scope": span.scope,
    }


def line_view(line: LogLine) -> dict[str, Any]:
    """One log line."""
    return {
        "timestamp": iso(line.time_ns),
        "trace_id": line.trace_id,
        "group": line.group,
        "stream": line.stream,
        "service": line.service,
        "message": line.message,
        "fields": line.fields,
    }


def item_view(item: Item) -> dict[str, Any]:
    """One item."""
    return {
        "uuid": item.uuid,
        "trace_id": item.trace_id,
        "level": item.level,
        "title": item.title,
        "environment": item.environment,
        "service": item.service,
        "timestamp": iso(item.time_ns),
        "body": item.data,
    }


def iso(nanoseconds: int) -> str:
    """ISO 8601 in UTC with microseconds, all that Python's clock knows."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def milliseconds(nanoseconds: int) -> float:
    """As people read durations."""
    return nanoseconds / 1_000_000

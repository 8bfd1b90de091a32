"""Traces, log lines and items as JSON has them, wherever they are told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from bootstrap.collector.asking.questions import Arrival, Expected, Latency, LatencyColumn, Room
from bootstrap.collector.telemetry.ids import to_xray
from bootstrap.collector.telemetry.records import Item, LogLine, Span, Trace, TraceSummary
from bootstrap.collector.telemetry.segments import assemble

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_View = TypeVar("_View")


def summary_view(summary: TraceSummary) -> dict[str, Any]:
    """A trace in a list."""
    return {
        "trace_id": summary.trace_id,
        "xray_trace_id": to_xray(summary.trace_id),
        "services": summary.services,
        "name": summary.name,
        "start": iso(summary.start_ns),
        "duration_ms": optional(milliseconds, summary.duration_ns),
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


def latency_view(found: Latency) -> dict[str, Any]:
    """The heatmap."""
    return {
        "start": iso(found.start_ns),
        "end": iso(found.end_ns),
        "column_ms": milliseconds(found.column_ns),
        "columns": [
            {
                "start": iso(column.start_ns),
                "count": column.count,
                "errors": column.errors,
                **_percentiles(column),
            }
            for column in found.columns
        ],
        "edges_ms": [milliseconds(edge) for edge in found.edges_ns],
        "cells": found.cells,
        "count": found.count,
        **_percentiles(found),
        "partial": found.partial,
    }


def _percentiles(found: Latency | LatencyColumn) -> dict[str, float | None]:
    values = {"p50_ms": found.p50_ns, "p90_ms": found.p90_ns, "p99_ms": found.p99_ns}
    return {name: optional(milliseconds, value) for name, value in values.items()}


def overview_view(
    *,
    arrivals: Sequence[Arrival],
    expected: Sequence[Expected],
    received: dict[str, dict[str, int]],
    room: Room,
) -> dict[str, Any]:
    """What arrived from whom, what was to be, and what was taken and refused since the start."""
    return {
        "arrivals": [
            {
                "service": arrival.service,
                "vendor": arrival.vendor,
                "first": iso(arrival.first_ns),
                "last": iso(arrival.last_ns),
                "count": arrival.count,
            }
            for arrival in arrivals
        ],
        "expected": expected,
        "received": received,
        "store": {"bytes": room.bytes, "limit": room.limit, "oldest": optional(iso, room.oldest_ns)},
    }


def optional(view: Callable[[int], _View], nanoseconds: int | None) -> _View | None:
    """None where there is none."""
    return None if nanoseconds is None else view(nanoseconds)


def iso(nanoseconds: int) -> str:
    """ISO 8601 in UTC with microseconds, all that Python's clock knows."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 1_000:06}Z"


@lru_cache(maxsize=1_024)
def _second(seconds: int) -> str:
    """What is told at once mostly happened within a few seconds."""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def milliseconds(nanoseconds: int) -> float:
    """As people read durations."""
    return nanoseconds / 1_000_000

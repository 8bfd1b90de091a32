"""Reads traces: one whole, or in outline, as a page needs it that shows a few of many spans."""

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from bootstrap.collector.asking.evidence import of_trace
from bootstrap.collector.telemetry.records import Attributes, Item, LogLine, Scope, Segment, Span, Trace

READ_BYTES = 16 * 1024 * 1024
"""About what is read of one trace: of spans and segments, of lines and of items; the oldest of them."""
_MOST_SPANS = 50_000
"""Of an outline."""

# Rows are read where they lie, one after the other, rather than in the order of their ids: that takes half
# the time. The index tells just so what is a span: see layout.py.
_OPERATIONS = """
SELECT kind, body, resource, scope FROM operation
WHERE rowid IN (SELECT rowid FROM operation WHERE trace_id = ?) ORDER BY start_ns, id
"""
_OUTLINE = """
SELECT id, parent_id, service, name, start_ns, end_ns, error FROM operation
WHERE rowid IN (SELECT rowid FROM operation WHERE trace_id = ? AND (kind = 'span') = 1)
ORDER BY start_ns, id LIMIT ?
"""
_SEGMENTS = """
SELECT kind, body, resource, scope FROM operation
WHERE rowid IN (SELECT rowid FROM operation WHERE trace_id = ? AND (kind = 'span') = 0)
ORDER BY start_ns, id
"""
_SPANS = """
SELECT kind, body, resource, scope FROM operation
WHERE trace_id = ? AND id IN (SELECT value FROM json_each(?)) AND (kind = 'span') = 1
"""
_SHARED = "SELECT body FROM shared WHERE digest = ?"

_read_span = msgspec.json.Decoder(Span).decode
_read_segment = msgspec.json.Decoder(Segment).decode


class SpanOutline(NamedTuple):
    """What the table says of a span; the names are those of lists."""

    span_id: str
    parent_id: str | None
    service: str
    name: str
    start_ns: int
    end_ns: int
    error: int


class Outline(Struct, frozen=True):
    """A trace as `Trace` has it, but of its spans only what is needed to lay them out."""

    trace_id: str
    spans: list[SpanOutline]
    segments: list[Segment]
    truncated: bool = False
    lines: list[LogLine] = []
    items: list[Item] = []


def whole(connection: sqlite3.Connection, trace_id: str, limit: int = READ_BYTES) -> Trace | None:
    """A trace with everything in it, about `limit` bytes of each kind; None if there is none."""
    rows = connection.execute(_OPERATIONS, (trace_id,))
    spans, segments, truncated = _operations(connection, rows, limit)
    lines, items, more = of_trace(connection, trace_id, limit)
    if not (spans or segments or lines or items):
        return None
    return Trace(trace_id, spans, segments, truncated=truncated or more, lines=lines, items=items)


def outline(
    connection: sqlite3.Connection, trace_id: str, limit: int = READ_BYTES, most: int = _MOST_SPANS
) -> Outline | None:
    """The same in outline, with `most` spans."""
    spans = list(map(SpanOutline._make, connection.execute(_OUTLINE, (trace_id, most + 1))))
    _, segments, truncated = _operations(connection, connection.execute(_SEGMENTS, (trace_id,)), limit)
    lines, items, more = of_trace(connection, trace_id, limit)
    if not (spans or segments or lines or items):
        return None
    truncated = truncated or more or len(spans) > most
    return Outline(trace_id, spans[:most], segments, truncated=truncated, lines=lines, items=items)


def spans_of(
    connection: sqlite3.Connection, trace_id: str, span_ids: Iterable[str], limit: int = READ_BYTES
) -> list[Span]:
    """Some spans of a trace, about `limit` bytes of them."""
    ids = msgspec.json.encode(list(span_ids)).decode()
    rows = connection.execute(_SPANS, (trace_id, ids))
    return _operations(connection, rows, limit)[0]


def _operations(
    connection: sqlite3.Connection, rows: sqlite3.Cursor, limit: int
) -> tuple[list[Span], list[Segment], bool]:
    """Spans and segments, and whether there are more than about `limit` bytes of them."""
    spans: list[Span] = []
    segments: list[Segment] = []
    resources, scopes = _Shared(connection, Attributes), _Shared(connection, Scope)
    for kind, body, resource, scope in rows:
        limit -= len(body)
        if kind == "span":
            resource_size, resource_value = resources.get(resource)
            scope_size, scope_value = scopes.get(scope)
            limit -= resource_size + scope_size
            span = _read_span(body)
            # Nobody else has it yet; a changed copy of each takes longer than to read it.
            force_setattr(span, "resource", resource_value)
            force_setattr(span, "scope", scope_value)
            spans.append(span)
        else:
            segments.append(_read_segment(body))
        if limit < 0:
            return spans, segments, True
    return spans, segments, False


class _Shared:
    """What rows refer to, of one type, read and decoded once."""

    def __init__(self, connection: sqlite3.Connection, kind: Any) -> None:
        self._connection = connection
        self._kind = kind
        self._known: dict[bytes, tuple[int, Any]] = {}

    def get(self, digest: bytes) -> tuple[int, Any]:
        """Its size in bytes of JSON, and itself."""
        known = self._known.get(digest)
        if known is None:
            [body] = self._connection.execute(_SHARED, (digest,)).fetchone()
            known = self._known[digest] = (len(body), msgspec.json.decode(body, type=self._kind))
        return known

"""X-Ray documents: what a valid one is, and how those that were sent one by one form a tree.

The format: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from bootstrap.collector.telemetry.ids import parse_trace_id
from bootstrap.collector.telemetry.records import Segment

_Id = Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{16}\Z")]
# Letters and digits of any language, space, and few signs; some SDKs leave the others out, the service
# refuses them.
_NAME = r"\A[\w\s.:/%&#=+\\\-@]{1,200}\Z"
_Name = Annotated[str, Meta(pattern=_NAME)]
_Seconds = Annotated[float, Meta(ge=0, lt=9_000_000_000)]

MAX_DOCUMENT = 64 * 1024
"""Bytes of one document."""

_MAX_STREAMED_DEPTH = 64


class InvalidSegmentError(ValueError):
    """A document that X-Ray would not take either; the text says why."""


class Fault(NamedTuple):
    """Why X-Ray refuses a document, in its words: "segment", "InvalidName", and the id if it has one."""

    kind: str
    code: str
    segment_id: str | None


class _Part(Struct):
    """What segments and subsegments have in common; everything else is kept as it came."""

    name: _Name
    id: _Id
    start_time: _Seconds
    end_time: _Seconds | None = None
    in_progress: bool = False
    error: bool = False
    fault: bool = False
    throttle: bool = False
    annotations: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    http: dict[str, Any] | None = None
    subsegments: "list[_Part] | None" = None


class _Document(_Part):
    """A document of its own."""

    trace_id: str = ""
    parent_id: _Id | None = None
    type: Literal["subsegment"] | None = None


_read_document = msgspec.json.Decoder(_Document).decode
_read_json = msgspec.json.Decoder(dict[str, Any]).decode


def decode(text: bytes) -> Segment:
    """Read one document; raises InvalidSegmentError."""
    if len(text) > MAX_DOCUMENT:
        raise InvalidSegmentError(f"larger than {MAX_DOCUMENT} bytes")
    try:
        document = _read_document(text)
        content = _read_json(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSegmentError(str(error)) from error
    trace_id = parse_trace_id(document.trace_id) if document.trace_id.startswith("1-") else None
    if trace_id is None:
        raise InvalidSegmentError("trace_id is not of the form 1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx")
    if document.type and not document.parent_id:
        raise InvalidSegmentError("a subsegment without parent_id")
    return Segment(
        trace_id=trace_id,
        segment_id=document.id.lower(),
        parent_id=document.parent_id.lower() if document.parent_id else None,
        is_subsegment=document.type is not None,
        name=document.name,
        start_ns=_nanoseconds(document.start_time),
        end_ns=_end(document),
        error=document.error or document.fault or document.throttle,
        document=content,
    )


def explain(text: bytes) -> Fault:
    """Say what is wrong with a document that `decode` refuses: the first part that is missing or invalid.

    The service's codes are not written down; `ParseError` also stands for what it calls differently.
    """
    try:
        document = _read_json(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Fault("segment", "ParseError", None)
    kind = "subsegment" if document.get("type") == "subsegment" else "segment"
    trace_id = document.get("trace_id")
    has_trace = isinstance(trace_id, str) and trace_id[:2] == "1-" and bool(parse_trace_id(trace_id))
    parts = [(kind, document), *(("subsegment", part) for part in _below(document))]
    for of_kind, part in parts:
        checks = {"id": bool(_id(part)), "name": _is_name(part.get("name"))}
        if part is document:
            checks["trace_id"] = has_trace
        for key, right in checks.items():
            if not right:
                code = {"id": "Id", "name": "Name", "trace_id": "TraceId"}[key]
                return Fault(of_kind, f"Invalid{code}" if part.get(key) else f"Missing{code}", _id(part))
    return Fault(kind, "ParseError", _id(document))


def _below(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The subsegments inside a document, as far as they are any."""
    waiting = [document]
    while waiting:
        inner = waiting.pop().get("subsegments")
        found = [part for part in inner if isinstance(part, dict)] if isinstance(inner, list) else []
        yield from found
        waiting += found


def _id(part: dict[str, Any]) -> str | None:
    identity = part.get("id")
    return identity if isinstance(identity, str) and re.fullmatch("[0-9a-fA-F]{16}", identity) else None


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and re.search(_NAME, name) is not None


def _end(document: _Document) -> int | None:
    """The end of a document that has ended; X-Ray wants exactly one of end_time and in_progress."""
    if document.in_progress:
        return None
    if document.end_time is None:
        raise InvalidSegmentError("neither end_time nor in_progress")
    return max(_nanoseconds(document.end_time), _nanoseconds(document.start_time))


def _nanoseconds(seconds: float) -> int:
    """X-Ray's times are seconds since 1970 as a float, exact to a microsecond at best."""
    return round(seconds * 1_000_000) * 1_000


def assemble(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """The documents as sent, with subsegments that were sent by themselves put below their parents.

    One whose parent is not there (or is itself, or lies absurdly deep) stays at the top.
    """
    streamed: dict[str, list[dict[str, Any]]] = {}
    for segment in segments:
        if segment.is_subsegment and segment.parent_id:
            streamed.setdefault(segment.parent_id, []).append(segment.document)
    roots = [segment.document for segment in segments if not segment.is_subsegment]
    waiting = [(root, 0) for root in roots]
    while waiting:
        part, depth = waiting.pop()
        if depth < _MAX_STREAMED_DEPTH:
            _adopt(part, streamed.pop(str(part.get("id")).lower(), []))
        waiting += [(child, depth + 1) for child in part.get("subsegments") or []]
    return roots + [document for documents in streamed.values() for document in documents]


def _adopt(parent: dict[str, Any], children: list[dict[str, Any]]) -> None:
    """Put children below their parent; they replace what it said about them while they ran."""
    if children:
        theirs = {child.get("id") for child in children}
        own = [part for part in parent.get("subsegments") or [] if part.get("id") not in theirs]
        parent["subsegments"] = own + children

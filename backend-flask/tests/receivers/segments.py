"""What the X-Ray daemon and the service behind it take as a segment document."""

import json
import re
import time
from typing import Any

MAX_AGE = 30 * 24 * 3600  # seconds, by the time in the trace id
MAX_AHEAD = 300  # seconds

_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")
_ID = re.compile(r"[0-9a-f]{16}")
_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-[0-9a-f]{24}")
_ANNOTATION = re.compile(r"[A-Za-z0-9_]{1,500}")


class InvalidSegmentError(Exception):
    """The daemon or the service would throw this away."""


def read_datagram(datagram: bytes) -> dict[str, Any]:
    """Decode one datagram: a header line, then one segment, or a subsegment that travels alone.

    The limit of 64 KB needs no check: no datagram is larger.
    """
    header, newline, document = datagram.partition(b"\n")
    if not newline:
        raise InvalidSegmentError("no header line")
    _check_header(header)
    segment = _json(document, "document")
    _check_trace_id(segment.get("trace_id"))
    if "type" in segment and (segment["type"] != "subsegment" or "parent_id" not in segment):
        raise InvalidSegmentError("a type that is not subsegment, or no parent_id with it")
    _check(segment)
    return segment


def _check_header(header: bytes) -> None:
    fields = _json(header, "header")
    if str(fields.get("format")).lower() != "json" or fields.get("version") != 1:
        raise InvalidSegmentError("not format json, version 1")


def _check_trace_id(trace_id: Any) -> None:
    match = _TRACE_ID.fullmatch(trace_id) if isinstance(trace_id, str) else None
    if match is None:
        raise InvalidSegmentError("trace_id")
    age = time.time() - int(match[1], 16)
    if not -MAX_AHEAD <= age <= MAX_AGE:
        raise InvalidSegmentError("a trace_id of another time")


def _check(entity: dict[str, Any]) -> None:
    if not _matches(_NAME, entity.get("name")):
        raise InvalidSegmentError("name")
    for key in ("id", "parent_id") if "parent_id" in entity else ("id",):
        if not _matches(_ID, entity.get(key)):
            raise InvalidSegmentError(key)
    if not isinstance(entity.get("start_time"), int | float):
        raise InvalidSegmentError("start_time")
    if not entity.get("in_progress") and not isinstance(entity.get("end_time"), int | float):
        raise InvalidSegmentError("end_time")
    for key, value in entity.get("annotations", {}).items():
        if not _matches(_ANNOTATION, key) or not isinstance(value, str | int | float):
            raise InvalidSegmentError("annotations")
    for subsegment in entity.get("subsegments", ()):
        _check(subsegment)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _json(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidSegmentError(f"the {what} is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidSegmentError(f"the {what} is not an object")
    return value

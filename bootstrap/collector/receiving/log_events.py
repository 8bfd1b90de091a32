"""What PutLogEvents takes: the service's limits, and which events of a batch are kept.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from bootstrap.collector.telemetry.ids import parse_trace_id
from bootstrap.collector.telemetry.lenient_json import read_object
from bootstrap.collector.telemetry.records import LogLine

MAX_BATCH = 1_048_576
"""Bytes of a batch: of its messages in UTF-8, and `OVERHEAD` for each; no event is larger, either."""

MAX_EVENTS = 10_000

OVERHEAD = 26

_MILLISECOND = 1_000_000  # ns
_DAY = 24 * 60 * 60 * 1_000  # ms
_OLDEST, _NEWEST, _LONGEST = 14 * _DAY, 2 * 60 * 60 * 1_000, _DAY

# What the SDKs and their log correlation call it; the first is what backend-flask writes.
_TRACE_FIELDS = ("trace_id", "traceId", "otelTraceID")
_SERVICE_FIELDS = ("service", "service.name", "otelServiceName")


class InvalidEventsError(ValueError):
    """A batch that the service takes nothing of; the text says why."""


class Event(Struct):
    """One event of a batch, its time in milliseconds since 1970."""

    timestamp: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    message: Annotated[str, Meta(min_length=1)]


class Kept(NamedTuple):
    """The events to be stored, and as `rejectedLogEventsInfo` where the others are."""

    events: Sequence[Event]
    rejected: dict[str, int]


def choose(events: Sequence[Event], now_ns: int, retention_days: int | None) -> Kept:
    """Say which events the service would keep; InvalidEventsError if it would take none of the batch."""
    _check(events)
    now = now_ns // _MILLISECOND
    times = [event.timestamp for event in events]
    too_old = sum(time < now - _OLDEST for time in times)
    expired = 0 if retention_days is None else sum(time < now - retention_days * _DAY for time in times)
    end = sum(time <= now + _NEWEST for time in times)
    first = max(too_old, expired)
    if first < end and times[end - 1] - times[first] > _LONGEST:
        raise InvalidEventsError(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    rejected = {}
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired > too_old:
        rejected["expiredLogEventEndIndex"] = expired
    if end < len(events):
        rejected["tooNewLogEventStartIndex"] = end
    return Kept(events[first:end], rejected)


def _check(events: Sequence[Event]) -> None:
    total = before = 0
    for event in events:
        if event.timestamp < before:
            raise InvalidEventsError(
                "Log events in a single PutLogEvents request must be in chronological order."
            )
        before = event.timestamp
        size = len(event.message.encode(errors="replace")) + OVERHEAD
        if size > MAX_BATCH:
            raise InvalidEventsError(f"Log event too large: {size} bytes exceeds limit of {MAX_BATCH}")
        total += size
    if total > MAX_BATCH:
        raise InvalidEventsError(f"Upload too large: {total} bytes exceeds limit of {MAX_BATCH}")


def read_line(group: str, stream: str, event: Event, ingested_ns: int) -> LogLine:
    """A log line, and what it says about its trace and its service where it is a JSON object."""
    fields = read_object(event.message)
    return LogLine(
        group=group,
        stream=stream,
        time_ns=event.timestamp * _MILLISECOND,
        ingested_ns=ingested_ns,
        message=event.message,
        trace_id=parse_trace_id(_first_text(fields, _TRACE_FIELDS) or ""),
        service=_first_text(fields, _SERVICE_FIELDS),
        fields=fields,
    )


def _first_text(fields: dict[str, Any] | None, names: Sequence[str]) -> str | None:
    values = (fields.get(name) for name in names) if fields else ()
    return next((value for value in values if isinstance(value, str) and value), None)

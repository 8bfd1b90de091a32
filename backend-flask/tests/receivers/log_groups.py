"""Log groups and streams in memory, with the limits that CloudWatch Logs documents.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

MAX_BATCH = 1_048_576  # bytes: of the messages, and `OVERHEAD` for each
MAX_EVENTS = 10_000
# Bytes, `OVERHEAD` included. AWS has raised it to 1 MB, but not everywhere: the older limit is the safe one.
MAX_EVENT = 262_144
OVERHEAD = 26
HOUR = 3_600_000  # milliseconds, as all times here
OLDEST, NEWEST, MAX_SPAN = 14 * 24 * HOUR, 2 * HOUR, 24 * HOUR
RETENTIONS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731}
RETENTIONS |= {1096, 1827, 2192, 2557, 2922, 3288, 3653}

_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM_NAME = re.compile(r"[^:*]{1,512}")


class LogsError(Exception):
    """The service refuses; `kind` is the name of its error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class LogLine:
    """One event that was stored."""

    group: str
    stream: str
    timestamp: int
    message: str

    @property
    def fields(self) -> dict[str, Any]:
        """The message, if it is a JSON object."""
        fields: dict[str, Any] = json.loads(self.message)
        return fields


class LogGroups:
    """The groups of one account in one region; the events themselves are handed on, not stored."""

    def __init__(self, *names: str, region: str) -> None:
        self._region = region
        self._streams: dict[str, dict[str, int]] = {name: {} for name in names}
        self._retention: dict[str, int] = {}
        self._lock = threading.Lock()

    def count_streams(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do anything but `PutLogEvents`. Raises `LogsError`."""
        do = {
            "CreateLogGroup": self._create_log_group,
            "CreateLogStream": self._create_log_stream,
            "DescribeLogGroups": self._describe_log_groups,
            "DescribeLogStreams": self._describe_log_streams,
            "PutRetentionPolicy": self._put_retention_policy,
        }.get(operation)
        if do is None:
            raise LogsError("UnknownOperationException", operation)
        with self._lock:
            return do(body)

    def put_log_events(self, body: dict[str, Any]) -> tuple[list[LogLine], dict[str, Any]]:
        """Answer the events that are stored, and what the client hears. Raises `LogsError`."""
        group = _name(body, "logGroupName", _GROUP_NAME)
        stream = _name(body, "logStreamName", _STREAM_NAME)
        events = _events(body.get("logEvents"))
        with self._lock:
            if stream not in self._group(group):
                raise LogsError("ResourceNotFoundException", "The specified log stream does not exist.")
            first, last = _acceptable(events)
            self._streams[group][stream] += last - first
        rejected = {"tooOldLogEventEndIndex": first} if first else {}
        if last < len(events):
            rejected["tooNewLogEventStartIndex"] = last
        lines = [LogLine(group, stream, event["timestamp"], event["message"]) for event in events[first:last]]
        return lines, {"rejectedLogEventsInfo": rejected} if rejected else {}

    def _group(self, name: str) -> dict[str, int]:
        if name not in self._streams:
            raise LogsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._streams[name]

    def _create_log_group(self, body: dict[str, Any]) -> dict[str, Any]:
        name = _name(body, "logGroupName", _GROUP_NAME)
        if name in self._streams:
            raise LogsError("ResourceAlreadyExistsException", "The specified log group already exists")
        self._streams[name] = {}
        return {}

    def _create_log_stream(self, body: dict[str, Any]) -> dict[str, Any]:
        name = _name(body, "logStreamName", _STREAM_NAME)
        streams = self._group(_name(body, "logGroupName", _GROUP_NAME))
        if name in streams:
            raise LogsError("ResourceAlreadyExistsException", "The specified log stream already exists")
        streams[name] = 0
        return {}

    def _describe_log_groups(self, body: dict[str, Any]) -> dict[str, Any]:
        _check_limit(body)
        prefix = body.get("logGroupNamePrefix", "")
        groups = [
            {
                "logGroupName": name,
                "arn": f"arn:aws:logs:{self._region}:123456789012:log-group:{name}:*",
                **({"retentionInDays": self._retention[name]} if name in self._retention else {}),
            }
            for name in sorted(self._streams)
            if name.startswith(prefix)
        ]
        return {"logGroups": groups[: body.get("limit", 50)]}

    def _describe_log_streams(self, body: dict[str, Any]) -> dict[str, Any]:
        _check_limit(body)
        streams = self._group(_name(body, "logGroupName", _GROUP_NAME))
        prefix = body.get("logStreamNamePrefix", "")
        found = [{"logStreamName": name} for name in sorted(streams) if name.startswith(prefix)]
        return {"logStreams": found[: body.get("limit", 50)]}

    def _put_retention_policy(self, body: dict[str, Any]) -> dict[str, Any]:
        name, days = _name(body, "logGroupName", _GROUP_NAME), body.get("retentionInDays")
        self._group(name)
        if days not in RETENTIONS:
            raise _invalid(f"retentionInDays {days}")
        self._retention[name] = days
        return {}


def _events(events: Any) -> list[dict[str, Any]]:
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        raise _invalid(f"'logEvents' must have 1 to {MAX_EVENTS} members")
    total = before = 0
    for event in events:
        timestamp, size = _check_event(event)
        if timestamp < before:
            raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
        before = timestamp
        total += size
    if total > MAX_BATCH:
        raise _invalid(f"Upload too large: {total} bytes exceeds limit of {MAX_BATCH}")
    return events


def _check_event(event: Any) -> tuple[int, int]:
    """Answer the time and the size of one event."""
    match event:
        case {"timestamp": int(timestamp), "message": str(message)} if timestamp >= 0 and message:
            size = len(message.encode()) + OVERHEAD
        case _:
            raise _invalid("an event must have a timestamp and a message")
    if size > MAX_EVENT:
        raise _invalid(f"Log event too large: {size} bytes exceeds limit of {MAX_EVENT}")
    return timestamp, size


def _acceptable(events: list[dict[str, Any]]) -> tuple[int, int]:
    """Answer from where to where (exclusive) the events are neither too old nor too new."""
    now = int(time.time() * 1000)
    times = [event["timestamp"] for event in events]
    first = sum(timestamp < now - OLDEST for timestamp in times)
    last = sum(timestamp <= now + NEWEST for timestamp in times)
    if first < last and times[last - 1] - times[first] > MAX_SPAN:
        raise _invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    return first, last


def _check_limit(body: dict[str, Any]) -> None:
    limit = body.get("limit", 50)
    if type(limit) is not int or not 1 <= limit <= 50:
        raise _invalid(f"Value '{limit}' at 'limit'")


def _name(body: dict[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid(f"Value '{value}' at '{key}' failed to satisfy constraint: {pattern.pattern}")
    return value


def _invalid(message: str) -> LogsError:
    return LogsError("InvalidParameterException", message)

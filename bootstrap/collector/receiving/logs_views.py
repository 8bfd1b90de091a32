"""Log groups, streams and events as the CloudWatch Logs API has them, and the tokens of its event pages."""

import re

from bootstrap.collector.asking.evidence import Place
from bootstrap.collector.receiving.logs_protocol import MILLISECOND, Answer, bad_token
from bootstrap.collector.telemetry.records import MAX_TIME_NS, LogGroup, LogLine, StreamSummary

_ARN = "arn:aws:logs:local:000000000000:log-group:"
_EVENT_TOKEN = re.compile(r"([fb])/([0-9]{1,19})/([0-9]{1,19})", re.ASCII)


def group_view(group: LogGroup, size: int) -> Answer:
    """A group that holds so many bytes."""
    retention = {} if group.retention_days is None else {"retentionInDays": group.retention_days}
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ns // MILLISECOND,
        "metricFilterCount": 0,
        "arn": f"{_ARN}{group.name}:*",
        "logGroupArn": f"{_ARN}{group.name}",
        "logGroupClass": "STANDARD",
        "storedBytes": size,
        **retention,
    }


def stream_view(group: str, stream: StreamSummary) -> Answer:
    """A stream; the service has given up counting the bytes in each, and says zero."""
    times = {
        "creationTime": stream.created_ns,
        "firstEventTimestamp": stream.first_ns,
        "lastEventTimestamp": stream.last_ns,
        "lastIngestionTime": stream.ingested_ns,
    }
    return {
        "logStreamName": stream.name,
        **{name: value // MILLISECOND for name, value in times.items() if value is not None},
        "arn": f"{_ARN}{group}:log-stream:{stream.name}",
        "storedBytes": 0,
    }


def event_view(line: LogLine) -> Answer:
    """An event of a stream."""
    return {
        "timestamp": line.time_ns // MILLISECOND,
        "message": line.message,
        "ingestionTime": line.ingested_ns // MILLISECOND,
    }


def found_event_view(place: Place, line: LogLine) -> Answer:
    """An event that was looked for."""
    return {"logStreamName": line.stream, **event_view(line), "eventId": f"{place.number:056d}"}


def write_event_token(place: Place, *, ascending: bool) -> str:
    """A nextForwardToken or nextBackwardToken, which tell where to go on, and which way."""
    return f"{'f' if ascending else 'b'}/{max(0, place.time_ns)}/{place.number}"


def read_event_token(token: str) -> tuple[bool, Place]:
    """Which way, and from where; LogsError for a token that nobody was given."""
    found = _EVENT_TOKEN.fullmatch(token)
    place = Place(int(found[2]), int(found[3])) if found else None
    if found is None or place is None or max(place) > MAX_TIME_NS:
        raise bad_token()
    return found[1] == "f", place

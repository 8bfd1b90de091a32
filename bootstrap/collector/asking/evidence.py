"""What is read of log groups, lines and items: the SQL of those tables."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec

from bootstrap.collector.telemetry.lenient_json import read_object
from bootstrap.collector.telemetry.records import MAX_TIME_NS, Item, LogGroup, LogLine, StreamSummary

LINE = "SELECT number, group_name, stream_name, time_ns, ingested_ns, trace_id, service, structured, message"
ITEM = "SELECT number, uuid, trace_id, service, level, title, environment, time_ns, body"

_OF_TRACE = "WHERE trace_id = ? ORDER BY time_ns, number"

_GROUPS = """
SELECT name, created_ns, retention_days FROM log_group
WHERE name > :after AND substr(name, 1, length(:prefix)) = :prefix AND instr(name, :part)
ORDER BY name LIMIT :limit
"""

_STREAMS = """
SELECT name, created_ns, min(time_ns), max(time_ns), max(ingested_ns)
FROM log_stream LEFT JOIN log_line ON log_line.group_name = log_stream.group_name AND stream_name = name
WHERE log_stream.group_name = :group AND substr(name, 1, length(:prefix)) = :prefix
GROUP BY name ORDER BY name
"""

_EVENTS = """
WHERE group_name = :group AND time_ns >= :start AND time_ns < :end
    AND (:streams IS NULL OR stream_name IN (SELECT value FROM json_each(:streams)))
    AND substr(stream_name, 1, length(:prefix)) = :prefix
"""
_OLDEST_FIRST = "AND (time_ns, number) > (:time, :number) ORDER BY time_ns, number"
_NEWEST_FIRST = "AND (time_ns, number) < (:time, :number) ORDER BY time_ns DESC, number DESC"

# As the service counts what it is sent.
_SIZE = """
SELECT coalesce(sum(length(CAST(message AS BLOB)) + 26), 0) FROM log_line WHERE group_name = ?
"""


class Place(NamedTuple):
    """Where a line stands among those of its group: by its time, then in the order of arrival."""

    time_ns: int = -1
    number: int = 0


LAST = Place(MAX_TIME_NS, MAX_TIME_NS)
"""After every line."""


class Wanted(NamedTuple):
    """The lines of a group: of some streams, or whose names begin with `prefix`, of a stretch of time."""

    group: str
    streams: list[str] | None = None
    prefix: str = ""
    start_ns: int = 0
    end_ns: int = MAX_TIME_NS


class Evidence:
    """Reads log groups, lines and items; any thread may."""

    def __init__(self, connect: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._connect = connect

    def group(self, name: str) -> LogGroup | None:
        """The log group of this name."""
        with self._connect() as connection:
            query = "SELECT name, created_ns, retention_days FROM log_group WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else LogGroup(*row)

    def has_stream(self, group: str, name: str) -> bool:
        """Whether there is such a stream."""
        with self._connect() as connection:
            query = "SELECT 1 FROM log_stream WHERE group_name = ? AND name = ?"
            return connection.execute(query, (group, name)).fetchone() is not None

    def groups(self, *, prefix: str, part: str, after: str, limit: int) -> list[LogGroup]:
        """The groups whose names begin with `prefix`, hold `part` and come after `after`, by name."""
        wanted = {"prefix": prefix, "part": part, "after": after, "limit": limit}
        with self._connect() as connection:
            return [LogGroup(*row) for row in connection.execute(_GROUPS, wanted)]

    def streams(self, group: str, prefix: str) -> list[StreamSummary]:
        """The streams of a group whose names begin with `prefix`, by name."""
        with self._connect() as connection:
            found = connection.execute(_STREAMS, {"group": group, "prefix": prefix})
            return [StreamSummary(*row) for row in found]

    def size(self, group: str) -> int:
        """How many bytes the lines of a group take; looks at all of them."""
        with self._connect() as connection:
            size: int = connection.execute(_SIZE, (group,)).fetchone()[0]
        return size

    def events(
        self, wanted: Wanted, place: Place, *, ascending: bool = True
    ) -> Generator[tuple[Place, LogLine], None, None]:
        """Lines, oldest first after a place, or newest first before it."""
        values = {
            "group": wanted.group,
            "streams": None if wanted.streams is None else msgspec.json.encode(wanted.streams).decode(),
            "prefix": wanted.prefix,
            "start": wanted.start_ns,
            "end": wanted.end_ns,
            "time": place.time_ns,
            "number": place.number,
        }
        query = f"{LINE} FROM log_line {_EVENTS} {_OLDEST_FIRST if ascending else _NEWEST_FIRST}"
        with self._connect() as connection:
            for row in connection.execute(query, values):
                yield Place(row[3], row[0]), read_line(row)


def of_trace(
    connection: sqlite3.Connection, trace_id: str, limit: int
) -> tuple[list[LogLine], list[Item], bool]:
    """The lines and the items of a trace, oldest first, `limit` bytes of either; whether there are more."""
    lines, more_lines = _bounded(
        connection.execute(f"{LINE} FROM log_line {_OF_TRACE}", (trace_id,)), limit, read_line
    )
    items, more_items = _bounded(
        connection.execute(f"{ITEM} FROM item {_OF_TRACE}", (trace_id,)), limit, read_item
    )
    return lines, items, more_lines or more_items


def _bounded(rows: sqlite3.Cursor, limit: int, read: Callable[[Any], Any]) -> tuple[list[Any], bool]:
    found: list[Any] = []
    for row in rows:
        found.append(read(row))
        limit -= len(row[-1])
        if limit < 0:
            return found, True
    return found, False


def read_line(row: Any) -> LogLine:
    """A row of LINE's."""
    _, group, stream, time_ns, ingested_ns, trace_id, service, structured, message = row
    return LogLine(
        group=group,
        stream=stream,
        time_ns=time_ns,
        ingested_ns=ingested_ns,
        message=message,
        trace_id=trace_id,
        service=service,
        fields=read_object(message) if structured else None,
    )


def read_item(row: Any) -> Item:
    """A row of ITEM's."""
    _, own, trace_id, service, level, title, environment, time_ns, body = row
    return Item(
        uuid=own,
        trace_id=trace_id,
        service=service,
        level=level,
        title=title,
        environment=environment,
        time_ns=time_ns,
        data=msgspec.json.decode(body, type=dict[str, Any]),
    )

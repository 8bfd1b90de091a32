"""What is read of log groups, lines and items: the SQL of those tables."""

import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec

from bootstrap.collector.lenient_json import read_object
from bootstrap.collector.records import Item, LogGroup, LogLine, StreamSummary

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
WHERE group_name = :group AND time_ns >= :start AND time_ns < :end AND (time_ns, number) > (:time, :number)
    AND (:streams IS NULL OR stream_name IN (SELECT value FROM json_each(:streams)))
    AND substr(stream_name, 1, length(:prefix)) = :prefix
ORDER BY time_ns, number
"""


class Place(NamedTuple):
    """Where a line stands among those of its group: by its time, then in the order of arrival."""

    time_ns: int = -1
    number: int = 0


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

    def events(
        self,
        group: str,
        *,
        streams: Sequence[str] | None,
        prefix: str,
        start_ns: int,
        end_ns: int,
        after: Place,
    ) -> Generator[tuple[Place, LogLine], None, None]:
        """The lines of a group after a place, oldest first, from `start_ns` to before `end_ns`."""
        wanted = {
            "group": group,
            "streams": None if streams is None else msgspec.json.encode(list(streams)).decode(),
            "prefix": prefix,
            "start": start_ns,
            "end": end_ns,
            "time": after.time_ns,
            "number": after.number,
        }
        with self._connect() as connection:
            for row in connection.execute(f"{LINE} FROM log_line {_EVENTS}", wanted):
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

"""The operations of the CloudWatch Logs API that list groups and streams, and find events again."""

import hmac
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bootstrap.collector.asking.evidence import LAST, Place, Wanted
from bootstrap.collector.receiving.filter_patterns import InvalidPatternError, Matches, compile_pattern
from bootstrap.collector.receiving.logs_protocol import (
    MILLISECOND,
    Answer,
    Desk,
    GroupName,
    LogsError,
    Milliseconds,
    Operation,
    PlaceNumber,
    Prefix,
    StreamName,
    from_token,
    invalid,
    no_such_stream,
    token,
)
from bootstrap.collector.receiving.logs_views import (
    event_view,
    found_event_view,
    group_view,
    read_event_token,
    stream_view,
    write_event_token,
)
from bootstrap.collector.telemetry.records import MAX_TIME_NS, LogLine

_SCANNED_LINES = 10_000  # in one page of FilterLogEvents; fewer than that may be found among them
_PAGE_BYTES = 1024 * 1024
_COUNTED_AGAIN_SECONDS = 600.0  # the service takes hours
_MOST_COUNTED = 1_000

_Limit = Annotated[int, Meta(ge=1, le=50)]
_EventLimit = Annotated[int, Meta(ge=1, le=10_000)]


class _DescribeLogGroups(Struct, rename="camel"):
    log_group_name_prefix: Prefix | None = None
    log_group_name_pattern: Prefix | None = None
    limit: _Limit = 50
    next_token: str | None = None


class _DescribeLogStreams(Struct, rename="camel"):
    log_group_name: GroupName | None = None
    log_group_identifier: str | None = None
    log_stream_name_prefix: Prefix | None = None
    order_by: Literal["LogStreamName", "LastEventTime"] = "LogStreamName"
    descending: bool = False
    limit: _Limit = 50
    next_token: str | None = None


class _FilterLogEvents(Struct, rename="camel"):
    log_group_name: GroupName | None = None
    log_group_identifier: str | None = None
    log_stream_names: Annotated[list[StreamName], Meta(min_length=1, max_length=100)] | None = None
    log_stream_name_prefix: Prefix | None = None
    start_time: Milliseconds = 0
    end_time: Milliseconds | None = None
    filter_pattern: Annotated[str, Meta(max_length=1024)] = ""
    next_token: str | None = None
    limit: _EventLimit = 10_000
    start_from_head: bool = True


class _GetLogEvents(Struct, rename="camel"):
    log_stream_name: StreamName
    log_group_name: GroupName | None = None
    log_group_identifier: str | None = None
    start_time: Milliseconds = 0
    end_time: Milliseconds | None = None
    next_token: Annotated[str, Meta(min_length=1)] | None = None
    limit: _EventLimit = 10_000
    start_from_head: bool = False


class Reading:
    """Lists for everybody, and lines for whoever knows the collector's `key`.

    SDKs send it as the session token of their keys (AWS_SESSION_TOKEN): every service comes to one address.
    """

    def __init__(self, desk: Desk, key: str) -> None:
        self._desk = desk
        self._key = key.encode()
        # How many bytes a group holds, and when that was counted.
        self._counted: dict[str, tuple[int, float]] = {}

    def operations(self) -> dict[str, Operation]:
        """By the service's names."""
        return {
            "DescribeLogGroups": self._describe_log_groups,
            "DescribeLogStreams": self._describe_log_streams,
            "FilterLogEvents": self._filter_log_events,
            "GetLogEvents": self._get_log_events,
        }

    async def _describe_log_groups(self, request: Request) -> Answer:
        asked = await self._desk.read(request, _DescribeLogGroups)
        if asked.log_group_name_prefix is not None and asked.log_group_name_pattern is not None:
            raise invalid("LogGroup name prefix and LogGroup name pattern are exclusive.")
        found = await run_in_threadpool(
            self._desk.evidence.groups,
            prefix=asked.log_group_name_prefix or "",
            part=asked.log_group_name_pattern or "",
            after=from_token(asked.next_token, str) or "",
            limit=asked.limit + 1,
        )
        page = found[: asked.limit]
        sizes = await run_in_threadpool(lambda: [self._size(group.name) for group in page])
        more = {"nextToken": token(page[-1].name)} if len(found) > len(page) else {}
        views = [group_view(group, size) for group, size in zip(page, sizes, strict=True)]
        return {"logGroups": views, **more}

    def _size(self, group: str) -> int:
        size, counted = self._counted.get(group, (0, -_COUNTED_AGAIN_SECONDS))
        now = time.monotonic()
        if now - counted >= _COUNTED_AGAIN_SECONDS:
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            size = self._desk.evidence.size(group)
            self._counted[group] = (size, now)
        return size

    async def _describe_log_streams(self, request: Request) -> Answer:
        asked = await self._desk.read(request, _DescribeLogStreams)
        by_time = asked.order_by == "LastEventTime"
        if by_time and asked.log_stream_name_prefix:
            raise invalid("Cannot order by LastEventTime with a prefix.")
        group = await self._desk.named(asked.log_group_name, asked.log_group_identifier)
        streams = await run_in_threadpool(
            self._desk.evidence.streams, group.name, asked.log_stream_name_prefix or ""
        )
        streams.sort(key=lambda stream: (stream.last_ns or 0 if by_time else 0, stream.name))
        if asked.descending:
            streams.reverse()
        start = from_token(asked.next_token, PlaceNumber) or 0
        page = streams[start : start + asked.limit]
        more = {"nextToken": token(start + len(page))} if start + len(page) < len(streams) else {}
        return {"logStreams": [stream_view(group.name, stream) for stream in page], **more}

    async def _filter_log_events(self, request: Request) -> Answer:
        self._check_key(request)
        asked = await self._desk.read(request, _FilterLogEvents)
        if asked.log_stream_names is not None and asked.log_stream_name_prefix is not None:
            raise invalid("logStreamNames and logStreamNamePrefix are exclusive.")
        try:
            matches = compile_pattern(asked.filter_pattern)
        except InvalidPatternError as error:
            raise invalid(str(error)) from error
        group = await self._desk.named(asked.log_group_name, asked.log_group_identifier)
        names = asked.log_stream_names
        # The service's end is inclusive here, and its clock ticks in milliseconds.
        wanted = Wanted(
            group.name,
            streams=names and [self._desk.masked(name) for name in names],
            prefix=self._desk.masked(asked.log_stream_name_prefix or ""),
            start_ns=_nanoseconds(asked.start_time),
            end_ns=MAX_TIME_NS if asked.end_time is None else _nanoseconds(asked.end_time + 1),
        )
        return await run_in_threadpool(self._filter, wanted, matches, asked)

    def _filter(self, wanted: Wanted, matches: Matches, asked: _FilterLogEvents) -> Answer:
        """One page: so many events, so many bytes, or so many lines that were looked at."""
        place = Place() if asked.start_from_head else LAST
        ascending = asked.start_from_head
        if given := from_token(asked.next_token, tuple[PlaceNumber, PlaceNumber, bool]):
            *numbers, ascending = given
            place = Place(*numbers)
        events: list[Answer] = []
        size = 0
        with closing(self._desk.evidence.events(wanted, place, ascending=ascending)) as lines:
            for looked_at, (at, line) in enumerate(lines, start=1):
                if matches(line):
                    events.append(found_event_view(at, line))
                    size += len(line.message)
                if len(events) == asked.limit or size > _PAGE_BYTES or looked_at == _SCANNED_LINES:
                    more = token((*at, ascending))
                    return {"events": events, "searchedLogStreams": [], "nextToken": more}
        return {"events": events, "searchedLogStreams": []}

    async def _get_log_events(self, request: Request) -> Answer:
        self._check_key(request)
        asked = await self._desk.read(request, _GetLogEvents)
        group = await self._desk.named(asked.log_group_name, asked.log_group_identifier)
        stream = self._desk.masked(asked.log_stream_name)
        if not await self._desk.has_stream(group.name, stream):
            raise no_such_stream()
        wanted = Wanted(
            group.name,
            streams=[stream],
            start_ns=_nanoseconds(asked.start_time),
            end_ns=MAX_TIME_NS if asked.end_time is None else _nanoseconds(asked.end_time),
        )
        return await run_in_threadpool(self._get, wanted, asked)

    def _get(self, wanted: Wanted, asked: _GetLogEvents) -> Answer:
        """One page, oldest first whichever way it was reached; at an end the token stays the same."""
        if asked.next_token is None:
            ascending, place = asked.start_from_head, Place() if asked.start_from_head else LAST
        else:
            ascending, place = read_event_token(asked.next_token)
        found: list[tuple[Place, LogLine]] = []
        with closing(self._desk.evidence.events(wanted, place, ascending=ascending)) as lines:
            found.extend(_page(lines, asked.limit))
        if not ascending:
            found.reverse()
        # What comes into an empty stream later is ahead of it.
        nowhere = Place() if place == LAST else place
        first, last = (found[0][0], found[-1][0]) if found else (nowhere, nowhere)
        return {
            "events": [event_view(line) for _, line in found],
            "nextForwardToken": write_event_token(last, ascending=True),
            "nextBackwardToken": write_event_token(first, ascending=False),
        }

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("x-amz-security-token", "")
        if not hmac.compare_digest(given.encode(), self._key):
            raise LogsError(
                "AccessDeniedException", "Lines are read with the collector's token as AWS_SESSION_TOKEN."
            )


def _page(lines: Iterator[tuple[Place, LogLine]], limit: int) -> Iterator[tuple[Place, LogLine]]:
    """So many of the lines, or so many bytes."""
    size = 0
    for count, found in enumerate(lines, start=1):
        yield found
        size += len(found[1].message)
        if count == limit or size > _PAGE_BYTES:
            return


def _nanoseconds(milliseconds: int) -> int:
    return min(milliseconds * MILLISECOND, MAX_TIME_NS)

"""The receiver of the CloudWatch Logs API: AWS's JSON 1.1 protocol, answered and refused as the service does.

An operation is POST / with its name in X-Amz-Target
(https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html); an error is 400 with `__type` and `message`.
Signatures are not looked at: whoever reaches the port may send. Masked values are masked in names, too, so a
group or stream is looked for by its masked name.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bootstrap.collector import lenient_json
from bootstrap.collector.bodies import MAX_BODY, BodyError
from bootstrap.collector.evidence import Place
from bootstrap.collector.filter_patterns import InvalidPatternError, compile_pattern
from bootstrap.collector.intake import Intake
from bootstrap.collector.limits import TooMuchError
from bootstrap.collector.log_events import MAX_EVENTS, Event, InvalidEventsError, choose, read_line
from bootstrap.collector.records import MAX_TIME_NS, LogGroup, LogLine, LogStream, Record, StreamSummary
from bootstrap.collector.reporting import Tally
from bootstrap.collector.rows import Batch
from bootstrap.collector.store import Store, StoreFullError
from bootstrap.collector.writer import Writer

_MEDIA_TYPE = "application/x-amz-json-1.1"
_TARGET = "Logs_20140328."
_MILLISECOND = 1_000_000  # ns
_ARN = "arn:aws:logs:local:000000000000:log-group:"
_SCANNED_LINES = 10_000  # in one page of FilterLogEvents; fewer than that may be found among them
_PAGE_BYTES = 1024 * 1024

_GroupName = Annotated[str, Meta(pattern=r"\A[.\-_/#A-Za-z0-9]{1,512}\Z")]
_StreamName = Annotated[str, Meta(pattern=r"\A[^:*]{1,512}\Z")]
_Prefix = Annotated[str, Meta(max_length=512)]
_Limit = Annotated[int, Meta(ge=1, le=50)]
_Place = Annotated[int, Meta(ge=0, le=MAX_TIME_NS)]
_Milliseconds = Annotated[int, Meta(ge=0)]
_Days = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


class LogsError(Exception):
    """The service refuses; `kind` is the name of its error."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


class _CreateLogGroup(Struct, rename="camel"):
    log_group_name: _GroupName


class _CreateLogStream(Struct, rename="camel"):
    log_group_name: _GroupName
    log_stream_name: _StreamName


class _DescribeLogGroups(Struct, rename="camel"):
    log_group_name_prefix: _Prefix | None = None
    log_group_name_pattern: _Prefix | None = None
    limit: _Limit = 50
    next_token: str | None = None


class _DescribeLogStreams(Struct, rename="camel"):
    log_group_name: _GroupName | None = None
    log_group_identifier: str | None = None
    log_stream_name_prefix: _Prefix | None = None
    order_by: Literal["LogStreamName", "LastEventTime"] = "LogStreamName"
    descending: bool = False
    limit: _Limit = 50
    next_token: str | None = None


class _PutRetentionPolicy(Struct, rename="camel"):
    log_group_name: _GroupName
    retention_in_days: _Days


class _PutLogEvents(Struct, rename="camel"):
    log_group_name: _GroupName
    log_stream_name: _StreamName
    log_events: Annotated[list[Event], Meta(min_length=1, max_length=MAX_EVENTS)]


class _FilterLogEvents(Struct, rename="camel"):
    log_group_name: _GroupName | None = None
    log_group_identifier: str | None = None
    log_stream_names: Annotated[list[_StreamName], Meta(min_length=1, max_length=100)] | None = None
    log_stream_name_prefix: _Prefix | None = None
    start_time: _Milliseconds = 0
    end_time: _Milliseconds | None = None
    filter_pattern: Annotated[str, Meta(max_length=1024)] = ""
    next_token: str | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000


_Asked = TypeVar("_Asked")
_Answer = dict[str, Any]
_Operation = Callable[[Request], Awaitable[_Answer]]


class CloudWatchReceiver:
    """Takes log events into groups and streams that exist, and finds them again.

    Whoever sends needs no key. Lines are for whoever knows the collector's `token`, which SDKs send as the
    session token of their keys (AWS_SESSION_TOKEN): every service comes to the same address.
    """

    def __init__(self, writer: Writer, tally: Tally, store: Store, token: str) -> None:
        self._token = token.encode()
        self._writer = writer
        self._tally = tally
        self._evidence = store.evidence
        self._intake = Intake(2 * MAX_BODY)
        # What is looked for is still missing when it is made, however many ask at once.
        self._making = asyncio.Lock()
        self._operations: dict[str, _Operation] = {
            "CreateLogGroup": self._create_log_group,
            "CreateLogStream": self._create_log_stream,
            "DescribeLogGroups": self._describe_log_groups,
            "DescribeLogStreams": self._describe_log_streams,
            "PutRetentionPolicy": self._put_retention_policy,
            "PutLogEvents": self._put_log_events,
            "FilterLogEvents": self._filter_log_events,
        }

    def routes(self) -> list[Route]:
        """What the receiver answers to."""
        return [Route("/", self.call, methods=["POST"])]

    async def call(self, request: Request) -> Response:
        """Carry out one operation."""
        try:
            return _response(200, await self._carry_out(request))
        except LogsError as error:
            message = self._writer.masker.text(str(error))
            return _response(error.status, {"__type": error.kind, "message": message})

    async def _carry_out(self, request: Request) -> _Answer:
        target = request.headers.get("x-amz-target", "")
        operation = self._operations.get(target.removeprefix(_TARGET)) if target.startswith(_TARGET) else None
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if operation is None or media_type != _MEDIA_TYPE:
            self._tally.add("cloudwatch", "invalid")
            raise LogsError("UnknownOperationException", "The collector does not know this operation.")
        try:
            return await operation(request)
        except BodyError as error:
            busy = error.status == 503  # noqa: PLR2004 - HTTP's number for it
            kind = "ServiceUnavailableException" if busy else "InvalidParameterException"
            raise LogsError(kind, error.reason, error.status) from error
        except TooMuchError as error:
            raise LogsError("InvalidParameterException", str(error)) from error
        except StoreFullError as error:
            # Final: clients try again what is unavailable.
            raise LogsError("LimitExceededException", "The telemetry store is full.") from error
        except OSError as error:
            raise LogsError("ServiceUnavailableException", "It could not be stored.", 503) from error

    async def _read(self, request: Request, kind: type[_Asked]) -> _Asked:
        return await self._intake.take(request, lambda body: self._decode(body, kind))

    def _decode(self, body: bytes, kind: type[_Asked]) -> _Asked:
        try:
            return lenient_json.decode(body, kind)
        except msgspec.ValidationError as error:
            self._tally.add("cloudwatch", "invalid")
            raise LogsError("InvalidParameterException", f"1 validation error detected: {error}") from error
        except msgspec.DecodeError as error:
            self._tally.add("cloudwatch", "invalid")
            raise LogsError("SerializationException", "The body is not JSON.") from error

    async def _create_log_group(self, request: Request) -> _Answer:
        name = self._masked((await self._read(request, _CreateLogGroup)).log_group_name)
        async with self._making:
            if await run_in_threadpool(self._evidence.group, name):
                raise LogsError("ResourceAlreadyExistsException", "The specified log group already exists")
            await self._store(LogGroup(name, time.time_ns()))
        return {}

    async def _create_log_stream(self, request: Request) -> _Answer:
        asked = await self._read(request, _CreateLogStream)
        group, name = self._masked(asked.log_group_name), self._masked(asked.log_stream_name)
        async with self._making:
            await self._group(group)
            if await run_in_threadpool(self._evidence.has_stream, group, name):
                raise LogsError("ResourceAlreadyExistsException", "The specified log stream already exists")
            await self._store(LogStream(group, name, time.time_ns()))
        return {}

    async def _put_retention_policy(self, request: Request) -> _Answer:
        asked = await self._read(request, _PutRetentionPolicy)
        group = await self._group(self._masked(asked.log_group_name))
        await self._store(replace(group, retention_days=asked.retention_in_days))
        return {}

    async def _describe_log_groups(self, request: Request) -> _Answer:
        asked = await self._read(request, _DescribeLogGroups)
        if asked.log_group_name_prefix is not None and asked.log_group_name_pattern is not None:
            raise LogsError(
                "InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are exclusive."
            )
        found = await run_in_threadpool(
            self._evidence.groups,
            prefix=asked.log_group_name_prefix or "",
            part=asked.log_group_name_pattern or "",
            after=_from_token(asked.next_token, str) or "",
            limit=asked.limit + 1,
        )
        page = found[: asked.limit]
        more = {"nextToken": _token(page[-1].name)} if len(found) > len(page) else {}
        return {"logGroups": [_group_view(group) for group in page], **more}

    async def _describe_log_streams(self, request: Request) -> _Answer:
        asked = await self._read(request, _DescribeLogStreams)
        by_time = asked.order_by == "LastEventTime"
        if by_time and asked.log_stream_name_prefix:
            raise LogsError("InvalidParameterException", "Cannot order by LastEventTime with a prefix.")
        group = await self._named(asked.log_group_name, asked.log_group_identifier)
        streams = await run_in_threadpool(
            self._evidence.streams, group.name, asked.log_stream_name_prefix or ""
        )
        streams.sort(key=lambda stream: (stream.last_ns or 0 if by_time else 0, stream.name))
        if asked.descending:
            streams.reverse()
        start = _from_token(asked.next_token, _Place) or 0
        page = streams[start : start + asked.limit]
        more = {"nextToken": _token(start + len(page))} if start + len(page) < len(streams) else {}
        return {"logStreams": [_stream_view(group.name, stream) for stream in page], **more}

    async def _put_log_events(self, request: Request) -> _Answer:
        asked = await self._read(request, _PutLogEvents)
        name, stream = self._masked(asked.log_group_name), self._masked(asked.log_stream_name)
        group = await self._group(name)
        if not await run_in_threadpool(self._evidence.has_stream, name, stream):
            raise LogsError("ResourceNotFoundException", "The specified log stream does not exist.")
        now = time.time_ns()
        try:
            kept = choose(asked.log_events, now, group.retention_days)
        except InvalidEventsError as error:
            self._tally.add("cloudwatch", "invalid")
            raise LogsError("InvalidParameterException", str(error)) from error
        stored = await run_in_threadpool(
            lambda: self._submit(read_line(name, stream, event, now) for event in kept.events)
        )
        try:
            await asyncio.wrap_future(stored)
        except OSError:
            self._tally.add("cloudwatch", "lost", len(kept.events))
            raise
        self._tally.add("cloudwatch", "stored", len(kept.events))
        if len(kept.events) == len(asked.log_events):
            return {}
        self._tally.add("cloudwatch", "rejected", len(asked.log_events) - len(kept.events))
        return {"rejectedLogEventsInfo": kept.rejected}

    async def _filter_log_events(self, request: Request) -> _Answer:
        given = request.headers.get("x-amz-security-token", "")
        if not hmac.compare_digest(given.encode(), self._token):
            raise LogsError(
                "AccessDeniedException", "Lines are read with the collector's token as AWS_SESSION_TOKEN."
            )
        asked = await self._read(request, _FilterLogEvents)
        if asked.log_stream_names is not None and asked.log_stream_name_prefix is not None:
            raise LogsError(
                "InvalidParameterException", "logStreamNames and logStreamNamePrefix are exclusive."
            )
        group = await self._named(asked.log_group_name, asked.log_group_identifier)
        return await run_in_threadpool(self._filter, asked, group.name)

    def _filter(self, asked: _FilterLogEvents, group: str) -> _Answer:
        """One page: so many events, so many bytes, or so many lines that were looked at."""
        try:
            matches = compile_pattern(asked.filter_pattern)
        except InvalidPatternError as error:
            raise LogsError("InvalidParameterException", str(error)) from error
        after = _from_token(asked.next_token, tuple[_Place, _Place])
        names = asked.log_stream_names
        # The service's end is inclusive, and its clock ticks in milliseconds.
        end_ns = MAX_TIME_NS if asked.end_time is None else (asked.end_time + 1) * _MILLISECOND
        lines = self._evidence.events(
            group,
            streams=names and [self._masked(name) for name in names],
            prefix=self._masked(asked.log_stream_name_prefix or ""),
            start_ns=min(asked.start_time * _MILLISECOND, MAX_TIME_NS),
            end_ns=min(end_ns, MAX_TIME_NS),
            after=Place(*after) if after else Place(),
        )
        events: list[_Answer] = []
        size = 0
        with contextlib.closing(lines):
            for looked_at, (place, line) in enumerate(lines, start=1):
                if matches(line):
                    events.append(_event_view(place, line))
                    size += len(line.message)
                if len(events) == asked.limit or size > _PAGE_BYTES or looked_at == _SCANNED_LINES:
                    return {"events": events, "searchedLogStreams": [], "nextToken": _token(place)}
        return {"events": events, "searchedLogStreams": []}

    async def _named(self, name: str | None, identifier: str | None) -> LogGroup:
        """The group that a name or an ARN names."""
        if (name is None) == (identifier is None):
            raise LogsError(
                "InvalidParameterException", "Exactly one of logGroupName and logGroupIdentifier is wanted."
            )
        return await self._group(self._masked(name or (identifier or "").rpartition(":log-group:")[2]))

    async def _group(self, name: str) -> LogGroup:
        group = await run_in_threadpool(self._evidence.group, name)
        if group is None:
            raise LogsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    async def _store(self, record: Record) -> None:
        batch = self._writer.batch()
        batch.add(record)
        await asyncio.wrap_future(await run_in_threadpool(self._writer.submit, batch))

    def _submit(self, lines: Any) -> Future[None]:
        batch = self._writer.batch()
        for line in lines:
            _add(batch, line)
        return self._writer.submit(batch)

    def _masked(self, name: str) -> str:
        return self._writer.masker.text(name)


def _add(batch: Batch, line: LogLine) -> None:
    """Add a line; one whose fields are nested too deep to be looked through is kept as mere text."""
    try:
        batch.add(line)
    except ValueError:
        batch.add(replace(line, fields=None))


def _group_view(group: LogGroup) -> _Answer:
    retention = {} if group.retention_days is None else {"retentionInDays": group.retention_days}
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ns // _MILLISECOND,
        "metricFilterCount": 0,
        "arn": f"{_ARN}{group.name}:*",
        "logGroupArn": f"{_ARN}{group.name}",
        "logGroupClass": "STANDARD",
        "storedBytes": 0,
        **retention,
    }


def _stream_view(group: str, stream: StreamSummary) -> _Answer:
    times = {
        "creationTime": stream.created_ns,
        "firstEventTimestamp": stream.first_ns,
        "lastEventTimestamp": stream.last_ns,
        "lastIngestionTime": stream.ingested_ns,
    }
    return {
        "logStreamName": stream.name,
        **{name: value // _MILLISECOND for name, value in times.items() if value is not None},
        "arn": f"{_ARN}{group}:log-stream:{stream.name}",
        "storedBytes": 0,
    }


def _event_view(place: Place, line: LogLine) -> _Answer:
    return {
        "logStreamName": line.stream,
        "timestamp": line.time_ns // _MILLISECOND,
        "message": line.message,
        "ingestionTime": line.ingested_ns // _MILLISECOND,
        "eventId": f"{place.number:056d}",
    }


def _token(place: str | int | Place) -> str:
    """A nextToken, which says to clients nothing."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _from_token(token: str | None, kind: type[_Asked]) -> _Asked | None:
    if token is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise LogsError("InvalidParameterException", "The specified nextToken is invalid.") from error


def _response(status: int, content: _Answer) -> Response:
    headers = {"Connection": "close"} if status >= 408 else {}  # noqa: PLR2004 - the body may not be read
    return Response(json.dumps(content), status, headers=headers, media_type=_MEDIA_TYPE)

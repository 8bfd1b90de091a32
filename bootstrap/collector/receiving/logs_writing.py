"""The operations of the CloudWatch Logs API that make groups and streams, and put events into them."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bootstrap.collector.receiving.log_events import MAX_EVENTS, Event, InvalidEventsError, choose, read_line
from bootstrap.collector.receiving.logs_protocol import (
    Answer,
    Desk,
    GroupName,
    LogsError,
    Operation,
    StreamName,
    invalid,
    no_such_stream,
)
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.records import FOR_EVER, LogGroup, LogLine, LogStream, Record

_Days = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


class _OfGroup(Struct, rename="camel"):
    log_group_name: GroupName


class _OfStream(Struct, rename="camel"):
    log_group_name: GroupName
    log_stream_name: StreamName


class _PutRetentionPolicy(Struct, rename="camel"):
    log_group_name: GroupName
    retention_in_days: _Days


class _PutLogEvents(Struct, rename="camel"):
    log_group_name: GroupName
    log_stream_name: StreamName
    log_events: Annotated[list[Event], Meta(min_length=1, max_length=MAX_EVENTS)]


class Writing:
    """Whoever sends needs no key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # What is looked for is still missing when it is made, however many ask at once.
        self._making = asyncio.Lock()

    def operations(self) -> dict[str, Operation]:
        """By the service's names."""
        return {
            "CreateLogGroup": self._create_log_group,
            "CreateLogStream": self._create_log_stream,
            "PutRetentionPolicy": self._put_retention_policy,
            "DeleteRetentionPolicy": self._delete_retention_policy,
            "PutLogEvents": self._put_log_events,
        }

    async def _create_log_group(self, request: Request) -> Answer:
        name = self._desk.masked((await self._desk.read(request, _OfGroup)).log_group_name)
        async with self._making:
            if await run_in_threadpool(self._desk.evidence.group, name):
                raise LogsError("ResourceAlreadyExistsException", "The specified log group already exists")
            await self._store(LogGroup(name, time.time_ns()))
        return {}

    async def _create_log_stream(self, request: Request) -> Answer:
        asked = await self._desk.read(request, _OfStream)
        name = self._desk.masked(asked.log_stream_name)
        async with self._making:
            group = await self._desk.group(asked.log_group_name)
            if await self._desk.has_stream(group.name, name):
                raise LogsError("ResourceAlreadyExistsException", "The specified log stream already exists")
            await self._store(LogStream(group.name, name, time.time_ns()))
        return {}

    async def _put_retention_policy(self, request: Request) -> Answer:
        asked = await self._desk.read(request, _PutRetentionPolicy)
        group = await self._desk.group(asked.log_group_name)
        await self._store(replace(group, retention_days=asked.retention_in_days))
        return {}

    async def _delete_retention_policy(self, request: Request) -> Answer:
        asked = await self._desk.read(request, _OfGroup)
        group = await self._desk.group(asked.log_group_name)
        await self._store(replace(group, retention_days=FOR_EVER))
        return {}

    async def _put_log_events(self, request: Request) -> Answer:
        desk = self._desk
        asked = await desk.read(request, _PutLogEvents)
        group, stream = await desk.group(asked.log_group_name), desk.masked(asked.log_stream_name)
        if not await desk.has_stream(group.name, stream):
            raise no_such_stream()
        now = time.time_ns()
        try:
            kept = choose(asked.log_events, now, group.retention_days)
        except InvalidEventsError as error:
            desk.tally.add("cloudwatch", "invalid")
            raise invalid(str(error)) from error
        stored = await run_in_threadpool(
            lambda: self._submit(read_line(group.name, stream, event, now) for event in kept.events)
        )
        try:
            await asyncio.wrap_future(stored)
        except OSError:
            desk.tally.add("cloudwatch", "lost", len(kept.events))
            raise
        desk.tally.add("cloudwatch", "stored", len(kept.events))
        if len(kept.events) == len(asked.log_events):
            return {}
        desk.tally.add("cloudwatch", "rejected", len(asked.log_events) - len(kept.events))
        return {"rejectedLogEventsInfo": kept.rejected}

    async def _store(self, record: Record) -> None:
        batch = self._desk.writer.batch()
        batch.add(record)
        await asyncio.wrap_future(await run_in_threadpool(self._desk.writer.submit, batch))

    def _submit(self, lines: Iterable[LogLine]) -> Future[None]:
        batch = self._desk.writer.batch()
        for line in lines:
            _add(batch, line)
        return self._desk.writer.submit(batch)


def _add(batch: Batch, line: LogLine) -> None:
    """Add a line; one whose fields are nested too deep to be looked through is kept as mere text."""
    try:
        batch.add(line)
    except ValueError:
        batch.add(replace(line, fields=None))

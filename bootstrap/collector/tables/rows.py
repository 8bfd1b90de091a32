"""Records as the tables have them: masked, encoded, bounded, and what many have in common only once."""

import hashlib
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from bootstrap.collector.telemetry.limits import MAX_PREPARED, TooMuchError
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import (
    NO_SCOPE,
    Attributes,
    Item,
    LogGroup,
    LogLine,
    LogStream,
    Record,
    Scope,
    Segment,
    Span,
)

#: characters of a name in lists; the record itself has all of it
LISTED_NAME = 200

_ROW_BYTES = 300
"""About what a row takes besides its body."""


class OperationRow(NamedTuple):
    """A span or segment as its table has it; `resource` and `scope` are digests of what another table has."""

    trace_id: str
    kind: str
    id: str
    parent_id: str | None
    service: str | None
    name: str
    start_ns: int
    end_ns: int | None
    error: bool
    body: bytes
    resource: bytes | None = None
    scope: bytes | None = None


class GroupRow(NamedTuple):
    """A log group as its table has it."""

    name: str
    created_ns: int
    retention_days: int | None


class StreamRow(NamedTuple):
    """A log stream as its table has it."""

    group: str
    name: str
    created_ns: int


class LineRow(NamedTuple):
    """A log line as its table has it; `structured`: its message is a JSON object."""

    group: str
    stream: str
    time_ns: int
    ingested_ns: int
    trace_id: str | None
    service: str | None
    structured: bool
    message: str


class ItemRow(NamedTuple):
    """An item as its table has it."""

    uuid: str
    trace_id: str | None
    service: str | None
    level: str
    title: str
    environment: str
    time_ns: int
    body: bytes
    arrived_ns: int


Row = OperationRow | GroupRow | StreamRow | LineRow | ItemRow

_TOGETHER = 32
_UNWRITABLE = (msgspec.MsgspecError, OverflowError, UnicodeEncodeError)

_encode = msgspec.json.Encoder().encode


class Batch:
    """Rows on their way into the store; nothing gets there past it.

    `shared` is what the rows refer to, by its digest; `size` is about the bytes of all of it.
    """

    def __init__(self, masker: Masker, limit: int = MAX_PREPARED) -> None:
        self.rows: list[Row] = []
        self.shared: dict[bytes, bytes] = {}
        self.size = 0
        self._masker = masker
        self._limit = limit
        # The object stands beside its digest, so that no other one can get its id meanwhile.
        self._digests: dict[int, tuple[object, bytes]] = {}

    def add(self, record: Record) -> None:
        """Mask and encode a record; ValueError if it cannot be written down, TooMuchError if it is too much.

        Spans that have the same resource or scope object cost it once.
        """
        self._append(self._masked(self._apart(record)))

    def add_all(self, records: Iterable[Record], refuse: Callable[[str], None]) -> None:
        """The same for many, and faster: `refuse` is told why one of them cannot be written down.

        Hardly any has something to mask, and to look for it in some of them at once is quick.
        """
        records = iter(records)
        while group := list(islice(records, _TOGETHER)):
            parts = []
            for record in group:
                try:
                    parts.append(self._apart(record))
                except ValueError as error:
                    refuse(str(error))
            passes = self._masker.passes([part.body for part in parts])
            for part in parts:
                try:
                    self._append(part if passes else self._masked(part))
                except ValueError as error:
                    refuse(str(error))

    def _apart(self, record: Record) -> "_Part":
        """Encode a record as it is, without what it has in common with others."""
        resource = scope = None
        if isinstance(record, Span):
            try:
                resource, scope = self._share(record.resource), self._share(record.scope)
            except _UNWRITABLE as error:
                raise _unwritable(error) from error
            record = replace(record, resource={}, scope=NO_SCOPE)
        try:
            return _Part(record, _encode(record), resource, scope)
        except (*_UNWRITABLE, RecursionError):
            # It may be what is masked that cannot be written down.
            return _Part(record, b"", resource, scope)

    def _masked(self, part: "_Part") -> "_Part":
        if self._masker.passes([part.body]):
            return part
        try:
            record = part.record.masked(self._masker)
            return part._replace(record=record, body=_encode(record))
        except _UNWRITABLE as error:
            raise _unwritable(error) from error

    def _append(self, part: "_Part") -> None:
        try:
            row = _row(part)
            size = _size(row)
        except _UNWRITABLE as error:
            raise _unwritable(error) from error
        self._grow(size)
        self.rows.append(row)

    def _share(self, value: Attributes | Scope) -> bytes:
        """Mask and encode what many rows refer to, once."""
        known = self._digests.get(id(value))
        if known:
            return known[1]
        masked = value.masked(self._masker) if isinstance(value, Scope) else self._masker.value(value)
        body = _encode(masked)
        digest = hashlib.blake2b(body, digest_size=16).digest()
        if digest not in self.shared:
            self._grow(len(body))
            self.shared[digest] = body
        self._digests[id(value)] = (value, digest)
        return digest

    def _grow(self, size: int) -> None:
        self.size += size
        if self.size > self._limit:
            raise TooMuchError(f"The request would take more than {self._limit} bytes in the store.")


class _Part(NamedTuple):
    """A record without what it has in common with others, and its JSON; empty if it cannot be encoded."""

    record: Record
    body: bytes
    resource: bytes | None
    scope: bytes | None


def _unwritable(error: Exception) -> ValueError:
    return ValueError(f"not to be written down: {error}")


def _row(part: _Part) -> Row:
    """A masked record as its table has it."""
    match part.record:
        case Span() as span:
            return _span_row(span, part)
        case Segment() as segment:
            return _segment_row(segment, part.body)
        case LogLine() as line:
            return _line_row(line)
        case Item() as item:
            return _item_row(item)
        case LogGroup(name, created_ns, retention_days):
            return GroupRow(name, created_ns, retention_days)
        case LogStream(group, name, created_ns):
            return StreamRow(group, name, created_ns)


def _span_row(span: Span, part: _Part) -> OperationRow:
    return OperationRow(
        trace_id=span.trace_id,
        kind="span",
        id=span.span_id,
        parent_id=span.parent_id,
        service=span.service[:LISTED_NAME],
        name=span.name[:LISTED_NAME],
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        error=span.status.code == "error",
        body=part.body,
        resource=part.resource,
        scope=part.scope,
    )


def _segment_row(segment: Segment, body: bytes) -> OperationRow:
    return OperationRow(
        trace_id=segment.trace_id,
        kind="subsegment" if segment.is_subsegment else "segment",
        id=segment.segment_id,
        parent_id=segment.parent_id,
        # X-Ray names a segment after its service, a subsegment after what was called.
        service=None if segment.is_subsegment else segment.name[:LISTED_NAME],
        name=segment.name[:LISTED_NAME],
        start_ns=segment.start_ns,
        end_ns=segment.end_ns,
        error=segment.error,
        body=body,
    )


def _line_row(line: LogLine) -> LineRow:
    return LineRow(
        group=line.group,
        stream=line.stream,
        time_ns=line.time_ns,
        ingested_ns=line.ingested_ns,
        trace_id=line.trace_id,
        service=line.service[:LISTED_NAME] if line.service else None,
        structured=line.fields is not None,
        message=line.message,
    )


def _item_row(item: Item) -> ItemRow:
    return ItemRow(
        uuid=item.uuid,
        trace_id=item.trace_id,
        service=item.service[:LISTED_NAME] if item.service else None,
        level=item.level,
        title=item.title[:LISTED_NAME],
        environment=item.environment,
        time_ns=item.time_ns,
        body=_encode(item.data),
        arrived_ns=time.time_ns(),
    )


def _size(row: Row) -> int:
    """About the bytes that a row takes."""
    match row:
        case OperationRow() | ItemRow():
            return len(row.body) + _ROW_BYTES
        case LineRow():
            return len(row.message.encode()) + _ROW_BYTES
        case _:
            return _ROW_BYTES

"""Makes records that filters can be tried on: few names and values, so that many are alike."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from bootstrap.collector.storing.store import Store
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import Event, Item, LogLine, Record, Scope, Segment, Span, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SECOND = 1_000_000_000
NOON = 1_767_268_800 * SECOND

TRACES = [f"6740e5a{digit}{digit * 24}" for digit in "123456"]
SERVICES = ["web", "db", "'; --"]
NAMES = ["app.plan", "app", "plan", "a.b", 'x"y', "%", "_", "=", "é", "status", "n\x00ul"]
VALUES: list[Any] = [
    *("free", "FREE", "pro", "3", "%", "_", "!", "\\", '"', "é", "É", "\N{KELVIN SIGN}", "k", "a\x00b", ""),
    *(3, 3.5, 3.0, -1, True, False, None),
    *([1, "free"], {"plan": "pro"}, {"a": {"b": 3}}, [{"plan": "free"}], []),
]
TEXTS = [
    "free",
    "FREE",
    "Pro",
    "3",
    "%",
    "_",
    "!",
    "\\",
    '"',
    "é",
    "É",
    "k",
    "\x00",
    "a\x00b",
    "home",
    "kaputt",
    "1.2",
]

_TABLES = ("trace", "trace_service", "arrival", "operation", "shared", "log_line", "item")
_numbers = itertools.count(1)


def span(trace_id: str, **overrides: Any) -> Span:
    number = next(_numbers)
    given: dict[str, Any] = {
        "trace_id": trace_id,
        "span_id": f"{number:016x}",
        "parent_id": None,
        "service": "web",
        "name": "home",
        "kind": "server",
        "start_ns": NOON,
        "end_ns": NOON + SECOND,
        "status": Status(),
        "attributes": {},
        "events": [],
        "links": [],
        "resource": {},
        "scope": Scope(),
    }
    return Span(**{**given, **overrides})


def segment(trace_id: str, **overrides: Any) -> Segment:
    identity = f"{next(_numbers):016x}"
    given: dict[str, Any] = {
        "trace_id": trace_id,
        "segment_id": identity,
        "parent_id": None,
        "is_subsegment": False,
        "name": "web",
        "start_ns": NOON,
        "end_ns": NOON + SECOND,
        "error": False,
        "document": {
            "id": identity,
            "name": "web",
            "start_time": NOON / SECOND,
            "end_time": NOON / SECOND + 1,
        },
    }
    return Segment(**{**given, **overrides})


def line(trace_id: str | None, message: str, **overrides: Any) -> LogLine:
    try:
        fields = msgspec.json.decode(message, type=dict[str, Any])
    except msgspec.DecodeError:
        fields = None
    given: dict[str, Any] = {
        "group": "cruddur",
        "stream": "web",
        "time_ns": NOON,
        "ingested_ns": NOON,
        "message": message,
        "trace_id": trace_id,
        "service": "web",
        "fields": fields,
    }
    return LogLine(**{**given, **overrides})


def item(trace_id: str | None, **overrides: Any) -> Item:
    given: dict[str, Any] = {
        "uuid": f"{next(_numbers):036}",
        "trace_id": trace_id,
        "service": "web",
        "level": "error",
        "title": "it is kaputt",
        "environment": "testing",
        "time_ns": NOON,
        "data": {},
    }
    return Item(**{**given, **overrides})


def store_of(path: Path, batches: Iterable[Sequence[Record]]) -> Store:
    """A store that has got these records, one batch after the other, and nothing else."""
    store = Store(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table}")
    with store.writer() as writer:
        for records in batches:
            writer.write([batch_of(records)])
    return store


def batch_of(records: Iterable[Record]) -> Batch:
    batch = Batch(Masker())
    for record in records:
        batch.add(record)
    return batch


attributes = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=3)
_trace_ids = st.sampled_from(TRACES)
_services = st.sampled_from(SERVICES)
_starts = st.integers(0, 5).map(lambda second: NOON + second * SECOND)
_durations = st.sampled_from([0, 1, 999, 1_000, SECOND // 2, SECOND, 60 * SECOND])
_words = st.sampled_from([value for value in VALUES if isinstance(value, str)])


@st.composite
def _spans(draw: st.DrawFn) -> Span:
    start = draw(_starts)
    return span(
        draw(_trace_ids),
        service=draw(_services),
        name=draw(_words),
        start_ns=start,
        end_ns=start + draw(_durations),
        status=draw(st.sampled_from([Status(), Status("error", "kaputt"), Status("ok")])),
        attributes=draw(attributes),
        resource=draw(attributes),
        scope=draw(st.sampled_from([Scope(), Scope("library", "1.2", {"plan": "free"})])),
        events=[Event(draw(_words), start, draw(attributes))] if draw(st.booleans()) else [],
    )


@st.composite
def _segments(draw: st.DrawFn) -> Segment:
    start, end = draw(_starts), draw(st.none() | _durations)
    inner = {
        "id": "b" * 16,
        "name": draw(_words),
        "annotations": draw(attributes),
        "start_time": 1,
        "end_time": 2,
    }
    made = segment(
        draw(_trace_ids),
        start_ns=start,
        end_ns=None if end is None else start + end,
        error=draw(st.booleans()),
    )
    made.document.update(
        annotations=draw(attributes),
        metadata={"default": draw(attributes)},
        http={"request": {"method": "GET"}, "response": {"status": 200}},
        cause={"exceptions": [{"message": draw(_words)}]},
        subsegments=[inner],
    )
    return made


@st.composite
def _lines(draw: st.DrawFn) -> LogLine:
    fields = msgspec.json.encode(draw(attributes)).decode()
    message = draw(_words | st.just(fields) | st.just(fields.replace("p", "\\u0070")))
    return line(
        draw(st.none() | _trace_ids), message, time_ns=draw(_starts), service=draw(st.none() | _services)
    )


@st.composite
def _items(draw: st.DrawFn) -> Item:
    return item(
        draw(st.none() | _trace_ids),
        title=draw(_words),
        time_ns=draw(_starts),
        service=draw(st.none() | _services),
        level=draw(st.sampled_from(["error", "info"])),
        data=draw(attributes),
    )


batches: st.SearchStrategy[list[list[Record]]] = st.lists(
    st.lists(_spans() | _segments() | _lines() | _items(), max_size=6), max_size=4
)


@dataclass
class Known:
    """What the records of one trace come to."""

    trace_id: str
    arrival: int
    records: list[Record]

    @property
    def operations(self) -> list[Span | Segment]:
        return [record for record in self.records if isinstance(record, Span | Segment)]

    @property
    def start_ns(self) -> int:
        if self.operations:
            return min(operation.start_ns for operation in self.operations)
        return min(record.time_ns for record in self.records if isinstance(record, LogLine | Item))

    @property
    def duration_ns(self) -> int | None:
        ends = [operation.end_ns for operation in self.operations if operation.end_ns is not None]
        return max(ends) - self.start_ns if ends else None

    @property
    def error(self) -> bool:
        return any(
            record.error if isinstance(record, Segment) else record.status.code == "error"
            for record in self.operations
        )

    @property
    def services(self) -> set[str]:
        named = (record.name if isinstance(record, Segment) else record.service for record in self.known)
        return {name for name in named if name}

    @property
    def known(self) -> list[Span | Segment | LogLine | Item]:
        return [record for record in self.records if isinstance(record, Span | Segment | LogLine | Item)]


def traces_of(batches: Iterable[Sequence[Record]]) -> list[Known]:
    """The traces in some records, newest first."""
    found: dict[str, Known] = {}
    for record in itertools.chain(*batches):
        trace_id = getattr(record, "trace_id", None)
        if trace_id:
            found.setdefault(trace_id, Known(trace_id, len(found), [])).records.append(record)
    return sorted(found.values(), key=lambda known: (-known.start_ns, -known.arrival))

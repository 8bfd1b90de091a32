"""What one trace has, for comparing it with others: attributes, and what follows from its operations."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bootstrap.collector.asking.conditions import Budget
from bootstrap.collector.telemetry import attributes
from bootstrap.collector.telemetry.records import Attributes, Status

Value = str | int | float


class Trait(NamedTuple):
    """The name of an attribute; `derived`: no sender has set it, it follows from the operations."""

    name: str
    derived: bool = False


SERVICE = Trait("service", derived=True)
NAME = Trait("name", derived=True)
KIND = Trait("kind", derived=True)
STATUS = Trait("status", derived=True)
SLOWEST = Trait("slowest operation", derived=True)
"""Those of one name in which most of the time went by, without what they called."""

Traits = Mapping[Trait, set[Value]]
"""The values that each has in one trace."""

_Growing = defaultdict[Trait, set[Value]]
_Sent = defaultdict[str, set[Value]]
"""By the names alone, which takes half the time."""

_MOST_OPERATIONS = 300
_MOST_BYTES = 1024 * 1024
"""Of one trace."""
_LISTED = 200
"""Characters of a value."""

_OPERATIONS = """
SELECT kind, id, parent_id, service, name, end_ns - start_ns, body, resource FROM operation
WHERE trace_id = ? LIMIT ?
"""


class _SpanBody(Struct):
    kind: str
    status: Status = Status()
    attributes: Attributes = {}


class _SegmentBody(Struct):
    document: Attributes


_read_span = msgspec.json.Decoder(_SpanBody).decode
_read_segment = msgspec.json.Decoder(_SegmentBody).decode
_read_resource = msgspec.json.Decoder(Attributes).decode


class _Part(NamedTuple):
    """An operation in its place; ids are those within one trace."""

    identity: str
    parent: str | None
    title: str
    duration: float


class Reader:
    """Reads traces of one store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[bytes, list[tuple[str, Any]]] = {}

    def sides(self, sides: Sequence[Sequence[str]], budget: Budget) -> list[list[Traits]]:
        """The traces of both sides in turn, until the time is over."""
        found: list[list[Traits]] = [[] for _ in sides]
        for turn in range(max(map(len, sides), default=0)):
            for side, trace_ids in enumerate(sides):
                if turn < len(trace_ids):
                    found[side].append(self.read(trace_ids[turn]))
            if budget.is_over():
                break
        return found

    def read(self, trace_id: str) -> Traits:
        """The traits of a trace; of a large one only those of some operations."""
        traits: _Growing = defaultdict(set)
        sent: _Sent = defaultdict(set)
        resources: set[bytes] = set()
        left = _MOST_BYTES
        spans: list[_Part] = []
        segments: list[_Part] = []
        rows = self._connection.execute(_OPERATIONS, (trace_id, _MOST_OPERATIONS))
        for kind, identity, parent, service, name, duration, body, resource in rows:
            left -= len(body)
            if left < 0:
                break
            traits[NAME].add(name)
            if service:
                traits[SERVICE].add(service)
            part = _Part(identity, parent, f"{service}: {name}" if service else name, duration or 0)
            if kind == "span":
                spans.append(part)
                span = _read_span(body)
                traits[KIND].add(span.kind)
                traits[STATUS].add(span.status.code)
                _add(sent, span.attributes.items())
                resources.add(resource)
            else:
                segments.append(part)
                document = _read_segment(body).document
                segments += _inner(document)
                _add_segment(traits, sent, document)
        for resource in resources:
            _add(sent, self._resource(resource))
        traits |= {Trait(name): values for name, values in sent.items()}
        slowest = _slowest(spans or segments)
        if slowest:
            traits[SLOWEST].add(slowest)
        return traits

    def _resource(self, digest: bytes) -> list[tuple[str, Any]]:
        if digest not in self._resources:
            query = "SELECT body FROM shared WHERE digest = ?"
            [body] = self._connection.execute(query, (digest,)).fetchone()
            self._resources[digest] = list(attributes.pairs(_read_resource(body)))
        return self._resources[digest]


def _add(sent: _Sent, found: Iterable[tuple[str, Any]]) -> None:
    for name, value in found:
        match value:
            case str():
                sent[name].add(value[:_LISTED])
            case bool() | None:
                sent[name].add(attributes.as_text(value))
            case int() | float():
                sent[name].add(value)
            case dict():
                _add(sent, attributes.pairs(value, name))
            case _:  # what several together mean, nobody knows
                pass


def _add_segment(traits: _Growing, sent: _Sent, document: Attributes) -> None:
    for part in attributes.parts(document):
        traits[NAME].add(str(part.get("name")))
        wrong = [name for name in ("fault", "error", "throttle") if part.get(name) is True]
        traits[STATUS].update(wrong or ["ok"])
    _add(sent, attributes.of_document(document))


def _inner(document: Attributes) -> Iterator[_Part]:
    """The subsegments inside of a document, which has been checked when it came in."""
    for parent in attributes.parts(document):
        for part in parent.get("subsegments") or []:
            start, end = part["start_time"], part.get("end_time")
            duration = (end - start) * 1_000_000_000 if end else 0
            yield _Part(part["id"].lower(), parent["id"].lower(), part["name"], duration)


def _slowest(parts: Sequence[_Part]) -> str | None:
    """The title of those that took longest by themselves."""
    called: defaultdict[str | None, float] = defaultdict(float)
    for part in parts:
        called[part.parent] += part.duration
    own: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        own[part.title] += max(0, part.duration - called[part.identity])
    return max(own, key=lambda title: own[title], default=None)

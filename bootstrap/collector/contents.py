"""Which traces have an attribute, or a text: what no index knows.

SQLite leaves out most rows by looking for the same bytes in the encoded JSON; what is left is decoded and
judged exactly.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from bootstrap.collector import attributes
from bootstrap.collector.lenient_json import read_object
from bootstrap.collector.questions import TraceFilter
from bootstrap.collector.records import Scope, Segment, Span

# Longer needles are looked for by their beginning; SQLite takes patterns of up to 50,000 bytes.
_NEEDLE = 1_000

_SHARED_WITH_ATTRIBUTE = """
SELECT digest, body FROM shared WHERE instr(body, :key) AND (instr(body, :text) OR instr(body, :other))
"""
_OPERATIONS_WITH_ATTRIBUTE = """
SELECT kind, body FROM operation
WHERE trace_id = :trace_id AND instr(body, :key) AND (instr(body, :text) OR instr(body, :other))
"""
# Whoever wrote the line may have escaped what needs no escape.
_LINES_WITH_ATTRIBUTE = """
SELECT message FROM log_line
WHERE trace_id = :trace_id AND structured
    AND (instr(CAST(message AS BLOB), :word) OR instr(message, char(92)))
"""

# LIKE knows only the letters of ASCII, and ends at a null character, as `length` of text does. Where there is
# anything else, which makes the bytes more than the characters, it takes Python to say.
_SHARED_WITH_TEXT = """
SELECT digest, body FROM shared
WHERE CAST(body AS TEXT) LIKE :json ESCAPE '!' OR length(CAST(body AS TEXT)) <> length(body)
"""
_OPERATIONS_WITH_TEXT = """
SELECT kind, body FROM operation
WHERE trace_id = :trace_id
    AND (CAST(body AS TEXT) LIKE :json ESCAPE '!' OR length(CAST(body AS TEXT)) <> length(body))
"""
LINE_HAS_TEXT = """
(message LIKE :plain ESCAPE '!' OR length(message) <> length(CAST(message AS BLOB)))
"""
_LINES_WITH_TEXT = """
SELECT message FROM log_line WHERE trace_id = :trace_id AND {text}
""".replace("{text}", LINE_HAS_TEXT)
ITEM_HAS_TEXT = """
(title LIKE :plain ESCAPE '!' OR length(title) <> length(CAST(title AS BLOB))
    OR CAST(body AS TEXT) LIKE :json ESCAPE '!' OR length(CAST(body AS TEXT)) <> length(body))
"""
_ITEMS_WITH_TEXT = """
SELECT title, body FROM item WHERE trace_id = :trace_id AND {text}
""".replace("{text}", ITEM_HAS_TEXT)


class Contents:
    """The conditions of a filter that need a trace to be read."""

    def __init__(self, connection: sqlite3.Connection, wanted: TraceFilter) -> None:
        self._conditions: list[_Attribute | _Text] = [
            _Attribute(connection, name, value) for name, value in wanted.attributes
        ]
        if wanted.text:
            self._conditions.append(_Text(connection, wanted.text))

    def hold(self, trace_id: str) -> bool:
        """Whether all of them hold for a trace."""
        return all(condition.holds(trace_id) for condition in self._conditions)


class _Attribute:
    """Some operation, resource or structured log line of the trace has the attribute."""

    def __init__(self, connection: sqlite3.Connection, name: str, value: str) -> None:
        self._connection = connection
        self._name, self._value = name, value
        # Whatever of a dotted path is nested, its end is a key.
        key = encoded(name.rpartition(".")[2])
        self._needles = {
            "key": f'{key}":'.encode(),
            "text": encoded(value).encode(),
            "other": value.encode(),
            "word": key.encode(),
        }
        self._shared = _Shared(connection, set(self._resources()), set())

    def _resources(self) -> Iterator[bytes]:
        found = self._connection.execute(_SHARED_WITH_ATTRIBUTE, self._needles)
        for digest, body in found:
            if attributes.has(attributes.pairs(msgspec.json.decode(body)), self._name, self._value):
                yield digest

    def holds(self, trace_id: str) -> bool:
        return self._shared.in_trace(trace_id) or self._in_operations(trace_id) or self._in_lines(trace_id)

    def _in_operations(self, trace_id: str) -> bool:
        found = self._connection.execute(_OPERATIONS_WITH_ATTRIBUTE, {**self._needles, "trace_id": trace_id})
        return any(self._in_body(kind, body) for kind, body in found)

    def _in_body(self, kind: str, body: bytes) -> bool:
        if kind == "span":
            found = attributes.of_span(_read_span(body))
        else:
            found = attributes.of_segment(_read_segment(body))
        return attributes.has(found, self._name, self._value)

    def _in_lines(self, trace_id: str) -> bool:
        found = self._connection.execute(_LINES_WITH_ATTRIBUTE, {**self._needles, "trace_id": trace_id})
        return any(
            attributes.has(attributes.pairs(read_object(message) or {}), self._name, self._value)
            for (message,) in found
        )


class _Text:
    """The text stands somewhere in an operation, resource, scope, log line or item of the trace."""

    def __init__(self, connection: sqlite3.Connection, text: str) -> None:
        self._connection = connection
        self._folded = text.casefold()
        self._patterns = patterns(text)
        self._shared = _Shared(connection, *self._resources_and_scopes())

    def _resources_and_scopes(self) -> tuple[set[bytes], set[bytes]]:
        resources: set[bytes] = set()
        scopes: set[bytes] = set()
        for digest, body in self._connection.execute(_SHARED_WITH_TEXT, self._patterns):
            if self._says(attributes.texts(msgspec.json.decode(body))):
                resources.add(digest)
            try:
                scope = msgspec.json.decode(body, type=Scope)
            except msgspec.ValidationError:
                continue
            if self._says([scope.name, scope.version, *attributes.texts(scope.attributes)]):
                scopes.add(digest)
        return resources, scopes

    def holds(self, trace_id: str) -> bool:
        return (
            self._shared.in_trace(trace_id)
            or self._in_operations(trace_id)
            or self._in_lines(trace_id)
            or self._in_items(trace_id)
        )

    def _in_operations(self, trace_id: str) -> bool:
        found = self._connection.execute(_OPERATIONS_WITH_TEXT, {**self._patterns, "trace_id": trace_id})
        return any(self._in_body(kind, body) for kind, body in found)

    def _in_body(self, kind: str, body: bytes) -> bool:
        if kind == "span":
            return self._says(attributes.texts_of_span(_read_span(body)))
        return self._says(attributes.texts_of_segment(_read_segment(body)))

    def _in_lines(self, trace_id: str) -> bool:
        found = self._connection.execute(_LINES_WITH_TEXT, {**self._patterns, "trace_id": trace_id})
        return self._says(message for (message,) in found)

    def _in_items(self, trace_id: str) -> bool:
        found = self._connection.execute(_ITEMS_WITH_TEXT, {**self._patterns, "trace_id": trace_id})
        return any(self._says([title, *attributes.texts(msgspec.json.decode(body))]) for title, body in found)

    def _says(self, found: Any) -> bool:
        return attributes.says(found, self._folded)


class _Shared:
    """Resources and scopes for which a condition holds, by their digests."""

    def __init__(self, connection: sqlite3.Connection, resources: set[bytes], scopes: set[bytes]) -> None:
        self._connection = connection
        self._resources, self._scopes = resources, scopes

    def in_trace(self, trace_id: str) -> bool:
        if not (self._resources or self._scopes):
            return False
        query = "SELECT DISTINCT resource, scope FROM operation WHERE trace_id = ?"
        found = self._connection.execute(query, (trace_id,))
        return any(resource in self._resources or scope in self._scopes for resource, scope in found)


def patterns(text: str) -> dict[str, str]:
    """What LIKE looks for, with `!` for an escape: `plain` in text as it is, `json` where it is encoded."""
    folded = text.casefold()
    return {"plain": _pattern(folded), "json": _pattern(encoded(folded))}


def _pattern(text: str) -> str:
    quoted = "".join(f"!{character}" if character in "!%_" else character for character in text[:_NEEDLE])
    return f"%{quoted.partition(chr(0))[0]}%"


def encoded(text: str) -> str:
    """A text inside of quotes, as it stands in JSON."""
    return msgspec.json.encode(text).decode()[1:-1]


_read_span = msgspec.json.Decoder(Span).decode
_read_segment = msgspec.json.Decoder(Segment).decode

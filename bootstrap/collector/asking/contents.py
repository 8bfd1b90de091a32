"""Which traces have an attribute, or a text: what no index knows.

SQLite leaves out most rows by looking for the same bytes in the encoded JSON; what is left is decoded and
judged exactly. Traces are asked about many at a time, which costs a fraction of asking about each.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.telemetry import attributes
from bootstrap.collector.telemetry.lenient_json import read_object
from bootstrap.collector.telemetry.records import Scope, Segment, Span

# Longer needles are looked for by their beginning; SQLite takes patterns of up to 50,000 bytes.
_NEEDLE = 1_000

_OF_TRACES = """
SELECT trace_id, {columns} FROM json_each(:trace_ids) CROSS JOIN {table} ON trace_id = value WHERE {where}
"""
_SHARED = "SELECT digest, body FROM shared WHERE {where}"

# Of the two LIKE is faster, although any case of letters will do for it.
_HAS_ATTRIBUTE = """
CAST(body AS TEXT) LIKE :key ESCAPE '!' AND (instr(body, :text) OR instr(body, :other))
"""
# Whoever wrote the line may have escaped what needs no escape.
_LINE_HAS_ATTRIBUTE = "structured AND (instr(CAST(message AS BLOB), :word) OR instr(message, char(92)))"

# LIKE knows only the letters of ASCII, and ends at a null character, as `length` of text does. For what has
# anything else, which makes its bytes more than its characters, it takes Python to say.
_HAS_TEXT = """
(CAST(body AS TEXT) LIKE :json ESCAPE '!' OR NOT :ascii AND length(CAST(body AS TEXT)) <> length(body))
"""
LINE_HAS_TEXT = "(message LIKE :plain ESCAPE '!' OR length(message) <> length(CAST(message AS BLOB)))"
ITEM_HAS_TEXT = f"""
(title LIKE :plain ESCAPE '!' OR length(title) <> length(CAST(title AS BLOB)) OR {_HAS_TEXT})
"""

_REFERS = """
(hex(resource) IN (SELECT value FROM json_each(:resources))
    OR hex(scope) IN (SELECT value FROM json_each(:scopes)))
"""


class Contents:
    """The conditions of a filter that need a trace to be read."""

    def __init__(self, connection: sqlite3.Connection, wanted: TraceFilter) -> None:
        self._conditions: list[_Attribute | _Text] = [
            _Attribute(connection, name, value) for name, value in wanted.attributes
        ]
        if wanted.text:
            self._conditions.append(_Text(connection, wanted.text))

    def holding(self, trace_ids: Sequence[str]) -> set[str]:
        """Those of some traces for which all of them hold."""
        left = set(trace_ids)
        for condition in self._conditions:
            if left:
                left = condition.holding(left)
        return left


class _Attribute:
    """Some operation, resource or structured log line of the trace has the attribute."""

    def __init__(self, connection: sqlite3.Connection, name: str, value: str) -> None:
        self._name, self._value = name, value
        # Whatever of a dotted path is nested, its end is a key.
        key = encoded(name.rpartition(".")[2])
        needles = {
            "key": _pattern(f'{key}":'),
            "text": encoded(value).encode(),
            "other": value.encode(),
            "word": key.encode(),
        }
        self._rows = _Rows(connection, needles)
        self._shared = [
            digest
            for digest, body in self._rows.shared(_HAS_ATTRIBUTE)
            if self._has(attributes.in_json(body))
        ]

    def holding(self, trace_ids: set[str]) -> set[str]:
        """Those of some traces for which it holds."""
        found = self._rows.that_refer(trace_ids, self._shared, [])
        found |= self._rows.of(
            "operation", "kind, body", _HAS_ATTRIBUTE, trace_ids - found, self._in_operation
        )
        found |= self._rows.of("log_line", "message", _LINE_HAS_ATTRIBUTE, trace_ids - found, self._in_line)
        return found

    def _in_operation(self, kind: str, body: bytes) -> bool:
        if kind == "span":
            return self._has(attributes.of_span(_read_span(body)))
        return self._has(attributes.of_segment(_read_segment(body)))

    def _in_line(self, message: str) -> bool:
        return self._has(attributes.pairs(read_object(message) or {}))

    def _has(self, found: Iterable[tuple[str, Any]]) -> bool:
        return attributes.has(found, self._name, self._value)


class _Text:
    """The text stands somewhere in an operation, resource, scope, log line or item of the trace."""

    def __init__(self, connection: sqlite3.Connection, text: str) -> None:
        self._needle = attributes.Needle(text)
        self._rows = _Rows(connection, patterns(text))
        shared = list(self._rows.shared(_HAS_TEXT))
        self._resources = [
            digest for digest, body in shared if self._says(attributes.texts(msgspec.json.decode(body)))
        ]
        self._scopes = [digest for digest, body in shared if self._in_scope(body)]

    def holding(self, trace_ids: set[str]) -> set[str]:
        """Those of some traces for which it holds."""
        found = self._rows.that_refer(trace_ids, self._resources, self._scopes)
        found |= self._rows.of("operation", "kind, body", _HAS_TEXT, trace_ids - found, self._in_operation)
        found |= self._rows.of("log_line", "message", LINE_HAS_TEXT, trace_ids - found, self._in_line)
        found |= self._rows.of("item", "title, body", ITEM_HAS_TEXT, trace_ids - found, self._in_item)
        return found

    def _in_scope(self, body: bytes) -> bool:
        try:
            scope = msgspec.json.decode(body, type=Scope)
        except msgspec.ValidationError:
            return False
        return self._says([scope.name, scope.version, *attributes.texts(scope.attributes)])

    def _in_operation(self, kind: str, body: bytes) -> bool:
        if kind == "span":
            return self._says(attributes.texts_of_span(_read_span(body)))
        return self._says(attributes.texts_of_segment(_read_segment(body)))

    def _in_line(self, message: str) -> bool:
        return self._says([message])

    def _in_item(self, title: str, body: bytes) -> bool:
        return self._says([title, *attributes.texts(msgspec.json.decode(body))])

    def _says(self, found: Iterable[str]) -> bool:
        return self._needle.is_in(found)


class _Rows:
    """Finds rows by what they may hold; `needles` are the parameters of the conditions."""

    def __init__(self, connection: sqlite3.Connection, needles: dict[str, Any]) -> None:
        self._connection = connection
        self._needles = needles

    def shared(self, where: str) -> Iterator[tuple[bytes, bytes]]:
        """Resources and scopes, with their digests."""
        return self._connection.execute(_SHARED.replace("{where}", where), self._needles)

    def of(
        self, table: str, columns: str, where: str, trace_ids: set[str], judge: Callable[..., bool]
    ) -> set[str]:
        """The traces of which a row that fits is what it has to be."""
        found: set[str] = set()
        for trace_id, *values in self._of(table, columns, where, trace_ids):
            if trace_id not in found and judge(*values):
                found.add(trace_id)
        return found

    def that_refer(self, trace_ids: set[str], resources: list[bytes], scopes: list[bytes]) -> set[str]:
        """The traces with an operation that has one of these resources or scopes."""
        if not (resources or scopes):
            return set()
        digests = {"resources": _json([each.hex().upper() for each in resources])}
        digests["scopes"] = _json([each.hex().upper() for each in scopes])
        return {trace_id for trace_id, _ in self._of("operation", "NULL", _REFERS, trace_ids, digests)}

    def _of(
        self,
        table: str,
        columns: str,
        where: str,
        trace_ids: set[str],
        more: dict[str, str] | None = None,
    ) -> Iterable[Any]:
        if not trace_ids:
            return ()
        statement = _OF_TRACES.format(columns=columns, table=table, where=where)
        values = {**self._needles, **(more or {}), "trace_ids": _json(list(trace_ids))}
        return self._connection.execute(statement, values)


def patterns(text: str) -> dict[str, Any]:
    """The parameters of LINE_HAS_TEXT and ITEM_HAS_TEXT."""
    return {"plain": _pattern(text), "json": _pattern(encoded(text)), "ascii": text.isascii()}


def _pattern(text: str) -> str:
    """What LIKE finds a text by, with `!` for an escape."""
    quoted = "".join(f"!{character}" if character in "!%_" else character for character in text[:_NEEDLE])
    return f"%{quoted.partition(chr(0))[0]}%"


def encoded(text: str) -> str:
    """A text inside of quotes, as it stands in JSON."""
    return _json(text)[1:-1]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_read_span = msgspec.json.Decoder(Span).decode
_read_segment = msgspec.json.Decoder(Segment).decode

"""The latest log lines and items, newest first, page by page."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bootstrap.collector.asking.conditions import Budget, Conditions, Cursor
from bootstrap.collector.asking.contents import ITEM_HAS_TEXT, LINE_HAS_TEXT, patterns
from bootstrap.collector.asking.evidence import ITEM, LINE, read_item, read_line
from bootstrap.collector.asking.questions import EvidenceFilter, ItemPage, LinePage
from bootstrap.collector.telemetry import attributes
from bootstrap.collector.telemetry.records import MAX_TIME_NS

_READ_BYTES = 16 * 1024 * 1024
_STRETCH = 2_000
"""Rows that are looked through between two looks at the clock."""

_TOP = Cursor(MAX_TIME_NS, MAX_TIME_NS)
_PLACE = "SELECT time_ns, number"
_BEFORE = "(time_ns, number) < (:at_ns, :at)"
_NEWEST_FIRST = "ORDER BY time_ns DESC, number DESC"


class _Table(NamedTuple):
    """What lines and items do differently."""

    name: str
    select: str
    read: Callable[[Any], Any]
    says: str
    """SQL for whether a row may have the text."""
    texts: Callable[[Any], Iterator[str]]


_LINES = _Table("log_line", LINE, read_line, LINE_HAS_TEXT, lambda line: iter([line.message]))
_ITEMS = _Table(
    "item", ITEM, read_item, ITEM_HAS_TEXT, lambda item: attributes.texts([item.title, item.data])
)


class _Page(NamedTuple):
    found: list[Any]
    next: str | None = None
    searched_to_ns: int | None = None


def lines(connection: sqlite3.Connection, wanted: EvidenceFilter, limit: int, after: str | None) -> LinePage:
    """The latest log lines; 16 MiB at most. Raises ValueError for an `after` that no page has given."""
    return LinePage(*_page(connection, _LINES, wanted, limit, after))


def items(connection: sqlite3.Connection, wanted: EvidenceFilter, limit: int, after: str | None) -> ItemPage:
    """The latest items, as `lines`."""
    return ItemPage(*_page(connection, _ITEMS, wanted, limit, after))


def _page(
    connection: sqlite3.Connection, table: _Table, wanted: EvidenceFilter, limit: int, after: str | None
) -> _Page:
    place = Cursor.read(after) if after else _TOP
    chosen, needle = _conditions(table, wanted), attributes.Needle(wanted.text or "")
    found: list[Any] = []
    budget, room = Budget(), _READ_BYTES
    last = place
    while True:
        end = _stretch(connection, table, wanted, place)
        for row in _rows(connection, table, chosen, place, end):
            record = table.read(row)
            if wanted.text and not needle.is_in(table.texts(record)):
                continue
            if len(found) == limit or room < 0:
                return _Page(found, last.write())
            found.append(record)
            last = Cursor(record.time_ns, row[0])
            room -= len(row[-1])
        if end is None:
            return _Page(found)
        place = end
        if budget.is_over():
            return _Page(found, end.write(), end.time_ns)


def _conditions(table: _Table, wanted: EvidenceFilter) -> Conditions:
    parts = {"service = :service": wanted.service, "trace_id = :trace_id": wanted.trace_id}
    if table is _ITEMS:
        parts["level = :level"] = wanted.level
    values = {sql.rpartition(":")[2]: value for sql, value in parts.items() if value is not None}
    chosen = Conditions(
        " AND ".join(sql for sql, value in parts.items() if value is not None) or "TRUE", values
    )
    if not wanted.text:
        return chosen
    return chosen.also(table.says, **patterns(wanted.text))


def _stretch(
    connection: sqlite3.Connection, table: _Table, wanted: EvidenceFilter, place: Cursor
) -> Cursor | None:
    """The last row that is looked at next, or None where all of them are: an index leads to a trace's."""
    if wanted.trace_id or not (wanted.service or wanted.level or wanted.text):
        return None
    query = f"{_PLACE} FROM {table.name} WHERE {_BEFORE} {_NEWEST_FIRST} LIMIT 1 OFFSET {_STRETCH}"
    row = connection.execute(query, {"at_ns": place.time_ns, "at": place.number}).fetchone()
    return None if row is None else Cursor(*row)


def _rows(
    connection: sqlite3.Connection, table: _Table, chosen: Conditions, place: Cursor, end: Cursor | None
) -> sqlite3.Cursor:
    stretch = chosen.also(_BEFORE, at_ns=place.time_ns, at=place.number)
    if end is not None:
        stretch = stretch.also("(time_ns, number) >= (:to_ns, :to)", to_ns=end.time_ns, to=end.number)
    query = f"{table.select} FROM {table.name} WHERE {stretch.where} {_NEWEST_FIRST}"
    return connection.execute(query, stretch.values)

"""What is kept: so many bytes, for so long. What arrived first goes first, a little at a time."""

import sqlite3
import time
from collections.abc import Callable

#: by how much less than it might `shared.used_ns` may say, so that it is not written with every batch
REFRESHED_NS = 60 * 1_000_000_000

# Parts of the limit: from where on, and down to where, the oldest is removed; where that gets urgent; and
# what may stay free in the file for what comes next.
_START, _TARGET, _URGENT, _SPARE = 0.95, 0.9, 0.98, 0.1
_STEP_SECONDS, _URGENT_SECONDS = 0.02, 0.2
_ALL, _NONE = 2**63 - 1, -1
_DAY_NS = 24 * 60 * 60 * 1_000_000_000

# How many at once: rows, what may be large, pages.
_ROWS, _LARGE, _PAGES = 200, 20, 500

# Pages that every commit may need, for some rows in every table; and the part of all that hardly matters.
_SMALLEST, _MANY = 16, 64

_HEADS = """
SELECT * FROM (SELECT arrived_ns, 'trace' FROM trace ORDER BY number LIMIT 1)
UNION ALL SELECT * FROM (SELECT ingested_ns, 'line' FROM log_line ORDER BY number LIMIT 1)
UNION ALL SELECT * FROM (SELECT arrived_ns, 'item' FROM item ORDER BY number LIMIT 1)
"""
_TRACES = "SELECT number, trace_id, arrived_ns FROM trace ORDER BY number LIMIT ?"
_OPERATIONS = """
DELETE FROM operation WHERE rowid IN (SELECT rowid FROM operation WHERE trace_id = ? LIMIT ?)
"""

# The first one, and those right behind it that are no younger.
_FIRST = {
    "line": """
        DELETE FROM log_line WHERE number <= (
            SELECT max(number) FROM (SELECT number, ingested_ns FROM log_line ORDER BY number LIMIT :most)
            WHERE ingested_ns <= :until_ns
        )
    """,
    "item": """
        DELETE FROM item WHERE number <= (
            SELECT max(number) FROM (SELECT number, arrived_ns FROM item ORDER BY number LIMIT :most)
            WHERE arrived_ns <= :until_ns
        )
    """,
}

# In this order every stream is looked up by its index.
_EXPIRED = """
DELETE FROM log_line WHERE number IN (
    SELECT log_line.number FROM log_group
    CROSS JOIN log_stream ON log_stream.group_name = log_group.name
    CROSS JOIN log_line ON log_line.group_name = log_stream.group_name
        AND log_line.stream_name = log_stream.name AND log_line.time_ns < ? - retention_days * ?
    WHERE retention_days > 0 LIMIT ?
)
"""
_UNUSED = "DELETE FROM shared WHERE rowid IN (SELECT rowid FROM shared WHERE used_ns < ? LIMIT ?)"

# Nobody makes so many; whoever does may not stop everybody else.
_STREAMS = """
DELETE FROM log_stream WHERE (group_name, name) IN (
    SELECT group_name, name FROM log_stream ORDER BY created_ns LIMIT ?
)
"""
_GROUPS = "DELETE FROM log_group WHERE name IN (SELECT name FROM log_group ORDER BY created_ns LIMIT ?)"


class Retention:
    """Removes what is too old or too much, on the writer's connection and between its transactions.

    `limit` is the size of the file in bytes, `keep_ns` for how long something is kept after its arrival. A
    trace has arrived with the first that was heard of it; its lines and items have an arrival of their own.
    Lines also go by their own time, once they are older than their group's retention. All methods raise
    sqlite3.Error.
    """

    def __init__(self, connection: sqlite3.Connection, limit: int, keep_ns: int) -> None:
        self._connection = connection
        self._page = self._pragma("page_size")
        self._pages = max(1, limit // self._page)
        self._keep_ns = keep_ns
        self._shrinking = False
        self._bound()

    def step(self, arrival_ns: int, now_ns: int) -> bool:
        """Remove for a moment; say whether there is more to remove.

        `arrival_ns` is what a trace that arrives now is stamped with; lines and items go by the clock, which
        says `now_ns`.
        """
        used = self._used()
        self._shrinking = self._shrinking or used > _START * self._pages
        seconds = _URGENT_SECONDS if used > _URGENT * self._pages else _STEP_SECONDS
        now = {"trace": arrival_ns, "line": now_ns, "item": now_ns}
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            more = self._remove(
                lambda kind: _ALL if self._is_too_large() else now[kind] - self._keep_ns, seconds
            )
            expired = self._delete(_EXPIRED, now_ns, _DAY_NS, _ROWS)
            unused = self._delete(_UNUSED, self._first_use(arrival_ns), _ROWS)
        return more or _ROWS in {expired, unused}

    def make_room(self, size: int) -> bool:
        """Remove the oldest until there is room for so many bytes; False where that is not what is missing.

        There is room already (so the disk is full), or there never will be.
        """
        wanted = size // self._page + max(_SMALLEST, self._pages // _MANY)
        if wanted > self._pages or self._free() >= wanted:
            return False
        while self._free() < wanted:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                before = self._free()
                self._remove(lambda _: _ALL if self._free() < wanted else _NONE, _URGENT_SECONDS)
                if self._free() <= before:
                    return False
        return True

    def give_back(self) -> bool:
        """Make the file a little smaller where much of it is free; say whether there is more to give back."""
        if self._pragma("freelist_count") <= _SPARE * self._pages or not self._pragma("auto_vacuum"):
            return False
        # `execute` would end after the first page.
        self._connection.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
        self._bound()
        return True

    def _bound(self) -> None:
        """Let the file grow to the limit; one that is larger already stays so until that is given back."""
        self._connection.execute(f"PRAGMA max_page_count = {self._pages}")

    def _remove(self, due: Callable[[str], int], seconds: float) -> bool:
        """Remove the oldest while it is due; say whether it still is when the time is over.

        `due` says up to which arrival things of a kind are.
        """
        deadline = time.monotonic() + seconds
        while heads := sorted(self._connection.execute(_HEADS)):
            (arrived_ns, kind), *others = heads
            due_ns = due(kind)
            if arrived_ns > due_ns:
                return False
            if time.monotonic() > deadline:
                return True
            until_ns = min(due_ns, others[0][0]) if others else due_ns
            if kind == "trace":
                self._remove_traces(until_ns, due)
            else:
                self._connection.execute(_FIRST[kind], {"most": _LARGE, "until_ns": until_ns})
        # Nothing else is left, and names alone are too much.
        return self._is_too_large() and self._delete(_STREAMS, _ROWS) + self._delete(_GROUPS, _ROWS) > 0

    def _remove_traces(self, until_ns: int, due: Callable[[str], int]) -> None:
        """Remove the first trace, and those right behind it that are no younger; of a large one, a part."""
        traces = self._connection.execute(_TRACES, (_LARGE,)).fetchall()
        for number, trace_id, arrived_ns in traces:
            if arrived_ns > min(until_ns, due("trace")):
                return
            if self._delete(_OPERATIONS, trace_id, _ROWS) == _ROWS:
                return
            self._delete("DELETE FROM trace_service WHERE number = ?", number)
            self._delete("DELETE FROM trace WHERE number = ?", number)

    def _first_use(self, arrival_ns: int) -> int:
        """Since when what a kept span or segment refers to is known to have been used."""
        first = self._connection.execute("SELECT arrived_ns FROM trace ORDER BY number LIMIT 1").fetchone()
        return (first[0] if first else arrival_ns) - REFRESHED_NS

    def _is_too_large(self) -> bool:
        self._shrinking = self._shrinking and self._used() > _TARGET * self._pages
        return self._shrinking

    def _used(self) -> int:
        return self._pragma("page_count") - self._pragma("freelist_count")

    def _free(self) -> int:
        return self._pages - self._used()

    def _delete(self, statement: str, *values: object) -> int:
        return self._connection.execute(statement, values).rowcount

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

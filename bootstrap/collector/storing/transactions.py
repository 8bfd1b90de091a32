"""The writing side of the store: what one transaction does, and what is done between two."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.collector.storing.retention import REFRESHED_NS, Retention
from bootstrap.collector.tables.rollup import ADD_ARRIVAL, ADD_SERVICE, MERGE, MOST_ARRIVALS, Rollup
from bootstrap.collector.tables.rows import Batch, GroupRow, ItemRow, LineRow, OperationRow, Row, StreamRow

_CACHE_BYTES = 16 * 1024 * 1024
# From how much on SQLite copies its log to the database: a part of the limit, between these.
_LEAST_LOG, _MOST_LOG, _PART = 4 * 1024 * 1024, 64 * 1024 * 1024, 16
# How many times as large it is when those who read are waited for, and when nothing more is written for them.
_LARGE, _TOO_LARGE = 2, 4
_WAIT_MS, _BUSY_MS = 100, 5_000
# For short rows, indexes take more than they do.
_GENEROUS = (1.25, 2.5)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY = 0xFF  # of an error's code, the part that is not a detail

# What was sent twice is stored once. Only a segment that was still running gives way to what came later.
_INSERT_OPERATION = """
INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (trace_id, id, kind = 'span') DO UPDATE SET
    kind = excluded.kind, parent_id = excluded.parent_id, service = excluded.service, name = excluded.name,
    start_ns = excluded.start_ns, end_ns = excluded.end_ns, error = excluded.error, body = excluded.body
WHERE operation.end_ns IS NULL
"""

_INSERT_GROUP = """
INSERT INTO log_group VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    retention_days = nullif(coalesce(excluded.retention_days, retention_days), 0)
"""

_INSERTS: dict[type[Row], str] = {
    OperationRow: _INSERT_OPERATION,
    GroupRow: _INSERT_GROUP,
    StreamRow: "INSERT OR IGNORE INTO log_stream VALUES (?, ?, ?)",
    LineRow: "INSERT INTO log_line VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
    ItemRow: "INSERT OR IGNORE INTO item VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}

_INSERT_SHARED = """
INSERT INTO shared VALUES (?, ?, ?)
ON CONFLICT (digest) DO UPDATE SET used_ns = excluded.used_ns WHERE used_ns < ?
"""

_LAST_STAMP = """
SELECT max(
    coalesce((SELECT arrived_ns FROM trace ORDER BY number DESC LIMIT 1), 0),
    coalesce((SELECT max(used_ns) FROM shared), 0)
)
"""


class Bounds(NamedTuple):
    """How much is kept: the size of the file in bytes, and for how long, in nanoseconds."""

    size: int
    keep_ns: int


class StoreFullError(OSError):
    """There is no room for it: on the disk, or below the limit even if all else were removed."""


class StoreBusyError(OSError):
    """Somebody else keeps the file; trying again may help."""


class StoreWriter:
    """Writes to an open store; for one thread. `clock` gives the time in nanoseconds since 1970."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, bounds: Bounds, clock: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._path = path
        self._clock = clock
        self._stamps = _Stamps(clock, connection.execute(_LAST_STAMP).fetchone()[0])
        self._log = path.with_name(f"{path.name}-wal")
        self._log_bytes = min(_MOST_LOG, max(_LEAST_LOG, bounds.size // _PART))
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA cache_size = -{_CACHE_BYTES // 1024}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {self._log_bytes // page}")
        connection.execute(f"PRAGMA journal_size_limit = {self._log_bytes}")
        self._retention = Retention(connection, *bounds)

    def write(self, batches: Sequence[Batch]) -> None:
        """Store all batches or nothing; StoreFullError, StoreBusyError or another OSError.

        Where they would make the file larger than it may get, the oldest gives way.
        """
        rows = [row for batch in batches for row in batch.rows]
        rollup = Rollup(rows)
        try:
            self._bound_log()
            for generous in _GENEROUS:
                try:
                    self._insert(batches, rows, rollup)
                except sqlite3.Error as error:
                    size = int(sum(batch.size for batch in batches) * generous)
                    if _code(error) != sqlite3.SQLITE_FULL or not self._retention.make_room(size):
                        raise
                else:
                    return
            self._insert(batches, rows, rollup)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise self._refusal(error, f"refused {len(rows)} records") from error

    def tidy(self) -> bool:
        """Remove a little of what need not be kept; say whether there is more. Raises OSError."""
        try:
            return self._retention.step(self._stamps.now(), self._clock())
        except sqlite3.Error as error:
            raise self._refusal(error, "could not be tidied") from error

    def rest(self) -> bool:
        """While nothing arrives, give back disk and memory; say whether there is more. Raises OSError."""
        try:
            if self._retention.give_back():
                return True
            self._checkpoint()
            self._connection.execute("PRAGMA shrink_memory")
        except sqlite3.Error as error:
            raise self._refusal(error, "could not be made smaller") from error
        return False

    def _insert(self, batches: Sequence[Batch], rows: Sequence[Row], rollup: Rollup) -> None:
        by_kind: dict[type[Row], list[Row]] = {kind: [] for kind in _INSERTS}
        for row in rows:
            by_kind[type(row)].append(row)
        execute_all = self._connection.executemany
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            now, stamp = self._clock(), self._stamps.now()
            for batch in batches:
                shared = ((*pair, stamp, stamp - REFRESHED_NS) for pair in batch.shared.items())
                execute_all(_INSERT_SHARED, shared)
            for kind, of_kind in by_kind.items():
                execute_all(_INSERTS[kind], of_kind)
            execute_all(MERGE, ((*row, stamp) for row in rollup.traces.values()))
            execute_all(ADD_SERVICE, sorted(rollup.services))
            arrivals = (
                {"service": service, "vendor": vendor, "count": count, "now": now, "most": MOST_ARRIVALS}
                for (service, vendor), count in rollup.arrivals.items()
            )
            execute_all(ADD_ARRIVAL, arrivals)

    def _bound_log(self) -> None:
        """Keep the log small, which SQLite cannot use again while somebody reads what is in it."""
        if self._log_size() > _LARGE * self._log_bytes:
            self._checkpoint()
            if self._log_size() > _TOO_LARGE * self._log_bytes:
                raise StoreBusyError(f"the telemetry store {self._path} is read by somebody who does not end")

    def _log_size(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self._log.stat().st_size
        return 0

    def _checkpoint(self) -> None:
        """Copy the log and empty it; those who read are waited for, but not for long."""
        self._connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")

    def _refusal(self, error: Exception, what: str) -> OSError:
        code = _code(error)
        if code == sqlite3.SQLITE_FULL:
            return StoreFullError(f"no room for more in the telemetry store {self._path}, or on its disk")
        kind = StoreBusyError if code in _BUSY else OSError
        return kind(f"the telemetry store {what}: {error}")


class _Stamps:
    """Times that never go back, whatever the clock does: what is stamped later was used later."""

    def __init__(self, clock: Callable[[], int], last: int) -> None:
        self._clock = clock
        self._last = last
        self._at = time.monotonic_ns()

    def now(self) -> int:
        """The time; where the clock was put back, the last one goes on."""
        at = time.monotonic_ns()
        self._last = max(self._clock(), self._last + at - self._at)
        self._at = at
        return self._last


def _code(error: Exception) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY

"""The store: one SQLite file, what writes to it, and what reads traces out of it."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from bootstrap.collector.evidence import Evidence, of_trace
from bootstrap.collector.layout import bring_up_to_date, set_aside
from bootstrap.collector.records import Attributes, Scope, Segment, Span, Trace
from bootstrap.collector.rollup import ADD_ARRIVAL, ADD_SERVICE, MERGE, MOST_ARRIVALS, Rollup
from bootstrap.collector.rows import Batch, GroupRow, ItemRow, LineRow, OperationRow, Row, StreamRow
from bootstrap.collector.search import Search
from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error

_BUSY_SECONDS = 5.0
_READ_BYTES = 16 * 1024 * 1024
_CACHE_BYTES = 16 * 1024 * 1024
_CHECKPOINT_BYTES = 16 * 1024 * 1024

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

# Within a minute, to write it down once is enough.
_INSERT_SHARED = """
INSERT INTO shared VALUES (?, ?, ?)
ON CONFLICT (digest) DO UPDATE SET used_ns = excluded.used_ns
WHERE used_ns < excluded.used_ns - 60 * 1000000000
"""

_TRACE = "SELECT kind, body, resource, scope FROM operation WHERE trace_id = ? ORDER BY start_ns, id"
_SHARED = "SELECT body FROM shared WHERE digest = ?"

_read_span = msgspec.json.Decoder(Span).decode
_read_segment = msgspec.json.Decoder(Segment).decode


class StoreFullError(OSError):
    """There is no room; trying again does not help."""


class Store:
    """The SQLite file at `path`, created with mode 0600 in a folder that exists.

    Any thread may read; one thread at a time may write. `limit` is the size in bytes to which it may grow.
    The file of an earlier version gets the tables that it lacks, or is renamed where that cannot be done.
    Raises BootstrapError if the file cannot be used.
    """

    def __init__(self, path: Path, limit: int = 1 << 30) -> None:
        self._path = path
        self._limit = limit
        _make_private(path)
        #: reads what CloudWatch Logs can be asked for
        self.evidence = Evidence(self._connection)
        #: reads for the pages, the API and the terminal
        self.search = Search(self._connection)
        try:
            set_aside(path)
            _make_private(path)
            with self._connection() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                bring_up_to_date(connection)
        except sqlite3.Error as error:
            raise BootstrapError(
                f"{path}: cannot be used as the telemetry store: {error}",
                "Move the file away; a new one is made at the next start.",
            ) from error
        except OSError as error:
            raise file_error("set aside the telemetry store", path, error) from error

    @property
    def limit(self) -> int:
        """The size in bytes to which it may grow."""
        return self._limit

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            # In WAL mode NORMAL loses nothing when the process is killed, and keeps the file whole when the
            # machine is: https://www.sqlite.org/pragma.html#pragma_synchronous
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def writer(self) -> Iterator["StoreWriter"]:
        """An open connection for writing."""
        with self._connection() as connection:
            page = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute(f"PRAGMA cache_size = -{_CACHE_BYTES // 1024}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_BYTES // page}")
            connection.execute(f"PRAGMA max_page_count = {max(1, self._limit // page)}")
            yield StoreWriter(connection, self._path)

    def trace(self, trace_id: str, *, limit: int = _READ_BYTES) -> Trace | None:
        """What stands under a trace id in W3C form, or None if nothing does.

        Only about the first `limit` bytes of spans and segments, of lines and of items, the oldest: what is
        stored once may come back often.
        """
        with self._connection() as connection:
            spans, segments, truncated = _operations(connection, trace_id, limit)
            lines, items, more = of_trace(connection, trace_id, limit)
        if not (spans or segments or lines or items):
            return None
        return Trace(trace_id, spans, segments, truncated=truncated or more, lines=lines, items=items)


def _operations(
    connection: sqlite3.Connection, trace_id: str, limit: int
) -> tuple[list[Span], list[Segment], bool]:
    """The spans and segments of a trace, and whether there are more than about `limit` bytes of them."""
    spans: list[Span] = []
    segments: list[Segment] = []
    resources, scopes = _Shared(connection, Attributes), _Shared(connection, Scope)
    for kind, body, resource, scope in connection.execute(_TRACE, (trace_id,)):
        limit -= len(body)
        if kind == "span":
            resource_size, resource_value = resources.get(resource)
            scope_size, scope_value = scopes.get(scope)
            limit -= resource_size + scope_size
            span = _read_span(body)
            spans.append(replace(span, resource=resource_value, scope=scope_value))
        else:
            segments.append(_read_segment(body))
        if limit < 0:
            return spans, segments, True
    return spans, segments, False


class _Shared:
    """What rows refer to, of one type, read and decoded once."""

    def __init__(self, connection: sqlite3.Connection, kind: Any) -> None:
        self._connection = connection
        self._kind = kind
        self._known: dict[bytes, tuple[int, Any]] = {}

    def get(self, digest: bytes) -> tuple[int, Any]:
        """Its size in bytes of JSON, and itself."""
        if digest not in self._known:
            [body] = self._connection.execute(_SHARED, (digest,)).fetchone()
            self._known[digest] = (len(body), msgspec.json.decode(body, type=self._kind))
        return self._known[digest]


class StoreWriter:
    """The writing side of an open store."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def write(self, batches: Sequence[Batch]) -> None:
        """Store all batches or nothing; StoreFullError, or another OSError (locked for too long)."""
        rows = [row for batch in batches for row in batch.rows]
        by_kind: dict[type[Row], list[Row]] = {kind: [] for kind in _INSERTS}
        for row in rows:
            by_kind[type(row)].append(row)
        rollup, now = Rollup(rows), time.time_ns()
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for batch in batches:
                    shared = ((digest, body, now) for digest, body in batch.shared.items())
                    self._connection.executemany(_INSERT_SHARED, shared)
                for kind, of_kind in by_kind.items():
                    self._connection.executemany(_INSERTS[kind], of_kind)
                self._connection.executemany(MERGE, ((*row, now) for row in rollup.traces.values()))
                self._connection.executemany(ADD_SERVICE, sorted(rollup.services))
                for (service, vendor), count in rollup.arrivals.items():
                    arrival = {
                        "service": service,
                        "vendor": vendor,
                        "count": count,
                        "now": now,
                        "most": MOST_ARRIVALS,
                    }
                    self._connection.execute(ADD_ARRIVAL, arrival)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise StoreFullError(
                    f"the telemetry store {self._path} is full (or its disk is), and nothing more is kept: "
                    "stop the collector and move the file away"
                ) from error
            raise OSError(f"the telemetry store refused {len(rows)} records: {error}") from error
        except (OverflowError, UnicodeError) as error:
            raise OSError(f"the telemetry store refused {len(rows)} records: {error}") from error


def _make_private(path: Path) -> None:
    """Create the file for this user alone; SQLite gives its companions (-wal, -shm) the same mode.

    A file that exists is not opened here: closing it would drop SQLite's own locks on it
    (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise BootstrapError(f"{path}: is not a file of yours", "Move it out of the way.")
        path.chmod(0o600)
    except OSError as error:
        raise file_error("open the telemetry store", path, error) from error

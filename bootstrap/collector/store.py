"""The store: one SQLite file; the only SQL of the collector."""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bootstrap.collector.records import Record, Segment, Span, Trace, TraceSummary
from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error

_VERSION = 1
_BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE trace (
    trace_id TEXT PRIMARY KEY,
    start_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX trace_by_start ON trace (start_ns);
CREATE TABLE operation (
    trace_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('span', 'segment', 'subsegment')),
    id TEXT NOT NULL,
    parent_id TEXT,
    service TEXT,
    name TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    error INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX operation_by_id ON operation (trace_id, id, kind = 'span');
"""

# What was sent twice is stored once. Only a segment that was still running gives way to what came later.
_INSERT = """
INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (trace_id, id, kind = 'span') DO UPDATE SET
    kind = excluded.kind, parent_id = excluded.parent_id, service = excluded.service, name = excluded.name,
    start_ns = excluded.start_ns, end_ns = excluded.end_ns, error = excluded.error, body = excluded.body
WHERE operation.end_ns IS NULL
"""

_INSERT_TRACE = """
INSERT INTO trace VALUES (?, ?)
ON CONFLICT (trace_id) DO UPDATE SET start_ns = min(start_ns, excluded.start_ns)
"""

_LATEST = """
WITH page AS (
    SELECT trace_id, start_ns FROM trace
    WHERE :service IS NULL OR EXISTS (
        SELECT 1 FROM operation WHERE operation.trace_id = trace.trace_id AND operation.service = :service
    )
    ORDER BY start_ns DESC, trace_id LIMIT :limit
)
SELECT
    page.trace_id,
    json_group_array(DISTINCT service) FILTER (WHERE service IS NOT NULL),
    (
        SELECT name FROM operation AS root WHERE root.trace_id = page.trace_id
        ORDER BY parent_id IS NOT NULL, kind = 'subsegment', kind != 'span', start_ns LIMIT 1
    ),
    page.start_ns,
    max(end_ns) - page.start_ns,
    sum(kind = 'span'),
    sum(kind = 'segment'),
    max(error)
FROM page JOIN operation USING (trace_id)
GROUP BY page.trace_id
ORDER BY page.start_ns DESC, page.trace_id
"""


class Row(NamedTuple):
    """A record as the table has it."""

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


def to_row(record: Record) -> Row:
    """Encode a record; raises what msgspec raises for what JSON cannot hold."""
    if isinstance(record, Span):
        kind, identity, error = "span", record.span_id, record.status.code == "error"
    else:
        kind = "subsegment" if record.is_subsegment else "segment"
        identity, error = record.segment_id, record.error
    return Row(
        trace_id=record.trace_id,
        kind=kind,
        id=identity,
        parent_id=record.parent_id,
        service=_service(record),
        name=record.name,
        start_ns=record.start_ns,
        end_ns=record.end_ns,
        error=error,
        body=msgspec.json.encode(record),
    )


def _service(record: Record) -> str | None:
    """Who made it: X-Ray names a segment after its service, a subsegment after what was called."""
    if isinstance(record, Span):
        return record.service
    return None if record.is_subsegment else record.name


class Store:
    """The SQLite file at `path`, created with mode 0600 in a folder that exists.

    Any thread may read; one thread at a time may write. Raises BootstrapError if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _make_private(path)
        try:
            self._prepare()
        except sqlite3.Error as error:
            raise BootstrapError(
                f"{path}: cannot be used as the telemetry store: {error}",
                "Move the file away; a new one is made at the next start.",
            ) from error

    def _prepare(self) -> None:
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version not in {0, _VERSION}:
                    raise sqlite3.DatabaseError(
                        f"its layout is version {version}, this program's is {_VERSION}"
                    )
                if version == 0:
                    for statement in _SCHEMA.split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {_VERSION}")

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
            yield StoreWriter(connection)

    def latest(self, *, limit: int, service: str | None = None) -> list[TraceSummary]:
        """The traces that started last, newest first; with `service`, only those it took part in."""
        with self._connection() as connection:
            rows = connection.execute(_LATEST, {"limit": limit, "service": service}).fetchall()
        return [
            TraceSummary(
                trace_id=trace_id,
                services=sorted(msgspec.json.decode(services, type=list[str])),
                name=name,
                start_ns=start_ns,
                duration_ns=duration_ns,
                span_count=span_count,
                segment_count=segment_count,
                error=bool(error),
            )
            for trace_id, services, name, start_ns, duration_ns, span_count, segment_count, error in rows
        ]

    def trace(self, trace_id: str) -> Trace | None:
        """Everything under a trace id in W3C form, or None if nothing is."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT kind, body FROM operation WHERE trace_id = ? ORDER BY start_ns, id", (trace_id,)
            ).fetchall()
        if not rows:
            return None
        return Trace(
            trace_id,
            spans=[msgspec.json.decode(body, type=Span) for kind, body in rows if kind == "span"],
            segments=[msgspec.json.decode(body, type=Segment) for kind, body in rows if kind != "span"],
        )


class StoreWriter:
    """The writing side of an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write(self, rows: Sequence[Row]) -> None:
        """Store all rows or none; raises OSError when the store refuses (full disk, locked for too long)."""
        starts: dict[str, int] = {}
        for row in rows:
            starts[row.trace_id] = min(row.start_ns, starts.get(row.trace_id, row.start_ns))
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(_INSERT, rows)
                self._connection.executemany(_INSERT_TRACE, starts.items())
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
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

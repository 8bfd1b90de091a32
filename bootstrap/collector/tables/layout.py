"""The store's tables, and how a file with those of an earlier version becomes one with today's.

- trace: one row per trace id, in the order of arrival (`number`, `arrived_ns`). `start_ns` and `end_ns` are
  those of its spans and segments, `error` whether any of them has one, `name` and `service` those of its
  root, which is the operation of the lowest `rank` (see rollup.py) that started first, at `root_ns`.
- trace_service: which services took part in which trace, by its number: what arrives is then added at the
  end, and what is read at once lies together.
- arrival: what each service has sent to each vendor, how often, and when (by this machine's clock).
- operation: spans and segments; `shared` has what many of them refer to, with when that was last used.
"""

import glob
import sqlite3
from pathlib import Path

_OPERATIONS = """
CREATE TABLE trace (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL UNIQUE,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    error INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    root_ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    service TEXT,
    arrived_ns INTEGER NOT NULL
);
CREATE INDEX trace_by_start ON trace (start_ns, end_ns, error);
CREATE TABLE trace_service (
    number INTEGER NOT NULL,
    service TEXT NOT NULL,
    PRIMARY KEY (number, service)
) WITHOUT ROWID;
CREATE TABLE arrival (
    service TEXT NOT NULL,
    vendor TEXT NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (service, vendor)
) WITHOUT ROWID;
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
    body BLOB NOT NULL,
    resource BLOB,
    scope BLOB
);
CREATE TABLE shared (
    digest BLOB PRIMARY KEY,
    body BLOB NOT NULL,
    used_ns INTEGER NOT NULL
);
CREATE INDEX shared_by_use ON shared (used_ns);
CREATE UNIQUE INDEX operation_by_id ON operation (trace_id, id, kind = 'span')
"""

_LINES_AND_ITEMS = """
CREATE TABLE log_group (
    name TEXT PRIMARY KEY,
    created_ns INTEGER NOT NULL,
    retention_days INTEGER
) WITHOUT ROWID;
CREATE TABLE log_stream (
    group_name TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    PRIMARY KEY (group_name, name)
) WITHOUT ROWID;
CREATE TABLE log_line (
    number INTEGER PRIMARY KEY,
    group_name TEXT NOT NULL,
    stream_name TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    ingested_ns INTEGER NOT NULL,
    trace_id TEXT,
    service TEXT,
    structured INTEGER NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX log_line_by_time ON log_line (time_ns);
CREATE INDEX log_line_by_stream ON log_line (group_name, stream_name, time_ns);
CREATE INDEX log_line_by_trace ON log_line (trace_id) WHERE trace_id IS NOT NULL;
CREATE TABLE item (
    number INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    trace_id TEXT,
    service TEXT,
    level TEXT NOT NULL,
    title TEXT NOT NULL,
    environment TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    body BLOB NOT NULL,
    arrived_ns INTEGER NOT NULL
);
CREATE INDEX item_by_time ON item (time_ns);
CREATE INDEX item_by_trace ON item (trace_id) WHERE trace_id IS NOT NULL
"""

_GROUPS_OF_ITEMS = "CREATE INDEX item_by_title ON item (title, level, service, environment, time_ns)"

VERSION = 5

# What each version that can become today's still lacks.
_MISSING = {0: (_OPERATIONS, _LINES_AND_ITEMS, _GROUPS_OF_ITEMS), 4: (_GROUPS_OF_ITEMS,), VERSION: ()}

_COMPANIONS = ("-wal", "-shm")


def set_aside(path: Path) -> Path | None:
    """Rename a store whose tables no code knows any more, so that a new one can be made in its place.

    Returns where it is then; one that was set aside before is gone. Raises sqlite3.Error if it is none or
    cannot be read, OSError if it cannot be renamed.
    """
    connection = sqlite3.connect(path)
    try:
        version = _version(connection)
        if version in _MISSING or version > VERSION:
            return None
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    for before in path.parent.glob(f"{glob.escape(path.name)}.version-*"):
        before.unlink()
    for suffix in ("", *_COMPANIONS):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.version-{version}{suffix}"))
    return path.with_name(f"{path.name}.version-{version}")


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing; sqlite3.DatabaseError if a later program has written the file."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version not in _MISSING:
            raise sqlite3.DatabaseError(f"its layout is version {version}, this program's is {VERSION}")
        if version == VERSION:
            return
        for tables in _MISSING[version]:
            for statement in tables.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version

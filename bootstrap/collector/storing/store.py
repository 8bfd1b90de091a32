"""The store: one SQLite file, and what reads traces out of it; what writes to it is in transactions.py."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from bootstrap.collector.asking import reading
from bootstrap.collector.asking.evidence import Evidence
from bootstrap.collector.asking.search import Search
from bootstrap.collector.reporting import complain
from bootstrap.collector.storing.transactions import Bounds, StoreWriter
from bootstrap.collector.tables.layout import bring_up_to_date, set_aside
from bootstrap.collector.telemetry.records import Trace
from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import file_error

_BUSY_SECONDS = 5.0
_KEEP = timedelta(days=7)


class Store:
    """The SQLite file at `path`, created with mode 0600 in a folder that exists.

    Any thread may read; one thread at a time may write. `limit` is the size in bytes to which it may grow,
    `keep` for how long something is kept. SQLite's log beside it takes 128 MiB at most, or 256 where somebody
    reads without an end. The file of an earlier version gets the tables that it lacks, or is renamed where
    that cannot be done. Raises BootstrapError if the file cannot be used.
    """

    def __init__(self, path: Path, limit: int = 1 << 30, keep: timedelta = _KEEP) -> None:
        self._path = path
        self._bounds = Bounds(limit, int(keep.total_seconds()) * 1_000_000_000)
        _make_private(path)
        #: reads what CloudWatch Logs can be asked for
        self.evidence = Evidence(self._connection)
        #: reads for the pages, the API and the terminal
        self.search = Search(self._connection)
        try:
            if (aside := set_aside(path)) is not None:
                complain(f"the telemetry of an earlier version is in {aside} now, until the next such change")
            _make_private(path)
            with self._connection() as connection:
                # Only a file without tables takes it up.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
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
        return self._bounds.size

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
    def writer(self, clock: Callable[[], int] = time.time_ns) -> Iterator[StoreWriter]:
        """An open connection for writing."""
        with self._connection() as connection:
            yield StoreWriter(connection, self._path, self._bounds, clock)

    def trace(self, trace_id: str, *, limit: int = reading.READ_BYTES) -> Trace | None:
        """What stands under a trace id in W3C form, or None if nothing does.

        Only about the first `limit` bytes of spans and segments, of lines and of items, the oldest: what is
        stored once may come back often.
        """
        with self._connection() as connection:
            # What is read refers to what is read after it.
            connection.execute("BEGIN")
            return reading.whole(connection, trace_id, limit)


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

"""Tells readers what arrives, as it is committed: log lines and items at once, traces once they are quiet.

Nothing here grows without bound, waits for a reader, or does anything while there is none.
"""

import contextlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from bootstrap.collector.reporting import complain
from bootstrap.collector.storing.store import Store
from bootstrap.collector.tables.rows import Batch, ItemRow, LineRow, OperationRow, Row
from bootstrap.collector.telling.events import of_item, of_line, of_trace, read_item, read_line
from bootstrap.collector.telling.mailbox import Mailbox
from bootstrap.collector.telling.quiet import Quiet
from bootstrap.collector.telling.wishes import Wishes

MOST_READERS = 20

_INBOX_BYTES = 16 * 1024 * 1024
_TOLD_AT_ONCE = 200
_REMEMBERED = 2_000


class Reader:
    """Somebody who is told."""

    def __init__(self, wishes: Wishes, mailbox: Mailbox) -> None:
        self.wishes = wishes
        self.mailbox = mailbox
        # What was said of which trace last, so that it is not said twice.
        self._told: dict[str, int] = {}

    def tell_trace(self, trace_id: str, event: bytes) -> None:
        """Tell of a trace, unless there is nothing new about it."""
        said = hash(event)
        if self._told.pop(trace_id, None) != said:
            self.mailbox.put(event)
        self._told[trace_id] = said
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]


class Feed:
    """Between the thread that writes and the readers; traces are read out of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._readers: tuple[Reader, ...] = ()
        self._inbox: deque[tuple[Sequence[Row], int]] = deque()
        self._inbox_bytes = 0
        self._ended = False
        self._quiet = Quiet()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def committed(self, batches: Sequence[Batch]) -> None:
        """Take what was stored, on the thread that writes; what is too much is counted as skipped."""
        if not self._readers:
            return
        with self._changed:
            for batch in batches:
                if self._inbox and self._inbox_bytes + batch.size > _INBOX_BYTES:
                    self._skip(_events(batch.rows))
                else:
                    self._inbox.append((batch.rows, batch.size))
                    self._inbox_bytes += batch.size
            self._changed.notify()

    def join(self, wishes: Wishes) -> Reader | None:
        """Become a reader, on the loop that runs; None if there are too many, or the collector stops."""
        with self._changed:
            if self._ended or len(self._readers) >= MOST_READERS:
                return None
            reader = Reader(wishes, Mailbox())
            self._readers = (*self._readers, reader)
            return reader

    def leave(self, reader: Reader) -> None:
        """Be a reader no more."""
        with self._changed:
            self._readers = tuple(other for other in self._readers if other is not reader)
            self._changed.notify()

    def end(self) -> None:
        """End every stream, and let none begin."""
        with self._changed:
            self._ended = True
            for reader in self._readers:
                reader.mailbox.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the thread that tells."""
        self._thread.start()
        try:
            yield
        finally:
            self.end()
            with self._changed:
                self._readers = ()
                self._changed.notify()
            self._thread.join()

    def _run(self) -> None:
        while self._wait():
            rows = self._take()
            readers, now = self._readers, time.monotonic()
            for row in rows:
                _tell_row(row, readers)
                trace_id = _trace_of(row)
                if trace_id and not self._quiet.touch(trace_id, now):
                    self._skip(1)
            self._tell_traces(readers, now)

    def _wait(self) -> bool:
        """Wait until there is something to tell; False at the end."""
        with self._changed:
            while not self._inbox:
                if not self._readers:
                    self._quiet.clear()
                    if self._ended:
                        return False
                seconds = self._quiet.seconds_left(time.monotonic())
                if seconds == 0.0:
                    break
                self._changed.wait(seconds)
            return True

    def _take(self) -> Sequence[Row]:
        with self._changed:
            if not self._inbox:
                return ()
            rows, size = self._inbox.popleft()
            self._inbox_bytes -= size
            return rows

    def _skip(self, count: int) -> None:
        for reader in self._readers:
            reader.mailbox.skip(count)

    def _tell_traces(self, readers: Sequence[Reader], now: float) -> None:
        due = self._quiet.take(now, _TOLD_AT_ONCE)
        interested = [reader for reader in readers if "traces" in reader.wishes.kinds]
        if not due or not interested:
            return
        try:
            summaries = self._store.search.summaries(due)
            # Oldest first, as they would have come one by one.
            events = {each.trace_id: of_trace(each) for each in reversed(summaries)}
            for reader in interested:
                wanted = self._store.search.among(list(events), reader.wishes.wanted)
                for trace_id, event in events.items():
                    if trace_id in wanted:
                        reader.tell_trace(trace_id, event)
        except (sqlite3.Error, OSError) as error:
            complain(f"the live stream cannot read the store: {error}")
            self._skip(len(due))


def _trace_of(row: Row) -> str | None:
    return row.trace_id if isinstance(row, OperationRow | LineRow | ItemRow) else None


def _events(rows: Iterable[Row]) -> int:
    """How many events rows would make."""
    alone = sum(isinstance(row, LineRow | ItemRow) for row in rows)
    return alone + len({trace_id for row in rows if (trace_id := _trace_of(row))})


def _tell_row(row: Row, readers: Sequence[Reader]) -> None:
    """Tell of a log line or an item; it is read, and written, once for all."""
    match row:
        case LineRow() if any("logs" in reader.wishes.kinds for reader in readers):
            line = read_line(row)
            wanting = [reader for reader in readers if reader.wishes.line(line)]
            event = of_line(line) if wanting else b""
        case ItemRow() if any("items" in reader.wishes.kinds for reader in readers):
            item = read_item(row)
            wanting = [reader for reader in readers if reader.wishes.item(item)]
            event = of_item(item) if wanting else b""
        case _:
            return
    for reader in wanting:
        reader.mailbox.put(event)

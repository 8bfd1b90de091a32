"""The one thread that writes: takes records from every receiver and commits them in groups."""

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import msgspec

from bootstrap.collector.masking import Masker
from bootstrap.collector.records import Record
from bootstrap.collector.reporting import complain
from bootstrap.collector.store import Row, Store, StoreWriter, to_row

_QUEUED_BATCHES = 256
_ROWS_PER_COMMIT = 5_000


class _Batch(NamedTuple):
    rows: Sequence[Row]
    stored: Future[None]


class Writer:
    """Masks, encodes and stores records; nothing reaches the store past it."""

    def __init__(self, store: Store, masker: Masker) -> None:
        self._store = store
        self._masker = masker
        self._queue: queue.Queue[_Batch | None] = queue.Queue(_QUEUED_BATCHES)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    @property
    def masker(self) -> Masker:
        """For what a receiver has to mask before it becomes text."""
        return self._masker

    def prepare(self, record: Record) -> Row:
        """Mask and encode a record, on the caller's thread; ValueError if it cannot be written down."""
        try:
            return to_row(record.masked(self._masker))
        except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError) as error:
            raise ValueError(f"not to be written down: {error}") from error

    def submit(self, rows: Sequence[Row]) -> Future[None]:
        """Hand over what `prepare` made; the future is done once it is committed, or has an OSError.

        Waits while the queue is full, so it belongs on a worker thread.
        """
        stored: Future[None] = Future()
        if rows:
            self._queue.put(_Batch(rows, stored))
        else:
            stored.set_result(None)
        return stored

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the thread; on the way out everything that was submitted is committed."""
        self._thread.start()
        try:
            yield
        finally:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        with self._store.writer() as connection:
            last = False
            while not last:
                group, last = self._next_group()
                _commit(connection, group)

    def _next_group(self) -> tuple[list[_Batch], bool]:
        """Wait for a batch and take what else is waiting: a commit costs the same for one and for many."""
        group: list[_Batch] = []
        rows = 0
        batch = self._queue.get()
        while batch is not None:
            group.append(batch)
            rows += len(batch.rows)
            if rows >= _ROWS_PER_COMMIT:
                return group, False
            try:
                batch = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True


def _commit(connection: StoreWriter, group: Sequence[_Batch]) -> None:
    """Store a group in one transaction and tell every sender."""
    try:
        connection.write([row for batch in group for row in batch.rows])
    except OSError as error:
        complain(str(error))
        for batch in group:
            batch.stored.set_exception(error)
    else:
        for batch in group:
            batch.stored.set_result(None)

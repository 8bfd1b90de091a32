"""The one thread that writes: takes batches from every receiver and commits them in groups."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from bootstrap.collector.masking import Masker
from bootstrap.collector.queues import ByteQueue
from bootstrap.collector.reporting import complain
from bootstrap.collector.rows import Batch
from bootstrap.collector.store import Store, StoreWriter

_QUEUED_BYTES = 64 * 1024 * 1024
_ROWS_PER_COMMIT = 5_000


class _Waiting(NamedTuple):
    batch: Batch
    stored: Future[None]


class Writer:
    """Stores what receivers hand over."""

    def __init__(
        self, store: Store, masker: Masker, committed: Callable[[Sequence[Batch]], None] | None = None
    ) -> None:
        self._store = store
        #: called on the writing thread after each commit; it must be quick, and raise nothing
        self._committed = committed
        self._masker = masker
        self._queue: ByteQueue[_Waiting] = ByteQueue(_QUEUED_BYTES)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._complained = ""

    @property
    def masker(self) -> Masker:
        """For what a receiver has to mask before it becomes text."""
        return self._masker

    def batch(self) -> Batch:
        """A new batch, to be filled on the caller's thread."""
        return Batch(self._masker)

    def submit(self, batch: Batch) -> Future[None]:
        """Hand over a batch; the future is done once it is committed, or has an OSError.

        Waits while the queue is full, so it belongs on a worker thread.
        """
        stored: Future[None] = Future()
        if batch.rows:
            self._queue.put(_Waiting(batch, stored), batch.size)
        else:
            stored.set_result(None)
        return stored

    def offer(self, batch: Batch) -> Future[None] | None:
        """The same for a thread that may not wait: None if the queue is full."""
        stored: Future[None] = Future()
        return stored if self._queue.offer(_Waiting(batch, stored), batch.size) else None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the thread; on the way out everything that was submitted is committed."""
        self._thread.start()
        try:
            yield
        finally:
            self._queue.close()
            self._thread.join()

    def _run(self) -> None:
        with self._store.writer() as connection:
            while group := self._next_group():
                self._commit(connection, group)

    def _next_group(self) -> list[_Waiting]:
        """Wait for a batch and take what else is waiting: a commit costs the same for one and for many."""
        group: list[_Waiting] = []
        rows = 0
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            rows += len(waiting.batch.rows)
            waiting = self._queue.get_nowait() if rows < _ROWS_PER_COMMIT else None
        return group

    def _commit(self, connection: StoreWriter, group: Sequence[_Waiting]) -> None:
        """Store a group in one transaction and tell every sender; a lasting trouble is complained of once."""
        try:
            connection.write([waiting.batch for waiting in group])
        except OSError as error:
            if str(error) != self._complained:
                complain(str(error))
            self._complained = str(error)
            for waiting in group:
                waiting.stored.set_exception(error)
        else:
            self._complained = ""
            for waiting in group:
                waiting.stored.set_result(None)
            if self._committed is not None:
                self._committed([waiting.batch for waiting in group])

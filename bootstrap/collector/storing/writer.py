"""The one thread that writes: takes batches from every receiver and commits them in groups."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from bootstrap.collector.reporting import complain
from bootstrap.collector.storing.queues import ByteQueue
from bootstrap.collector.storing.store import Store
from bootstrap.collector.storing.transactions import StoreBusyError, StoreWriter
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.masking import Masker

_QUEUED_BYTES = 64 * 1024 * 1024
_ROWS_PER_COMMIT = 5_000
_BYTES_PER_COMMIT = 8 * 1024 * 1024
# How often the store is looked after while much arrives, after how long a pause it is made smaller, and how
# often it is looked after from then on.
_BUSY_SECONDS, _REST_SECONDS, _TIDY_SECONDS = 0.5, 2.0, 60.0

# For how long the same trouble, or another one, is not spoken of after one was.
_SAME_SECONDS, _OTHER_SECONDS = 60.0, 1.0


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
        self._complaint, self._complained = "", -_SAME_SECONDS

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
            seconds = due = 0.0
            while True:
                try:
                    group = self._next_group(seconds)
                except TimeoutError:
                    seconds = self._use_the_pause(connection, seconds)
                    continue
                if not group:
                    return
                self._commit(connection, group)
                seconds = _REST_SECONDS
                if time.monotonic() >= due:
                    seconds = 0.0 if self._do(connection.tidy) else _REST_SECONDS
                    due = time.monotonic() + min(seconds, _BUSY_SECONDS)

    def _use_the_pause(self, connection: StoreWriter, seconds: float) -> float:
        """Do a little of what waits for a pause of so many seconds; how long to wait for more."""
        if self._do(connection.tidy):
            return 0.0
        if seconds < _REST_SECONDS:
            return _REST_SECONDS
        return 0.0 if self._do(connection.rest) else _TIDY_SECONDS

    def _next_group(self, seconds: float) -> list[_Waiting]:
        """Wait so long for a batch, and take what else waits: a commit costs the same for one and for many.

        Empty at the end. Raises TimeoutError.
        """
        group: list[_Waiting] = []
        rows = size = 0
        waiting = self._queue.get(seconds)
        while waiting is not None:
            group.append(waiting)
            rows += len(waiting.batch.rows)
            size += waiting.batch.size
            full = rows >= _ROWS_PER_COMMIT or size >= _BYTES_PER_COMMIT
            waiting = None if full else self._queue.get_nowait()
        return group

    def _commit(self, connection: StoreWriter, group: Sequence[_Waiting]) -> None:
        """Store a group in one transaction and tell every sender."""
        try:
            connection.write([waiting.batch for waiting in group])
        except OSError as error:
            if len(group) > 1 and not isinstance(error, StoreBusyError):
                # One that cannot be stored takes no others with it.
                for waiting in group:
                    self._commit(connection, [waiting])
                return
            self._complain(error)
            for waiting in group:
                waiting.stored.set_exception(error)
        else:
            for waiting in group:
                waiting.stored.set_result(None)
            if self._committed is not None:
                self._committed([waiting.batch for waiting in group])

    def _do(self, work: Callable[[], bool]) -> bool:
        """Look after the store; what cannot be done now is done later."""
        try:
            return work()
        except OSError as error:
            self._complain(error)
            return False

    def _complain(self, error: OSError) -> None:
        """Say what is wrong, but not over and over: of a lasting trouble, some writes may succeed."""
        now = time.monotonic()
        silence = _SAME_SECONDS if str(error) == self._complaint else _OTHER_SECONDS
        if now >= self._complained + silence:
            complain(str(error))
            self._complaint, self._complained = str(error), now

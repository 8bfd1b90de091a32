"""The X-Ray daemon's inlet for segments: UDP. What comes over TCP on the same port is `xray_api`'s."""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import msgspec

from bootstrap.collector.reporting import Tally, complain
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry.records import Segment
from bootstrap.collector.telemetry.segments import InvalidSegmentError, decode

_MAX_DATAGRAM = 65_535
_DATAGRAM_BYTES = 100  # what a short one takes besides its bytes
_QUEUED_BYTES = 64 * 1024 * 1024
_DRAINED_AT_ONCE = 1_000
_AT_ONCE = 32
_ROWS_PER_BATCH = 500
_BYTES_PER_BATCH = 4 * 1024 * 1024
_GATHERED_SECONDS = 0.02
_RETRY_SECONDS = 0.002
_STOP_SECONDS = 0.5
_LAST_BYTES = 1024 * 1024


class _Header(msgspec.Struct):
    """The first line of a datagram."""

    format: str
    version: int


def read_datagram(datagram: bytes) -> Segment:
    """The segment in a datagram; raises InvalidSegmentError.

    The header is judged as the daemon does: format json in any case, version 1.
    """
    first, found, document = datagram.partition(b"\n")
    if not found or not document:
        raise InvalidSegmentError("missing header or segment")
    try:
        header = msgspec.json.decode(first, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSegmentError("invalid header") from error
    if header.format.lower() != "json" or header.version != 1:
        raise InvalidSegmentError("invalid header")
    return decode(document)


class XRayReceiver:
    """Takes segments from a UDP socket.

    One thread empties the socket and decodes, a few datagrams at a time: the kernel throws away what does not
    fit its small buffer, so nothing may keep this thread from looking there for more than a moment.
    """

    def __init__(self, udp: socket.socket, writer: Writer, tally: Tally) -> None:
        self._udp = udp
        self._writer = writer
        self._tally = tally
        self._stopping = threading.Event()
        self._arrived: deque[bytes] = deque()
        self._room = _QUEUED_BYTES
        self._batch = writer.batch()
        self._began = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Receive until the end of the block; what has arrived by then goes to the writer, in half a second.

        With much more than half a second's work, what came last is lost.
        """
        waker, woken = socket.socketpair()
        with waker, woken:
            thread = threading.Thread(target=self._run, args=(woken,), name="xray", daemon=True)
            thread.start()
            try:
                yield
            finally:
                self._stopping.set()
                waker.close()
                thread.join()

    def _run(self, woken: socket.socket) -> None:
        self._udp.settimeout(0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._udp, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select(self._patience())
                self._drain()
                self._decode(_AT_ONCE)
                if self._is_full() or (not self._arrived and self._patience() == 0):
                    self._offer()
        self._drain()
        self._finish()

    def _patience(self) -> float | None:
        """How long to wait for the next datagram: a batch waits for more, as nobody waits for an answer."""
        if self._arrived:
            return 0
        if not self._batch.rows:
            return None
        return max(0.0, self._began + _GATHERED_SECONDS - time.monotonic())

    def _drain(self) -> None:
        """Take what the kernel holds, but look up now and then; what there is no room for is counted."""
        dropped = 0
        for _ in range(_DRAINED_AT_ONCE):
            try:
                datagram = self._udp.recv(_MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                break
            size = len(datagram) + _DATAGRAM_BYTES
            if size > self._room:
                dropped += 1
            else:
                self._room -= size
                self._arrived.append(datagram)
        if dropped:
            self._tally.add("xray", "dropped", dropped)

    def _decode(self, count: int) -> None:
        """Add so many datagrams to the batch, unless it is full; nobody hears what is wrong with one."""
        if not self._batch.rows:
            self._began = time.monotonic()
        if not self._is_full():
            count = min(count, len(self._arrived))
            self._batch.add_all(self._segments(self._take() for _ in range(count)), self._refuse)

    def _take(self) -> bytes:
        datagram = self._arrived.popleft()
        self._room += len(datagram) + _DATAGRAM_BYTES
        return datagram

    def _segments(self, datagrams: Iterable[bytes]) -> Iterator[Segment]:
        for datagram in datagrams:
            try:
                yield read_datagram(datagram)
            except InvalidSegmentError:
                self._refuse()

    def _refuse(self, _: str = "") -> None:
        self._tally.add("xray", "invalid")

    def _is_full(self) -> bool:
        return len(self._batch.rows) >= _ROWS_PER_BATCH or self._batch.size >= _BYTES_PER_BATCH

    def _offer(self) -> None:
        """Hand the batch over if the writer has room; else wait a little, and go on emptying the socket."""
        if not self._batch.rows:
            return
        stored = self._writer.offer(self._batch)
        if stored is None:
            time.sleep(_RETRY_SECONDS)
        else:
            self._handed_over(stored)

    def _handed_over(self, stored: Future[None]) -> None:
        count = len(self._batch.rows)
        self._batch = self._writer.batch()

        def tell(done: Future[None]) -> None:
            self._tally.add("xray", "lost" if done.exception() else "stored", count)

        stored.add_done_callback(tell)

    def _finish(self) -> None:
        """Decode what is left, for as long as there is time; however late it is, a little takes none."""
        deadline = time.monotonic() + _STOP_SECONDS
        while self._arrived:
            if time.monotonic() > deadline:
                self._shorten()
            self._decode(_AT_ONCE)
            if self._is_full():
                self._handed_over(self._writer.submit(self._batch))
        self._handed_over(self._writer.submit(self._batch))

    def _shorten(self) -> None:
        """Throw away what came last."""
        dropped = 0
        while _QUEUED_BYTES - self._room > _LAST_BYTES:
            self._room += len(self._arrived.pop()) + _DATAGRAM_BYTES
            dropped += 1
        if dropped:
            complain(f"{dropped} X-Ray segments that had arrived are lost: there was no time for them")

"""The X-Ray daemon's inlet for segments: UDP. What comes over TCP on the same port is `xray_api`'s."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import msgspec

from bootstrap.collector.queues import ByteQueue
from bootstrap.collector.records import Segment
from bootstrap.collector.reporting import Tally, complain
from bootstrap.collector.rows import Batch
from bootstrap.collector.segments import InvalidSegmentError, decode
from bootstrap.collector.writer import Writer

_MAX_DATAGRAM = 65_535
_DATAGRAM_BYTES = 100  # what a short one takes besides its bytes
_QUEUED_BYTES = 64 * 1024 * 1024
_DRAINED_AT_ONCE = 1_000
_DATAGRAMS_PER_BATCH = 500
_BYTES_PER_BATCH = 4 * 1024 * 1024
_POLL_SECONDS = 0.2
_STOP_SECONDS = 0.5
_LAST_BYTES = 1024 * 1024  # what takes no time to speak of, however late the decoder gets its turn


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
    """Takes segments from a UDP socket."""

    def __init__(self, udp: socket.socket, writer: Writer, tally: Tally) -> None:
        self._udp = udp
        self._writer = writer
        self._tally = tally
        self._stop = threading.Event()
        self._datagrams: ByteQueue[bytes] = ByteQueue(_QUEUED_BYTES)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Receive until the end of the block; what has arrived by then goes to the writer, in half a second.

        One thread does nothing but empty the socket, because the kernel throws away what does not fit its
        small buffer; another one decodes.
        """
        receiver = threading.Thread(target=self._receive, name="xray-udp", daemon=True)
        decoder = threading.Thread(target=self._decode, name="xray-decode", daemon=True)
        receiver.start()
        decoder.start()
        try:
            yield
        finally:
            self._stop.set()
            receiver.join()
            decoder.join(_STOP_SECONDS)
            if dropped := self._datagrams.shorten(_LAST_BYTES):
                complain(f"{dropped} X-Ray segments that had arrived are lost: there was no time for them")
            decoder.join()

    def _receive(self) -> None:
        self._udp.settimeout(0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._udp, selectors.EVENT_READ)
            stopping = False
            while not stopping:
                # Looked at before the last round, so that what arrived before the stop is still read.
                stopping = self._stop.is_set()
                if selector.select(0 if stopping else _POLL_SECONDS):
                    self._drain()
        self._datagrams.close()

    def _drain(self) -> None:
        """Take what the kernel holds, but look up now and then; what there is no room for is counted."""
        dropped = 0
        for _ in range(_DRAINED_AT_ONCE):
            try:
                datagram = self._udp.recv(_MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                break
            dropped += not self._datagrams.offer(datagram, len(datagram) + _DATAGRAM_BYTES)
        if dropped:
            self._tally.add("xray", "dropped", dropped)

    def _decode(self) -> None:
        datagram = self._datagrams.get()
        while datagram is not None:
            batch = self._writer.batch()
            size = 0
            while datagram is not None:
                self._read(datagram, batch)
                size += len(datagram)
                if len(batch.rows) >= _DATAGRAMS_PER_BATCH or size >= _BYTES_PER_BATCH:
                    break
                datagram = self._datagrams.get_nowait()
            self._hand_over(batch)
            datagram = self._datagrams.get()

    def _read(self, datagram: bytes, batch: Batch) -> None:
        """Add what a datagram holds; over UDP nobody can be told why it holds nothing."""
        try:
            batch.add(read_datagram(datagram))
        except ValueError:
            self._tally.add("xray", "invalid")

    def _hand_over(self, batch: Batch) -> None:
        def count(stored: Future[None]) -> None:
            self._tally.add("xray", "lost" if stored.exception() else "stored", len(batch.rows))

        if batch.rows:
            self._writer.submit(batch).add_done_callback(count)

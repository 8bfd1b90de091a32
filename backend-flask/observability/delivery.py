"""Delivers one vendor's telemetry from a thread of its own, and keeps account of it.

All that a request does is to append to a buffer. The buffer is bounded: a vendor that is away costs memory up
to the bound, then telemetry, and never a request.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Ready = TypeVar("Ready")

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_WARNINGS = 60.0
# The thread prepares a few items, then steps back for a moment: a request that waits for the interpreter
# meanwhile would wait for all of them.
_ITEMS_AT_A_TIME = 32
_STEP_BACK = 0.001  # seconds


@dataclass(frozen=True)
class Running:
    """A vendor that is on."""

    report: Callable[[], dict[str, object]]  # what has arrived, and what has not
    shut_down: Callable[[float], None]  # sends the rest and ends, within so many seconds
    ended: threading.Event = field(default_factory=threading.Event)  # set once that was asked for


@dataclass(frozen=True)
class Lost:
    """So many of a batch were lost."""

    count: int
    why: str


class Account:
    """What became of one vendor's telemetry since the process started. Safe in any thread."""

    def __init__(self, vendor: str, noun: str) -> None:
        self._vendor, self._noun = vendor, noun
        self._lock = threading.Lock()
        self._sent = self._dropped = 0
        self._last_failure: str | None = None
        self._said = 0  # of those dropped, in the log
        self._next_warning = 0.0

    def sent(self, count: int = 1) -> None:
        """So many have arrived; a negative number takes back what was said too early."""
        with self._lock:
            self._sent += count

    def dropped(self, why: str, count: int = 1) -> None:
        """So many are given up. `why` ends up in the log and the health check: it never holds a value."""
        with self._lock:
            self._dropped += count
            self._last_failure = why
            now = time.monotonic()
            due = now >= self._next_warning
            if due:
                self._next_warning = now + _SECONDS_BETWEEN_WARNINGS
        if due:
            self.say()

    def say(self) -> None:
        """Warn of what is dropped, if it is more than the log knows already."""
        with self._lock:
            unsaid, self._said = self._dropped > self._said, self._dropped
        if unsaid:
            _log.warning(
                "%s: %d %s dropped so far, last because %s",
                self._vendor,
                self._said,
                self._noun,
                self._last_failure,
            )

    def report(self) -> dict[str, object]:
        """The account, for the health check."""
        return {"sent": self._sent, "dropped": self._dropped, "last_failure": self._last_failure}


class Delivery(Generic[Item, Ready]):
    """A bounded buffer and the thread that empties it, batch by batch.

    `prepare` makes one item ready; `send` delivers a batch of them and answers None, or why all of it failed,
    or how much of it, after as many attempts as are worthwhile. Both run in the thread only.
    """

    def __init__(
        self,
        account: Account,
        prepare: Callable[[Item], Ready],
        send: Callable[[list[Ready]], Lost | str | None],
        *,
        most: int,
        batch: int,
        seconds: float,
    ) -> None:
        self.account = account
        self._prepare, self._send = prepare, send
        self._most, self._batch, self._seconds = most, batch, seconds
        self._buffer: deque[Item] = deque()
        self._in_flight = 0
        self._stopping = False
        self._given_up = (
            False  # the account is closed: what is left counts as dropped, whatever becomes of it
        )
        self._wake = threading.Event()
        self._flushes: list[threading.Event] = []
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"deliver-{id(self)}")
        self._thread.start()

    def put(self, item: Item) -> None:
        """Take one item on, or count it as dropped; never waits."""
        if self._stopping:
            self.account.dropped("the process was ending")
        elif self._waiting() >= self._most:
            self.account.dropped("too many were waiting already")
        else:
            self._buffer.append(item)

    def report(self) -> dict[str, object]:
        """The account and what is still waiting, for the health check."""
        return {**self.account.report(), "waiting": 0 if self._given_up else self._waiting()}

    def flush(self, seconds: float) -> bool:
        """Send what waits now, for so long at most. True: it was tried; `report` says with what success."""
        if not self._thread.is_alive():
            return False
        done = threading.Event()
        self._flushes.append(done)
        self._wake.set()
        return done.wait(seconds)

    def stop(self, seconds: float) -> None:
        """Send what waits, for so long at most; count the rest as dropped."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)
        left = self._waiting()
        if left and not self._given_up:
            self._given_up = True
            self.account.dropped("the process ended first", left)
        self.account.say()

    def _waiting(self) -> int:
        return len(self._buffer) + self._in_flight

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stopping
            if not stopping:
                self._wake.wait(self._seconds)
                self._wake.clear()
            flushes, self._flushes = self._flushes, []
            # Not what comes meanwhile: a full batch costs little more to send than a single item.
            waiting = len(self._buffer)
            while waiting:
                items = [self._buffer.popleft() for _ in range(min(waiting, self._batch))]
                self._in_flight = len(items)
                waiting -= len(items)
                self._deliver(items)
                self._in_flight = 0
            for flush in flushes:
                flush.set()

    def _deliver(self, items: list[Item]) -> None:
        ready: list[Ready] = []
        try:
            for start in range(0, len(items), _ITEMS_AT_A_TIME):
                ready += self._prepare_all(items[start : start + _ITEMS_AT_A_TIME])
                if not self._stopping:
                    time.sleep(_STEP_BACK)
            failure = self._send(ready) if ready else None
        except Exception as error:  # noqa: BLE001 - whatever it is, the next batch is sent all the same
            failure = type(error).__name__
        if self._given_up:
            return
        lost = Lost(len(ready), failure) if isinstance(failure, str) else failure or Lost(0, "")
        self.account.sent(len(ready) - lost.count)
        if lost.count:
            self.account.dropped(lost.why, lost.count)

    def _prepare_all(self, items: list[Item]) -> Iterator[Ready]:
        for item in items:
            try:
                yield self._prepare(item)
            except Exception as error:  # noqa: BLE001 - one bad item must not cost the others
                self.account.dropped(f"one could not be prepared ({type(error).__name__})")

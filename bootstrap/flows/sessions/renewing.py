"""Renews the sessions of a run before they end, for as long as it lasts."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from typing import Self

from bootstrap.flows.sessions import consumers as having
from bootstrap.flows.sessions import times
from bootstrap.flows.sessions.consumers import Consumer
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.flows.sessions.standing import Standing, record
from bootstrap.model.errors import BootstrapError
from bootstrap.model.grant import Purpose
from bootstrap.stack.interface import Renewal
from bootstrap.system.state import State

#: seconds between two looks at the clock. A laptop that sleeps stops every timer, and not the wall clock.
_LOOK = 0.5
#: seconds until a session that was just renewed is renewed again, whatever its end says
_PAUSE = 60.0
#: seconds until what failed is tried again, more each time
_RETRIES = (10.0, 30.0, 60.0)


class Renewing(AbstractContextManager["Renewing"]):
    """Renews what `consumers` have of `sessions` while it is entered; calling it says what to exchange.

    What fails is tried again and again, after `retries` seconds, and said (`say` gets a line); the run goes
    on meanwhile.
    """

    def __init__(
        self,
        sessions: Sessions,
        consumers: Sequence[Consumer],
        state: State,
        say: Callable[[str], None],
        *,
        retries: Sequence[float] = _RETRIES,
    ) -> None:
        self._sessions = sessions
        self._consumers = consumers
        self._state = state
        self._say = say
        self._retries = retries
        wanted = having.purposes(consumers)
        self._known = [value for each in wanted for value in having.values(each, sessions).values()]
        self._purposes = [each for each in wanted if sessions.raw or each in sessions.open]
        self._next: dict[Purpose, float] = {}
        self._failures: dict[Purpose, int] = {}
        self._problems: dict[Purpose, str] = {}
        self._made: SimpleQueue[Renewal] = SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="aws sessions")

    def __call__(self) -> Sequence[Renewal]:
        """What has been renewed since the last call."""
        found = []
        while True:
            try:
                found.append(self._made.get_nowait())
            except Empty:
                return found

    def __enter__(self) -> Self:
        """Begin, where there is anything to renew."""
        self._record()
        if not self._sessions.raw and self._purposes:
            for purpose in self._purposes:
                self._plan(purpose)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; a call that is under way is left behind."""
        self._over.set()

    def _keep(self) -> None:
        while not self._over.wait(_LOOK):
            for purpose in self._purposes:
                if time.time() >= self._next[purpose]:
                    self._renew(purpose)

    def _plan(self, purpose: Purpose, earliest: float = 0.0) -> None:
        session = self._sessions.session(purpose)
        self._next[purpose] = max(earliest, times.renewal(session.since, session.until))

    def _renew(self, purpose: Purpose) -> None:
        try:
            session = self._sessions.renew(purpose)
        except Exception as error:  # noqa: BLE001 - whatever a store or a library raises, the run goes on
            self._failed(purpose, error)
            return
        self._failures.pop(purpose, None)
        self._problems.pop(purpose, None)
        why = f"its AWS session was renewed, until {times.when(session.until)}"
        made = having.renewal(purpose, self._consumers, self._sessions, self._known, why)
        self._known = list(made.hidden)
        self._plan(purpose, earliest=time.time() + _PAUSE)
        self._record()
        self._made.put(made)

    def _failed(self, purpose: Purpose, error: Exception) -> None:
        times_before = self._failures.get(purpose, 0)
        pause = self._retries[min(times_before, len(self._retries) - 1)]
        self._failures[purpose] = times_before + 1
        self._next[purpose] = time.time() + pause
        known = isinstance(error, BootstrapError)
        problem = f"{error}" if known else f"an unexpected {type(error).__name__}"
        until = times.when(self._sessions.session(purpose).until)
        hint = f" {error.hint}" if isinstance(error, BootstrapError) and error.hint else ""
        if self._problems.get(purpose) != problem:
            self._problems[purpose] = problem
            self._record()
            with suppress(OSError):  # a closed terminal ends no renewals
                self._say(
                    f"The AWS session for {purpose!r} (until {until}) cannot be renewed, and is tried again: "
                    f"{problem.rstrip('.')}.{hint}"
                )

    def _record(self) -> None:
        open_now = self._sessions.open
        standings = [
            Standing(
                purpose,
                tuple(each.name for each in self._consumers if each.of(purpose)),
                None if self._sessions.raw else open_now[purpose].until,
                self._problems.get(purpose, ""),
            )
            for purpose in self._purposes
        ]
        with suppress(BootstrapError):  # a full disk neither: only `status` knows less
            record(self._state, standings)

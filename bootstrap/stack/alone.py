"""One run of a project at a time, whichever engine: who runs holds a lock for as long as it lives."""

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime

from bootstrap.model.errors import BootstrapError
from bootstrap.stack import record
from bootstrap.system.identity import wait_until
from bootstrap.system.lock import Lock
from bootstrap.system.state import State

#: seconds in which somebody who is about to give the lock back has done so
_HANDOVER = 1.0
_POLL = 0.05


@contextlib.contextmanager
def alone(state: State) -> Iterator[None]:
    """Hold the lock; raises BootstrapError while somebody else does."""
    lock = _lock(state)
    # A killed supervisor may have forked: that child holds the lock until its exec.
    if not lock.acquire() and (_live(state) or not wait_until(lock.acquire, _HANDOVER)):
        raise BootstrapError(
            f"this project already runs{_who(state)}", "Type `bootstrap status`, or `bootstrap down`."
        )
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def taken_over(state: State, patience: float, stopped: list[str]) -> Iterator[None]:
    """Have whoever runs stop everything, and hold the lock then; `stopped` gets the names of what ran.

    A supervisor that has not stopped after `patience` seconds is killed.
    """
    lock = _lock(state)
    deadline = time.monotonic() + patience
    while not lock.acquire():
        run = record.load(state)
        if run is not None and run.ended is None:
            stopped += [name for name in run.running() if name not in stopped]
            record.request_stop(state, run.run_id)
            if time.monotonic() > deadline:
                run.supervisor.kill()
        time.sleep(_POLL)
    try:
        yield
    finally:
        lock.release()


def _lock(state: State) -> Lock:
    return Lock(state.directory / "run.lock")


def _live(state: State) -> bool:
    run = record.load(state)
    return run is not None and run.live()


def _who(state: State) -> str:
    run = record.load(state)
    if run is None or not run.live():
        return ""
    since = datetime.fromtimestamp(run.started).astimezone()
    return f" (pid {run.supervisor.pid}, since {since:%Y-%m-%d %H:%M:%S})"

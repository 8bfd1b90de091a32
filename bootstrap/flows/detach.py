"""`up --detach`: the same command in the background, until it is healthy or has failed."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.system.process import spawn_detached
from bootstrap.system.state import State

_POLL = 0.1
_LOG = "up.log"
#: the subject under which a run writes that everything in it is healthy
_READY = "ready"


def tell_ready(state: State) -> None:
    """Say that the run of this process is healthy, for whoever started it in the background."""
    state.write(_READY, {"pid": os.getpid()})


def detach(
    root: Path,
    state: State,
    environ: Mapping[str, str],
    arguments: Sequence[str],
    say: Callable[[str], None],
    *,
    timeout: float,
) -> int:
    """Start `bootstrap up` in the background and wait until every service of that very run is healthy.

    Hands on what it says meanwhile. Returns 0 then, else its exit code, or 1 after `timeout` seconds.
    """
    log = state.directory / _LOG
    state.forget(_READY)
    argv = (sys.executable, "-P", "-m", "bootstrap", "-C", str(root), "up", "--background", *arguments)
    started = spawn_detached(argv, environ, log)
    deadline = time.monotonic() + timeout
    with log.open(encoding="utf-8", errors="replace") as stream:
        news = _lines(stream.read)
        while (code := started.poll()) is None and time.monotonic() < deadline:
            for line in next(news):
                say(line)
            if (state.read(_READY) or {}).get("pid") == started.pid:
                return 0
            time.sleep(_POLL)
        for line in next(news):
            say(line)
    if code is None:
        say(f"Not healthy after {timeout:.0f} seconds; it goes on trying: see bootstrap status and logs.")
    return code or 1


def _lines(read: Callable[[], str]) -> Iterator[list[str]]:
    """The whole lines since the last time, again and again."""
    rest = ""
    while True:
        *whole, rest = (rest + read()).split("\n")
        yield whole

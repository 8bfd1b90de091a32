"""`up --detach`: the same command in the background, until it is healthy or has failed."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootstrap.system.process import spawn_detached
from bootstrap.system.state import State

_POLL = 0.2
_LOG = "up.log"
_LAST_LINES = 15
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

    Returns 0 then. Otherwise shows its last lines and returns its exit code, or 1 after `timeout` seconds.
    """
    log = state.directory / _LOG
    state.forget(_READY)
    argv = (sys.executable, "-P", "-m", "bootstrap", "-C", str(root), "up", "--quiet", *arguments)
    started = spawn_detached(argv, environ, log)
    deadline = time.monotonic() + timeout
    while (code := started.poll()) is None and time.monotonic() < deadline:
        if (state.read(_READY) or {}).get("pid") == started.pid:
            return 0
        time.sleep(_POLL)
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]:
        say(line)
    if code is None:
        say(f"Not healthy after {timeout:.0f} seconds; it goes on trying: see bootstrap status and logs.")
    return code or 1

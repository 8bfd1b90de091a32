"""`up --detach`: the same command in the background, until it is healthy or has failed."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootstrap.stack import ENGINES
from bootstrap.stack.interface import Phase
from bootstrap.system.process import spawn_detached
from bootstrap.system.state import State

_POLL = 0.2
_LOG = "up.log"
_LAST_LINES = 15


def detach(
    root: Path,
    state: State,
    environ: Mapping[str, str],
    services: Sequence[str],
    say: Callable[[str], None],
    *,
    timeout: float,
) -> int:
    """Start `bootstrap up` in the background and wait until every service is healthy.

    Returns 0 then, and 1 after showing its last lines when it ended or `timeout` seconds have passed.
    """
    log = state.directory / _LOG
    started = spawn_detached(
        (sys.executable, "-P", "-m", "bootstrap", "-C", str(root), "up", *services), environ, log
    )
    engine = next(iter(ENGINES.values()))(root, state, environ)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        statuses = engine.status()
        if started.poll() is None and statuses and all(status.phase is Phase.HEALTHY for status in statuses):
            return 0
        if started.poll() is not None:
            break
        time.sleep(_POLL)
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]:
        say(line)
    say(
        "It did not become healthy. Everything it wrote: bootstrap logs"
        if started.poll() is None
        else "It ended."
    )
    return 1

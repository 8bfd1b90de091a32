"""Starting single services of the current run again, and waiting for what becomes of them."""

import time
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bootstrap.stack.interface import Engine, Phase, ServiceStatus

_POLL = 0.1
_SETTLED = (Phase.HEALTHY, Phase.FAILED, Phase.STOPPED)
_LAST_LINES = 15


class Outcome(Struct, frozen=True):
    """What has become of one service."""

    status: ServiceStatus
    #: the last lines that it wrote, unless it is healthy
    output: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether it is as it should be."""
        return self.status.phase is Phase.HEALTHY


def restart(engine: Engine, services: Sequence[str]) -> list[Outcome]:
    """Start these services again and wait until each is healthy, or is not going to be.

    Raises as Engine.restart does.
    """
    engine.restart(services)
    while True:
        named = [status for status in engine.status() if status.name in services]
        if all(status.phase in _SETTLED for status in named):
            return [_outcome(engine, status) for status in named]
        time.sleep(_POLL)


def _outcome(engine: Engine, status: ServiceStatus) -> Outcome:
    if status.phase is Phase.HEALTHY:
        return Outcome(status)
    lines = engine.logs([status.name], follow=False, tail=_LAST_LINES)
    return Outcome(status, tuple(line.text for line in lines))


def failed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those that are not healthy."""
    return [outcome for outcome in outcomes if not outcome.healthy]

"""What a run of containers knows about one service, and what can happen to it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose.events import Happened
from bootstrap.stack.interface import Launch, Phase
from bootstrap.stack.output import Output


@dataclass(frozen=True, slots=True)
class Signalled:
    """This process was told to stop."""

    number: int


@dataclass(frozen=True, slots=True)
class Up:
    """All services are healthy for the first time, or all images are built."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something without which the run cannot go on has failed; `service` may be Compose itself."""

    service: str
    error: BootstrapError
    #: what was said last, where that is not what the service itself wrote
    last: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """A service that was healthy has ended, or did not come back."""

    service: str
    detail: str
    container: str


class Again(Enum):
    """How a service starts again; what goes further does what goes less far, too."""

    #: its container as it is
    RESTART = auto()
    #: in another container, as the Compose files and the values for them are now
    RECREATE = auto()
    #: from its image built anew
    REBUILD = auto()


@dataclass(frozen=True, slots=True)
class Told:
    """A service is to start again: its source changed, its key was renewed, or somebody asked for it."""

    service: str
    why: str
    again: Again


@dataclass(frozen=True, slots=True)
class Crashed:
    """There is a fault in the observer, or in this program."""

    error: Exception


#: what the main thread of a run hears
Event = Signalled | Up | Failed | Gone | Told | Crashed | Happened


@dataclass(slots=True)
class Life:
    """What a run knows about one service."""

    launch: Launch
    output: Output
    put: Callable[[Told], None]
    phase: Phase = Phase.STOPPED
    #: when its container was last on its way up (time.time)
    started: float = 0.0
    #: since when it is healthy, on the monotonic clock; 0 before it ever was
    healthy: float = 0.0
    attempts: int = 0
    #: a thread of ours is at work on it: what Docker says about it meanwhile is no surprise
    busy: bool = False
    #: what was wanted while it was busy
    waiting: Told | None = None

    def restart(self, why: str) -> None:
        """Have it built and started again; see Reloadable."""
        self.put(Told(self.launch.name, why, Again.REBUILD))

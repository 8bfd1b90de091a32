"""What an engine is asked to run, and what it tells about it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from bootstrap.model.environment import View
from bootstrap.model.errors import BootstrapError
from bootstrap.system.state import State


@dataclass(frozen=True, slots=True)
class Launch:
    """One service as an engine is to run it on this machine."""

    name: str
    #: a shell command line, or an argument list that no shell sees
    command: str | tuple[str, ...]
    directory: Path
    #: everything the service adds to or changes in the engine's base environment
    environment: Mapping[str, str] = field(repr=False)
    #: what its command, once it has all that, does not see of the base environment; its setup does
    without: tuple[str, ...] = ()
    port: int | None = None
    #: an absolute path that answers 2xx or 3xx once the service is ready; None: ready once the port accepts
    health: str | None = None
    #: a shell command line that prepares the service, run in `directory` before `command`
    setup: str | None = None
    depends_on: tuple[str, ...] = ()
    #: open sockets that it inherits under their own numbers; its port is then one of them
    descriptors: tuple[int, ...] = ()
    #: values that must never appear in what the engine prints or stores
    hidden: tuple[str, ...] = field(default=(), repr=False)
    #: the folder whose changes reload the service; None: nothing does
    watch: Path | None = None


@dataclass(frozen=True, slots=True)
class Containers:
    """What an engine that runs containers is told beyond the launches."""

    #: laid over the project's own Compose files, in Compose's format; holds no secret
    overlay: Mapping[str, Any]
    #: what Compose files refer to as ${NAME} or hand on: name -> value
    values: Mapping[str, str] = field(repr=False)
    #: those of them that must never appear in what the engine prints or stores
    hidden: tuple[str, ...] = field(default=(), repr=False)
    #: services that have an image of their own to build
    built: frozenset[str] = frozenset()
    #: services whose Compose files say themselves what happens when they end
    own_restart: frozenset[str] = frozenset()
    #: services whose ports nobody asked for: where one is taken, `up` raises PortLostError
    movable: frozenset[str] = frozenset()
    #: looked at again whenever Compose reads its files again; raises BootstrapError where they must not run
    check: Callable[[], object] = field(default=lambda: None, repr=False)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Values that take the place of others while a run goes on: who has them starts again."""

    #: the services that start again, each with what changes in its environment as a process
    services: Mapping[str, Mapping[str, str]] = field(repr=False)
    #: what Compose files refer to as ${NAME} or hand on, of what changes
    values: Mapping[str, str] = field(repr=False)
    #: those of both that must never appear in what the engine prints or stores
    hidden: tuple[str, ...] = field(repr=False)
    #: a line for people
    why: str


class Phase(Enum):
    """Where a service is in its life."""

    SETUP = "setting up"
    STARTING = "starting"
    HEALTHY = "healthy"
    #: it ended, or its source changed, and it is about to be started again
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """A service entered another phase; `detail` is a line for people (an exit code, what it waits for).

    For FAILED, `hint` says what to do about it where that is known, and `output` has the last lines it wrote.
    """

    service: str
    phase: Phase
    detail: str = ""
    hint: str = ""
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a service wrote, without its line end."""

    service: str
    text: str


#: called from one thread at a time, which need not be the caller's; what it raises ends the run
Observer = Callable[[PhaseChanged | LogLine], None]

#: says, at once, what is to be renewed since it was asked the last time
Renewals = Callable[[], Sequence[Renewal]]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What a service is doing now."""

    name: str
    phase: Phase
    pid: int | None = None
    port: int | None = None
    #: seconds since it was started
    uptime: float | None = None
    #: a line for people: why it failed
    detail: str = ""


class PortLostError(BootstrapError):
    """A port that this program had chosen because it was free was taken before its service could bind it."""


#: behind what is wrong with a service after a reload, which ends nothing
TRIED_AGAIN = "; the next change is tried again"

#: what is said of a service that does not end although it was asked to
NOT_ENDED = "has not ended yet; Ctrl-C does not wait for it"


class Engine(ABC):
    """One way to run services on this machine."""

    name: str
    #: from where its services see each other
    view: View

    @abstractmethod
    def __init__(self, root: Path, state: State, base_environment: Mapping[str, str]) -> None:
        """Make the engine of the project at `root`; every service sees `base_environment`."""

    @abstractmethod
    def unavailable(self) -> str | None:
        """Why it cannot work here, in words a person can act on; None when it can."""

    @abstractmethod
    def up(
        self,
        launches: Sequence[Launch],
        observer: Observer,
        *,
        ready: Callable[[], None],
        containers: Containers | None = None,
        renewals: Renewals = tuple,
    ) -> int:
        """Run the services until they are told to stop, and return the exit code that is the truth.

        Clears away what an earlier run of the same project left behind, prepares and starts each service in
        the order of `depends_on`, waits for its health, calls `ready` once when all are healthy, then blocks.
        SIGINT gives 130, SIGTERM 143, SIGHUP 129 and a request through `down` 0, each after everything
        stopped; a second signal kills at once.

        A service that does not become healthy the first time stops the others and gives 1: its PhaseChanged
        says why. One that was healthy and ends is started again, after a pause that grows; when that fails
        time and again, it gives 1, too. One whose source changes (`watch`) is started again by itself; if it
        does not become healthy then, it waits for the next change, and the others go on.

        Raises BootstrapError before anything is started where that is possible (it already runs, a port is
        taken and by whom), PortLostError even later. Call it in the main thread: signals arrive nowhere else.
        `containers` is for engines that run some. `renewals` is asked again and again once all are healthy.
        """

    @abstractmethod
    def restart(self, services: Sequence[str]) -> None:
        """Start these services of the current run again, and no others; returns once they were told to.

        Raises BootstrapError where nothing runs, or not these.
        """

    @abstractmethod
    def reclaim(self) -> None:
        """Clear away what a killed run has left, so that its ports are free; raises while a run is alive."""

    @abstractmethod
    def prepare(self, launches: Sequence[Launch], observer: Observer) -> int:
        """Run every `setup` that is due and start nothing; returns 0 when all is done, else as `up` does."""

    @abstractmethod
    def down(self, *, volumes: bool = False) -> list[str]:
        """Stop what runs, also what a killed run left behind; returns the names that were stopped.

        Containers and networks are removed, too; data (`volumes`) only when asked.
        """

    @abstractmethod
    def status(self) -> list[ServiceStatus]:
        """Every service of the current or last run."""

    @abstractmethod
    def logs(self, services: Iterable[str], *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        """What the services wrote in the current or last run; every service when `services` is empty.

        `tail` counts the lines of each service. With `follow` it goes on until the run ends.
        """

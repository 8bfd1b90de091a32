"""The engine that runs services in containers, with the real Docker Compose."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.encoding import yaml
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.stack import logfile, record
from bootstrap.stack.alone import alone, taken_over
from bootstrap.stack.compose.client import Client, Container
from bootstrap.stack.compose.run import ComposeRun
from bootstrap.stack.compose.teller import COMPOSE
from bootstrap.stack.interface import (
    Containers,
    Engine,
    Launch,
    LogLine,
    Observer,
    Phase,
    PortLostError,
    Renewals,
    ServiceStatus,
)
from bootstrap.stack.limits import Limits
from bootstrap.stack.order import waves
from bootstrap.system import ports
from bootstrap.system.identity import clear, wait_until
from bootstrap.system.state import State

#: seconds until a container that was started counts as not getting healthy: a database may take its time
_HEALTH = 120.0
_GRACE = 5.0
#: seconds in which Docker has finished what a killed command had asked it for
_SETTLE = 5.0
#: seconds until a run that was asked to stop counts as stuck: Docker gives each container ten
_STUCK = 40.0
_LAST_LINES = 100
_PHASES = {"running": Phase.HEALTHY, "restarting": Phase.RESTARTING, "created": Phase.STARTING}
#: while a run is at work on a service, its container may end, or be gone, and that says nothing
_UNDER_WAY = (Phase.SETUP, Phase.STARTING, Phase.RESTARTING)


class ComposeEngine(Engine):
    """Runs the services of the project at `root` in containers; see Engine and Client."""

    name = "compose"
    view = "container"

    def __init__(
        self, root: Path, state: State, base_environment: Mapping[str, str], limits: Limits | None = None
    ) -> None:
        self._state = state
        self._root = root
        self._limits = limits or Limits(health=_HEALTH)
        #: whether the run before was killed
        self._killed = False
        self.client = Client(root, state, base_environment)

    def unavailable(self) -> str | None:
        """See Engine.unavailable."""
        return self.client.unavailable()

    def up(
        self,
        launches: Sequence[Launch],
        observer: Observer,
        *,
        ready: Callable[[], None],
        containers: Containers | None = None,
        renewals: Renewals = tuple,
    ) -> int:
        """See Engine.up."""
        ordered = [launch for wave in waves(launches) for launch in wave]
        if containers is None:
            raise ValueError("nobody said what the containers are given")
        with alone(self._state):
            self._clear()
            self.client.write_overlay(yaml.block(containers.overlay) + "\n")
            patience = _SETTLE if self._killed else 0
            self._check_ports(launches, movable=containers.movable, patience=patience)
            return self._run(ordered, containers, observer).run(ready, renewals)

    def _run(self, launches: Sequence[Launch], containers: Containers, observer: Observer) -> ComposeRun:
        return ComposeRun(
            self.client,
            self._state,
            launches,
            containers,
            observer=observer,
            root=self._root,
            limits=self._limits,
        )

    def reclaim(self) -> None:
        """See Engine.reclaim; containers of a killed run go on, and the next one takes them over."""
        with alone(self._state):
            self._clear()

    def prepare(self, launches: Sequence[Launch], observer: Observer) -> int:
        """Build every image; see Engine.prepare."""
        with alone(self._state):
            self._clear()
            self.client.write_overlay("services: {}\n")
            built = frozenset(launch.name for launch in launches)
            return self._run(launches, Containers({}, {}, built=built), observer).run(None)

    def restart(self, services: Sequence[str]) -> None:
        """See Engine.restart."""
        there = {container.service for container in self.client.containers()}
        missing = [name for name in services if name not in there]
        if missing:
            raise NotConfiguredError(f"{', '.join(missing)}: does not run", "Start it: bootstrap up")
        run = record.load(self._state)
        if run is not None and run.live():
            record.request_restart(self._state, run, services)
            return
        answer = self.client.by_name("restart", "--no-deps", *services)
        if answer.code:
            raise BootstrapError(f"docker compose restart: {answer.errors.strip().splitlines()[-1]}")

    def down(self, *, volumes: bool = False) -> list[str]:
        """See Engine.down."""
        with taken_over(self._state, _STUCK, []):
            self._clear()
            return self._remove(volumes=volumes)

    def _remove(self, *, volumes: bool) -> list[str]:
        stopped = [container.service for container in self.client.containers()]
        answer = self.client.by_name("down", "--remove-orphans", *(["--volumes"] if volumes else []))
        if answer.code:
            raise BootstrapError(
                f"docker compose down: {(answer.errors.strip().splitlines() or ['it failed'])[-1]}",
                "Type `docker info` to see whether the engine answers.",
            )
        return sorted(set(stopped))

    def status(self) -> list[ServiceStatus]:
        """See Engine.status."""
        run = record.load(self._state)
        known = {each.name: each for each in run.statuses()} if run else {}
        found = {each.service: _status(each, known.get(each.service)) for each in self.client.containers()}
        gone = {name: _without_container(each) for name, each in known.items()}
        return list({**gone, **found}.values())

    def logs(self, services: Iterable[str], *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        """See Engine.logs."""
        run = record.load(self._state)
        if run is None:
            return iter(())
        if not run.live() and (left := [each for each in self.client.containers() if each.running]):
            return self._left(left, set(services), tail)
        logs = logfile.folder(self._state.directory)
        names = list(services) or [*run.services, COMPOSE]
        if not follow:
            return logfile.read(logs, names, tail)
        return logfile.follow(logs, names, tail, lambda: self._goes_on(run.run_id))

    def _left(self, containers: Iterable[Container], wanted: set[str], tail: int | None) -> Iterator[LogLine]:
        """What containers wrote that nobody follows any more."""
        for container in containers:
            if not wanted or container.service in wanted:
                for line in self.client.tail(container.id, _LAST_LINES if tail is None else tail):
                    yield LogLine(container.service, line)

    def _goes_on(self, run_id: str) -> bool:
        run = record.load(self._state)
        return run is not None and run.run_id == run_id and run.live()

    def _clear(self) -> None:
        """End the commands of a run that was killed; its containers stay for whoever asked."""
        run = record.load(self._state)
        if run is not None and run.ended is None:
            self._killed = True
            clear(run.processes(), run.run_id, _GRACE)
            record.end(self._state, run, None)

    def _check_ports(self, launches: Sequence[Launch], *, movable: frozenset[str], patience: float) -> None:
        """Refuse a port that somebody else has; a container of ours may have it, even one on its way up.

        `patience` is how many seconds Docker may take to finish what a killed run had asked for.
        """
        for launch in launches:
            port = launch.port
            if port is not None and not wait_until(partial(self._free_or_ours, port), patience):
                taken = self.client.taken(launch.name, port)
                raise PortLostError(*taken) if launch.name in movable else BootstrapError(*taken)

    def _free_or_ours(self, port: int) -> bool:
        if ports.is_free(port):
            return True
        return self.client.holder(port) in {each.name for each in self.client.containers()}


def _status(container: Container, known: ServiceStatus | None) -> ServiceStatus:
    if known is not None and known.phase in _UNDER_WAY:
        return known
    port = known.port if known else min(container.published, default=None)
    if container.over:
        phase = Phase.FAILED if container.exit_code else Phase.STOPPED
        detail = f"exited with code {container.exit_code}" if container.exit_code else ""
        return ServiceStatus(container.service, phase, port=port, detail=detail)
    phase = _PHASES.get(container.state, Phase.STOPPED)
    if container.health == "unhealthy":
        return ServiceStatus(container.service, Phase.FAILED, port=port, detail="its own health check fails")
    if known is not None and phase is Phase.HEALTHY and known.phase is not Phase.STOPPED:
        return ServiceStatus(container.service, known.phase, port=port, detail=known.detail)
    return ServiceStatus(container.service, phase, port=port)


def _without_container(known: ServiceStatus) -> ServiceStatus:
    phase = known.phase if known.phase in (Phase.FAILED, *_UNDER_WAY) else Phase.STOPPED
    return ServiceStatus(known.name, phase, port=known.port, detail=known.detail)

"""The engine that needs nothing but Python: each service is a process group of this user."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.stack import logfile, record
from bootstrap.stack.alone import alone, taken_over
from bootstrap.stack.interface import Containers, Engine, Launch, LogLine, Observer, Renewals, ServiceStatus
from bootstrap.stack.limits import Limits
from bootstrap.stack.order import waves
from bootstrap.stack.readiness import check_port
from bootstrap.stack.setup import Preparation
from bootstrap.stack.supervisor import Supervisor
from bootstrap.system.identity import clear
from bootstrap.system.state import State


class ProcessEngine(Engine):
    """Runs the services of the project at `root`; `base_environment` is what every one of them sees.

    A run holds a lock as long as its supervisor lives, and each of its processes carries the run's id: so the
    next command knows what is running, and what a killed run has left.
    """

    name = "process"
    view = "host"

    def __init__(
        self, root: Path, state: State, base_environment: Mapping[str, str], limits: Limits | None = None
    ) -> None:
        self._root = root
        self._state = state
        self._base = dict(base_environment)
        self._limits = limits or Limits()

    def unavailable(self) -> str | None:
        """It needs a POSIX shell, and nothing else."""
        return None if os.access("/bin/sh", os.X_OK) else "there is no /bin/sh: use Linux, macOS or WSL"

    def up(
        self,
        launches: Sequence[Launch],
        observer: Observer,
        *,
        ready: Callable[[], None],
        containers: Containers | None = None,  # noqa: ARG002 - it runs none
        renewals: Renewals = tuple,
    ) -> int:
        """See Engine.up."""
        ordered = waves(launches)
        with alone(self._state):
            self._clear()
            for launch in launches:
                check_port(launch)
            return self._supervisor(ordered, observer).run(ready, renewals)

    def reclaim(self) -> None:
        """See Engine.reclaim."""
        with alone(self._state):
            self._clear()

    def prepare(self, launches: Sequence[Launch], observer: Observer) -> int:
        """See Engine.prepare."""
        ordered = waves(launches)
        if not any(Preparation(self._root, launch).due() for launch in launches):
            return 0
        with alone(self._state):
            self._clear()
            return self._supervisor(ordered, observer).run(None)

    def restart(self, services: Sequence[str]) -> None:
        """See Engine.restart."""
        run = record.load(self._state)
        if run is None or not run.live():
            raise NotConfiguredError("nothing runs here", "Start it: bootstrap up")
        for name in services:
            if name not in run.services:
                raise BootstrapError(
                    f"{name} is not part of what runs here: {', '.join(run.services)}",
                    f"Stop that with `bootstrap down`, then type: bootstrap up {name}",
                )
        record.request_restart(self._state, run, services)

    def down(self, *, volumes: bool = False) -> list[str]:  # noqa: ARG002 - it keeps no data
        """See Engine.down."""
        stopped: list[str] = []
        with taken_over(self._state, self._limits.grace + self._limits.margin, stopped):
            return stopped + [name for name in self._clear() if name not in stopped]

    def status(self) -> list[ServiceStatus]:
        """See Engine.status."""
        run = record.load(self._state)
        return run.statuses() if run else []

    def logs(self, services: Iterable[str], *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        """See Engine.logs."""
        run = record.load(self._state)
        if run is None:
            return iter(())
        logs = logfile.folder(self._state.directory)
        names = list(services) or list(run.services)
        if not follow:
            return logfile.read(logs, names, tail)
        return logfile.follow(logs, names, tail, lambda: self._goes_on(run.run_id))

    def _goes_on(self, run_id: str) -> bool:
        run = record.load(self._state)
        return run is not None and run.run_id == run_id and run.live()

    def _supervisor(self, ordered: Sequence[Sequence[Launch]], observer: Observer) -> Supervisor:
        return Supervisor(
            self._root, self._state, ordered, base=self._base, observer=observer, limits=self._limits
        )

    def _clear(self) -> list[str]:
        """Stop what a killed run has left, and return the names of its services if there was anything."""
        run = record.load(self._state)
        if run is None or run.ended is not None:
            return []
        names = run.running()
        found = clear(run.processes(), run.run_id, self._limits.grace)
        record.end(self._state, run, None)
        return names if found else []

"""A run of the project in whichever engine: what it needs, and what is remembered about it."""

import os
from collections.abc import Mapping, Sequence

from msgspec import Struct

from bootstrap.collector.sockets import Sockets
from bootstrap.flows import engines, routing, stack
from bootstrap.flows.page import page_at
from bootstrap.flows.run import COLLECTOR
from bootstrap.flows.sessions.consumers import Consumer
from bootstrap.flows.wanted import Wanted
from bootstrap.model.errors import NotConfiguredError
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Containers, Engine, Launch
from bootstrap.system.state import State


class Prepared(Struct, frozen=True):
    """What an engine is to run."""

    launches: tuple[Launch, ...]
    containers: Containers | None = None
    #: bound for the collector before anything starts, and open as long as the run
    sockets: Sockets | None = None
    #: services that are only an image, where no container can run
    skipped: tuple[str, ...] = ()
    #: who has parts of AWS keys
    consumers: tuple[Consumer, ...] = ()
    #: names in the project's `.env` that have no effect
    without_effect: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Everything that is started."""
        return [launch.name for launch in self.launches]

    def close(self) -> None:
        """Give back what was bound."""
        if self.sockets is not None:
            self.sockets.close()


def prepare(engine: Engine, wanted: Wanted, environ: Mapping[str, str]) -> Prepared:
    """Decide what runs, and write down what other commands need to know; starts nothing.

    Raises BootstrapError where that cannot be run, or there is nothing to run.
    """
    engines.remember(wanted.state, engine, healthy=False)
    if isinstance(engine, ComposeEngine):
        return _in_containers(engine, wanted)
    run = stack.plan_run(
        wanted.root,
        wanted.state,
        wanted.here,
        wanted.workspace,
        give=wanted.give,
        only=wanted.only,
        decisions=wanted.decisions,
        environ=environ,
    )
    return Prepared(run.launches, sockets=run.sockets, skipped=run.skipped, consumers=run.consumers)


def _in_containers(engine: ComposeEngine, wanted: Wanted) -> Prepared:
    from bootstrap.flows import containers  # noqa: PLC0415 - services without containers need not wait for it

    planned = containers.plan(engine, wanted)
    if not planned.launches:
        raise NotConfiguredError(
            "there is no service that could run", "Add one: bootstrap service add NAME --template flask"
        )
    routing.record(wanted.state, list(wanted.decisions))
    wanted.state.write("trace-proof", {"key": planned.proof})
    if planned.collector_port is not None:
        url = f"http://127.0.0.1:{planned.collector_port}"
        wanted.state.write(
            COLLECTOR,
            {
                "pid": os.getpid(),
                "engine": engine.name,
                "url": url,
                "daemon": "",
                "page": page_at(wanted.workspace, planned.collector_port, planned.token),
                "token": planned.token,
            },
        )
    return Prepared(
        planned.launches,
        planned.containers,
        without_effect=planned.without_effect,
        consumers=planned.consumers,
    )


def move(state: State) -> None:
    """After PortLostError: let the next `prepare` choose another port."""
    from bootstrap.flows import containers  # noqa: PLC0415 - as above

    containers.move(state)


def remarks(prepared: Prepared) -> list[str]:
    """What somebody should know before it starts."""
    said = [f"{name} is only an image, which needs a container engine: skipped." for name in prepared.skipped]
    if prepared.without_effect:
        said.append(f".env sets {', '.join(prepared.without_effect)}, which has no effect here.")
    return said


def down(engine: Engine, state: State, *, volumes: bool) -> Sequence[str]:
    """Stop and remove what runs; returns the names."""
    stopped = engine.down(volumes=volumes)
    if engine.view == "container":
        from bootstrap.flows import containers  # noqa: PLC0415 - as above

        containers.forget(state)
        state.forget(COLLECTOR)
    return stopped

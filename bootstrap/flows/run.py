"""A command with one service's environment: what it gets, and what it must not inherit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.flows import routing
from bootstrap.flows.environment import Give, Resolved, displaced, fill_in, resolve, scrubbed, service_named
from bootstrap.model.environment import Cloud, CollectorAddress, Local, Route
from bootstrap.model.project import Project
from bootstrap.system.lock import Lock
from bootstrap.system.state import State
from bootstrap.system.venv import activated
from bootstrap.vendors import VENDORS
from bootstrap.vendors.aws import AMBIENT, KEYLESS
from bootstrap.workspaces.interface import Workspace

#: the subject under which a collector that listens writes down where
COLLECTOR = "collector"


def host_environment(
    project: Project, name: str, workspace: Workspace, state: State, give: Give
) -> list[Resolved]:
    """Fill in the environment of the service `name` as a process on this machine sees it."""
    service = service_named(project, name)
    variables = resolve(project, service, view="host", routing=host_routing(state), url=workspace.url)
    return fill_in(variables, give)


def child_environment(
    environ: Mapping[str, str], project: Project, variables: Sequence[Resolved], venv: Path
) -> dict[str, str]:
    """Make what a child gets: `environ` without any other service's, and `variables` on top.

    `venv` is the service's own virtual environment, used where a set-up has made it.
    """
    gone = displaced(variables)
    inherited = {name: value for name, value in scrubbed(environ, project).items() if name not in gone}
    environment = {**inherited, **{item.name: item.text for item in variables}}
    return activated(environment, venv) if (venv / "bin" / "python").exists() else environment


def keyless(environment: Mapping[str, str]) -> dict[str, str]:
    """Make what a child gets that was to have a session and has none: nor any wider key that lies around."""
    return {name: value for name, value in environment.items() if name not in AMBIENT} | KEYLESS


def host_routing(state: State) -> dict[str, Route]:
    """Route as the run that is alive does, also where it keeps something from the vendors.

    Without a run: to this project's collector while one listens, to the vendors themselves otherwise.
    """
    listening = listening_collector(state)
    running = routing.current(state, listening)
    if running is not None:
        return running
    route: Route = Cloud() if listening is None else Local(listening)
    return dict.fromkeys(VENDORS, route)


def listening_collector(state: State) -> CollectorAddress | None:
    """Find this project's collector, if one is alive."""
    written = state.read(COLLECTOR)
    if written is None:
        return None
    if not collector_lock(state).held():
        return None
    return CollectorAddress(otlp=str(written.get("url")), daemon=str(written.get("daemon")))


def collector_lock(state: State) -> Lock:
    """The lock that a collector holds while it lives, so that nothing is sent to where one was."""
    return Lock(state.directory / f"{COLLECTOR}.lock")

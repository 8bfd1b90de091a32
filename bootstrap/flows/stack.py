"""Running the project: what each service is launched with, and the collector beside them."""

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from msgspec import Struct

from bootstrap.collector.sockets import Sockets
from bootstrap.flows import daemons, engines, routing
from bootstrap.flows.collector_ports import bind_preferred, descriptors, ports
from bootstrap.flows.environment import (
    PROOF_KEY,
    Give,
    Resolved,
    check_required,
    displaced,
    fill_in,
    readers,
    resolve,
    with_dependencies,
)
from bootstrap.flows.routing import Decision, leaving, staying
from bootstrap.flows.sessions.consumers import Consumer, reported_for, values
from bootstrap.model.environment import Claim, CollectorAddress, Route, Variable
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.project import Project, Service
from bootstrap.model.secret import Secret
from bootstrap.stack.interface import Launch, Phase
from bootstrap.system.state import State
from bootstrap.workspaces.interface import Workspace

#: what the collector is called among the services
COLLECTOR_SERVICE = "telemetry"
#: with which token the collector is to be read, for a process that inherits its sockets
COLLECTOR_TOKEN = "BOOTSTRAP_COLLECTOR_TOKEN"  # noqa: S105 - a name
#: a JSON list of what else it has to mask, for the same
COLLECTOR_HIDDEN = "BOOTSTRAP_COLLECTOR_HIDDEN"
_ALIVE = (Phase.STARTING, Phase.HEALTHY, Phase.RESTARTING)


class Run(Struct, frozen=True):
    """What an engine is to run."""

    launches: tuple[Launch, ...]
    #: services that are only an image, which need a container engine
    skipped: tuple[str, ...]
    #: bound for the collector before anything starts, so that nobody else gets its ports in between; while
    #: the run lasts they stay open, and queue what is sent while the collector starts, or starts again
    sockets: Sockets
    #: who has parts of AWS keys
    consumers: tuple[Consumer, ...] = ()


def running(root: Path, state: State, environ: Mapping[str, str]) -> set[str]:
    """The names of the services that run, or are about to."""
    try:
        statuses = engines.current(root, state, environ, None).status()
    except BootstrapError:
        return set()
    return {status.name for status in statuses if status.phase in _ALIVE}


def plan_run(
    root: Path,
    state: State,
    project: Project,
    workspace: Workspace,
    *,
    give: Give,
    only: Sequence[str],
    decisions: Sequence[Decision],
    environ: Mapping[str, str],
) -> Run:
    """Decide what runs: the services of the manifest (or `only` those, and what they need), and a collector.

    The run state learns the key with which a caller proves that its trace headers count (`trace-proof`).

    Raises BootstrapError where a service cannot be run, for want of a secret, a command or an image.
    """
    wanted = with_dependencies(project, only)
    skipped = tuple(service.name for service in wanted if service.build is None)
    for service in wanted:
        needed = [name for name in service.depends_on if name in skipped]
        if service.build is not None and needed:
            raise NotConfiguredError(
                f"services.{service.name} depends on {needed[0]}, an image that needs a container engine",
                "Run it in containers: bootstrap up --engine compose.",
            )
    key = secrets.token_hex(32)
    state.write("trace-proof", {"key": key})
    proof = Secret(key, "bootstrap up")

    def given(claim: Claim) -> Secret | None:
        return proof if claim.secret == PROOF_KEY else give(claim)

    with ExitStack() as bound:
        sockets = bound.enter_context(closing(bind_preferred()))
        keys = [
            value for purpose in reported_for(leaving(decisions)) for value in values(purpose, give).values()
        ]
        address, collector = _collector(root, _secrets(project, give), keys, sockets)
        daemon, daemon_address = _daemon(decisions, project, state, give, environ)
        routing.record(state, list(decisions), daemon_address)
        routed = routing.routes(decisions, address, daemon_address)
        resolved = {
            service.name: _variables(project, service, workspace, given, routed)
            for service in wanted
            if service.build is not None
        }
        launches = [
            _launch(root, service, fill_in(resolved[service.name], given))
            for service in wanted
            if service.build is not None
        ]
        bound.pop_all()
    # Whatever a service reports while it starts has somewhere to go.
    first = (collector, *daemon)
    names = tuple(launch.name for launch in first)
    waiting = [replace(launch, depends_on=(*launch.depends_on, *names)) for launch in launches]
    consumers = [Consumer(name, variables) for name, variables in resolved.items()]
    if staying(decisions):
        consumers.append(Consumer(COLLECTOR_SERVICE, masking=_masking))
    program = daemons.needed(decisions)
    if program is not None:
        consumers.append(Consumer(program.name, program.variables(project)))
    return Run((*first, *waiting), skipped, sockets, tuple(consumers))


def _daemon(
    decisions: Sequence[Decision],
    project: Project,
    state: State,
    give: Give,
    environ: Mapping[str, str],
) -> tuple[tuple[Launch, ...], str | None]:
    """Launch the daemon through which a vendor's cloud is reached, where one is."""
    needed = daemons.needed(decisions)
    if needed is None:
        return (), None
    launch, address = daemons.launch(needed, project, state, give, environ)
    return (launch,), address


def preparation(root: Path, project: Project, only: Sequence[str]) -> list[Launch]:
    """What can be set up in a prebuild, where there are no secrets and no workspace yet."""
    return [
        replace(_launch(root, service, ()), depends_on=())
        for service in with_dependencies(project, only)
        if service.build is not None and service.command is not None
    ]


def _variables(
    project: Project,
    service: Service,
    workspace: Workspace,
    give: Give,
    routing: Mapping[str, Route],
) -> tuple[Variable, ...]:
    check_required(project, service, give)
    return resolve(project, service, view="host", routing=routing, url=workspace.url)


def _launch(root: Path, service: Service, variables: Sequence[Resolved]) -> Launch:
    if service.command is None:
        raise NotConfiguredError(
            f"services.{service.name} has no command to run without a container engine",
            f'Add command = "..." to [services.{service.name}] in bootstrap.toml.',
        )
    directory = root / (service.build or ".")
    if not directory.is_dir():
        raise BootstrapError(
            f"services.{service.name}.build: there is no folder {service.build}",
            "Make it, or correct the path.",
        )
    return Launch(
        name=service.name,
        command=service.command,
        directory=directory,
        environment={item.name: item.text for item in variables},
        without=tuple(sorted(displaced(variables))),
        port=service.port,
        health=service.health,
        setup=service.setup,
        depends_on=service.depends_on,
        watch=directory,
        hidden=tuple(item.text for item in variables if isinstance(item.value, Secret)),
    )


def _secrets(project: Project, give: Give) -> dict[str, str]:
    """Gather what services may see, for the collector to mask before it stores anything."""
    seen = [name for name, services in readers(project).items() if services]
    return {name: secret.reveal() for name in seen if (secret := give(Claim(name))) is not None}


def _masking(keys: Sequence[str]) -> dict[str, str]:
    """What tells the collector of values that no store has."""
    return {COLLECTOR_HIDDEN: json.dumps(list(keys))}


def _collector(
    root: Path, values: Mapping[str, str], keys: Sequence[str], sockets: Sockets
) -> tuple[CollectorAddress, Launch]:
    """Launch the collector on `sockets`, and say where services reach it; it masks `values` and `keys`."""
    http, daemon = ports(sockets)
    handed = descriptors(sockets)
    token = secrets.token_urlsafe(24)
    listening = ("observe", "--quiet", "--sockets", ",".join(map(str, handed)))
    launch = Launch(
        name=COLLECTOR_SERVICE,
        command=(sys.executable, "-P", "-m", "bootstrap", "-C", str(root), *listening),
        directory=root,
        # Started again, it is to be found where people have it open.
        environment={**values, **_masking(keys), COLLECTOR_TOKEN: token},
        hidden=(*values.values(), *keys, token),
        port=http,
        health="/healthz",
        descriptors=handed,
    )
    return CollectorAddress(otlp=f"http://127.0.0.1:{http}", daemon=f"127.0.0.1:{daemon}"), launch

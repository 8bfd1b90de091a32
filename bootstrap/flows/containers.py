"""What a run in containers needs beyond the services: the overlay, the values, and who may see which."""

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from bootstrap.collector import image
from bootstrap.encoding import yaml
from bootstrap.flows.collector_ports import HTTP_PORT
from bootstrap.flows.compose_secrets import Dotenv, check, claims_in
from bootstrap.flows.dotenv_values import plain_values, secret_values
from bootstrap.flows.environment import PROOF_KEY, Give, check_required, readers, resolve, with_dependencies
from bootstrap.flows.expected import from_decisions
from bootstrap.flows.render import sidecars
from bootstrap.flows.routing import routes, staying
from bootstrap.flows.sessions.consumers import Consumer
from bootstrap.flows.wanted import Wanted
from bootstrap.model.environment import Claim, Cloud, CollectorAddress, Text, Variable
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.project import Service
from bootstrap.rendering import overlay
from bootstrap.rendering.overlay import COLLECTOR, MASK, TOKEN, Collector, Helper, Reporter
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Containers, Launch
from bootstrap.system import ports
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.vendors.aws import KEY_PARTS
from bootstrap.vendors.cloudwatch import log_group

_IMAGE = "collector-image"
_KEPT = "containers"
#: how containers reach the collector; the daemon is in the path of what X-Ray's SDK sends
_ADDRESS = CollectorAddress(otlp=f"http://{COLLECTOR}:{HTTP_PORT}", daemon="xray-daemon:2000")
_KEY_BYTES = 32


class Stack(Struct, frozen=True):
    """What the engine is to run, and where its collector is; None where every vendor is in the cloud."""

    launches: tuple[Launch, ...]
    containers: Containers
    collector_port: int | None
    token: str
    #: with which a caller proves that its trace headers count
    proof: str
    #: what the project's `.env` says that has no effect here
    without_effect: tuple[str, ...]
    #: who has parts of AWS keys
    consumers: tuple[Consumer, ...] = ()


def plan(engine: ComposeEngine, wanted: Wanted) -> Stack:
    """Decide what runs and with which values; writes the build context of the collector's image.

    Raises BootstrapError for a Compose file that hands somebody a secret of others, NotConfiguredError for a
    required secret that is not set.
    """
    services = with_dependencies(wanted.here, wanted.only)
    for service in services:
        check_required(wanted.here, service, wanted.give)
    kept = _kept(wanted.state)
    reporters = [_reporter(wanted, service) for service in wanted.here.services.values()]
    helpers = _helpers(wanted)
    shown = {each.service.name: each.now for each in reporters} | {each.name: each.now for each in helpers}
    values = _values(shown.values(), wanted.give, kept["proof"])
    plain, without_effect = plain_values(wanted.root, wanted.here, engine.client.environ)
    brought = sidecars(wanted.here)
    dotenv = Dotenv(secret_values(wanted.root, wanted.here), _readers(wanted, shown))
    names = {*values, TOKEN, MASK}
    checked = partial(
        check,
        engine.client,
        shown,
        names,
        plain,
        images=[image.BASE, *(each.image for each in brought)],
        networks={each.name: each.services for each in brought},
        dotenv=dotenv,
    )
    configured = checked()
    if not wanted.only:  # who has a profile that nobody chose waits to be asked for
        services = [each for each in services if engine.client.starts(configured.get(each.name, {}))]
    collector = _collector(wanted, engine, kept, configured, values)
    hidden = (*values.values(), kept["token"])

    def masking(keys: Sequence[str]) -> dict[str, str]:
        return {MASK: json.dumps(list(dict.fromkeys((*hidden, *keys))))}

    given = {**plain, **values, TOKEN: kept["token"], **masking(())}
    added = _added(wanted, configured)
    launches = _launches(wanted, services, [*_brought(wanted, services, configured), *added], collector)
    consumers = [Consumer(each.name, tuple(shown.get(each.name, ()))) for each in launches]
    if collector:
        consumers.append(Consumer(COLLECTOR, masking=masking))
    return Stack(
        launches=launches,
        containers=Containers(
            overlay=overlay.overlay(
                [_as_published(each, configured) for each in reporters],
                [each for each in helpers if each.files or each.name in configured],
                collector,
            ),
            values=given,
            hidden=hidden,
            built=frozenset(name for name, each in configured.items() if "build" in each)
            | ({COLLECTOR} if collector else set()),
            own_restart=frozenset(name for name, each in configured.items() if each.get("restart"))
            | frozenset(added),
            movable=frozenset({COLLECTOR}),
            check=checked,
        ),
        collector_port=collector.port if collector else None,
        token=kept["token"],
        proof=kept["proof"],
        without_effect=without_effect,
        consumers=tuple(consumers),
    )


def command(engine: ComposeEngine, wanted: Wanted) -> tuple[tuple[str, ...], dict[str, str]]:
    """The beginning of a Compose command over what `up` runs, and its environment.

    Raises NotConfiguredError where no container can run here, and as `plan` does.
    """
    reason = engine.unavailable()
    if reason is not None:
        raise NotConfiguredError(f"Compose cannot run here: {reason}", "See: bootstrap doctor")
    planned = plan(engine, wanted)
    engine.client.write_overlay(yaml.block(planned.containers.overlay) + "\n")
    return engine.client.argv(), {**engine.client.environ, **planned.containers.values}


def forget(state: State) -> None:
    """Drop what belonged to containers that are gone."""
    state.forget(_KEPT)


def _kept(state: State) -> dict[str, Any]:
    """What stays the same until the containers are removed: new keys would make all of them anew."""
    kept = state.read(_KEPT) or {}
    if not all(isinstance(kept.get(name), str) for name in ("token", "proof", "mask")):
        kept = {name: secrets.token_hex(_KEY_BYTES) for name in ("token", "proof", "mask")}
        state.write(_KEPT, kept)
    return kept


def _reporter(wanted: Wanted, service: Service) -> Reporter:
    committed = wanted.committed.services[service.name]
    url = wanted.workspace.url
    before = resolve(
        wanted.committed, committed, view="container", routing=dict.fromkeys(VENDORS, Cloud()), url=url
    )
    now = resolve(wanted.here, service, view="container", routing=routes(wanted.decisions, _ADDRESS), url=url)
    return Reporter(service, before, now, committed.port)


def _as_published(reporter: Reporter, configured: Mapping[str, Any]) -> Reporter:
    return structs.replace(reporter, published=configured.get(reporter.service.name, {}).get("ports") or ())


def _helpers(wanted: Wanted) -> list[Helper]:
    """The containers that vendors bring, as they report in this run."""
    local = staying(wanted.decisions)
    made = []
    vendors = {vendor.sidecar(wanted.here).name: vendor for vendor in VENDORS.values() if vendor.sidecar}
    for sidecar in sidecars(wanted.here):
        vendor = vendors[sidecar.name]
        now = sidecar.variables
        if vendor.name in local and vendor.local_sidecar is not None:
            other = vendor.local_sidecar(wanted.here, _ADDRESS.otlp)
            made.append(Helper(sidecar.name, other.command, now, other.variables, other.files))
        else:
            made.append(Helper(sidecar.name, sidecar.command, now, now, {}))
    return made


def _values(shown: Iterable[Sequence[Variable]], give: Give, proof: str) -> dict[str, str]:
    """The values that somebody in this run sees, under the names by which Compose's environment has them."""
    claims = {claim for variables in shown for claim in claims_in(variables)}
    key = Claim(PROOF_KEY)
    found = {claim.variable: secret.reveal() for claim in claims - {key} if (secret := give(claim))}
    return {**found, PROOF_KEY: proof} if key in claims else found


def _readers(wanted: Wanted, shown: Mapping[str, Sequence[Variable]]) -> dict[str, Sequence[str]]:
    """Who may have which secret in the project's `.env`.

    An AWS key itself is for nobody, unless somebody wants that; who is given something else under its name
    does not get it from there.
    """
    found: dict[str, Sequence[str]] = dict(readers(wanted.here))
    for part in KEY_PARTS if not wanted.raw_aws_keys else ():
        found[part] = [name for name, variables in shown.items() if _replaces(part, variables)]
    return found


def _replaces(part: str, variables: Iterable[Variable]) -> bool:
    return any(
        each.name == part and (isinstance(each.value, Text) or each.value.purpose is not None)
        for each in variables
    )


def _collector(
    wanted: Wanted,
    engine: ComposeEngine,
    kept: Mapping[str, Any],
    configured: Mapping[str, Any],
    values: Mapping[str, str],
) -> Collector | None:
    local = staying(wanted.decisions)
    if not local:
        return None
    folder = wanted.state.directory / _IMAGE
    image.write_context(folder)
    port = _port(engine, wanted.state, kept)
    page = urlsplit(wanted.workspace.url(port)).netloc
    hosts = [f"{COLLECTOR}:{HTTP_PORT}", f"localhost:{port}", f"127.0.0.1:{port}", page]
    networks = dict.fromkeys(
        network for each in configured.values() for network in each.get("networks") or ()
    )
    version = hmac.digest(kept["mask"].encode(), json.dumps(sorted(values.items())).encode(), "sha256")
    groups = [log_group(wanted.here)] if "cloudwatch" in local else []
    return Collector(
        context=str(folder),
        port=port,
        hosts=list(dict.fromkeys(hosts)),
        log_groups=groups,
        expected=msgspec.json.encode(from_decisions(wanted.here, wanted.decisions)).decode(),
        networks=list(networks) or ["default"],
        mask_version=version.hex()[:16],
    )


def _port(engine: ComposeEngine, state: State, kept: Mapping[str, Any]) -> int:
    """The port that it has, else the usual one, else any that is free."""
    before = kept.get("port")
    if isinstance(before, int) and (before in engine.client.published() or ports.is_free(before)):
        return before
    port = HTTP_PORT if ports.is_free(HTTP_PORT) else ports.any_free()
    state.write(_KEPT, {**kept, "port": port})
    return port


def move(state: State) -> None:
    """Give the collector another port from now on."""
    state.write(_KEPT, {**_kept(state), "port": ports.any_free()})


def _launches(
    wanted: Wanted,
    services: Sequence[Service],
    more: Iterable[str],
    collector: Collector | None,
) -> tuple[Launch, ...]:
    names = {service.name for service in services}
    made = [
        Launch(
            name=service.name,
            command="",
            directory=wanted.root,
            environment={},
            port=service.port,
            health=service.health,
            depends_on=tuple(name for name in service.depends_on if name in names),
            watch=wanted.root / service.build if service.build else None,
        )
        for service in services
    ]
    if collector is not None:
        made.append(_bare(wanted.root, COLLECTOR, collector.port, "/healthz"))
    made += [_bare(wanted.root, name) for name in more]
    return tuple(made)


def _brought(wanted: Wanted, services: Sequence[Service], configured: Mapping[str, Any]) -> list[str]:
    """The containers of vendors that these services report to."""
    reporting = {service.name for service in services}
    brought = (each.name for each in sidecars(wanted.here) if reporting & each.services)
    return [name for name in brought if name in configured]


def _added(wanted: Wanted, configured: Mapping[str, Any]) -> list[str]:
    """What only the project's Compose files have; nobody who asks for some services asks for it."""
    if wanted.only:
        return []
    known = {*wanted.here.services, *(each.name for each in sidecars(wanted.here)), COLLECTOR}
    return sorted(configured.keys() - known)


def _bare(root: Path, name: str, port: int | None = None, health: str | None = None) -> Launch:
    return Launch(name=name, command="", directory=root, environment={}, port=port, health=health)

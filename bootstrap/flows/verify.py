"""Proves that telemetry arrives: sends each service marked requests, and reads back what they left."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.flows.environment import Give, secret_specs, service_named
from bootstrap.flows.routing import Decision, recorded
from bootstrap.flows.run import COLLECTOR
from bootstrap.model.environment import Claim
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.masking import Mask
from bootstrap.model.project import Project, Service
from bootstrap.stack.interface import Engine
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.vendors.aws import KEY_PARTS
from bootstrap.vendors.evidence.aws import without_session
from bootstrap.verification import patience
from bootstrap.verification.collector import Collector
from bootstrap.verification.interface import (
    Arrival,
    Asking,
    Finding,
    Look,
    Probe,
    Reading,
    Report,
    waiting,
)
from bootstrap.verification.sending import send

#: seconds until what is on this machine, and what is elsewhere, counts as not arrived
LOCAL_TIMEOUT, CLOUD_TIMEOUT = 30.0, 90.0
#: characters of the longest text of a finding
_LONGEST = 400
_DAEMON_TAIL = 200
_NO_SERVER_ERROR = 400

_Key = tuple[str, str]


class Surroundings(Struct, frozen=True, kw_only=True):
    """Where verification takes place, and whom it tells about waiting."""

    project: Project
    state: State
    give: Give
    environ: Mapping[str, str]
    #: says what is waited for once that takes more than a second
    patiently: Callable[[str], AbstractContextManager[None]]
    say: Callable[[str], None]
    #: a sidecar's name -> its lines; None where the engine that runs has none of that name
    sidecar_lines: Callable[[str], Callable[[], Iterable[str]] | None] = lambda _name: None
    #: why there is no AWS key to read with, once `give` was asked for one
    refused: Callable[[], BootstrapError | None] = lambda: None

    def __repr__(self) -> str:
        return "Surroundings(...)"


def verify(here: Surroundings, *, only: Sequence[str] = (), timeout: float | None = None) -> Report:
    """Send, wait for `timeout` seconds at most, and report.

    Raises NotConfiguredError where nothing runs, UsageError where there is no such service, and whatever a
    store raises. What a vendor answers is a finding, never an error.
    """
    services = [service_named(here.project, name) for name in dict.fromkeys(only or here.project.services)]
    decisions = {decision.vendor: decision for decision in recorded(here.state)}
    if not any(service.telemetry for service in here.project.services.values()):
        raise NotConfiguredError(
            "no service of this project reports to a vendor",
            'Let one: telemetry = ["honeycomb", ...] in [services.NAME]',
        )
    if not decisions:
        raise NotConfiguredError("nothing of this project runs", "Start it: bootstrap up")
    asked = {service.name: list(_asked(service, decisions)) for service in services}
    probes = {service.name: _send(here, service) for service in services if asked[service.name]}
    if probes and not any(probe.answered for probe in probes.values()):
        ports = ", ".join(f"127.0.0.1:{here.project.services[name].port}" for name in probes)
        raise NotConfiguredError(f"no service answers at {ports}", "Start it: bootstrap up")
    found = _settle(here, probes, asked, timeout)
    findings = [
        _finding(service, name, decisions, probes.get(service.name), found)
        for service in services
        for name in service.telemetry or ("",)
    ]
    return Report(tuple(probes.values()), tuple(findings))


def lines_of(engine: Engine) -> Callable[[str], Callable[[], Iterable[str]] | None]:
    """Let the sidecars of a run be asked what they have written, where its engine has any."""

    def lines(name: str) -> Callable[[], Iterable[str]] | None:
        try:
            if all(status.name != name for status in engine.status()):
                return None
        except BootstrapError:
            return None
        return lambda: _lines(engine, name)

    return lines


def _lines(engine: Engine, name: str) -> Iterator[str]:
    """What a sidecar wrote; an engine that does not say is no reason to give up."""
    try:
        for line in engine.logs([name], follow=False, tail=_DAEMON_TAIL):
            yield line.text
    except BootstrapError:
        return


def _asked(service: Service, decisions: Mapping[str, Decision]) -> Iterator[Decision]:
    """The vendors that a service has to show something at."""
    for name in service.telemetry:
        if _why_off(service, name, decisions) is None:
            yield decisions[name]


def _why_off(service: Service, vendor: str, decisions: Mapping[str, Decision]) -> tuple[str, str] | None:
    """Why nothing of a service is looked for at a vendor, and what to type; None where something is."""
    key = f"services.{service.name}"
    if not vendor:
        return "reports to no vendor", f'Let it: telemetry = ["honeycomb", ...] in [{key}]'
    if service.port is None:
        return "has no port that could be asked", f"Give it one: port = ... in [{key}]"
    if not service.probe:
        return "has no path that could be asked for", f'Name one: probe = ["/"] in [{key}]'
    if vendor not in decisions:
        return "the current run does not know this vendor", "bootstrap down, then: bootstrap up"
    if decisions[vendor].where == "off":
        return decisions[vendor].reason, ""
    return None


def _send(here: Surroundings, service: Service) -> Probe:
    key = str((here.state.read("trace-proof") or {}).get("key", ""))
    with here.patiently(f"{service.name} to answer"):
        return send(service, key)


def _settle(
    here: Surroundings,
    probes: Mapping[str, Probe],
    asked: Mapping[str, Sequence[Decision]],
    timeout: float | None,
) -> dict[_Key, tuple[Reading, float]]:
    """Look for everything until it is there or the time is up."""
    clouds = {each.vendor for decisions in asked.values() for each in decisions if each.where == "cloud"}
    values = _values(here, clouds) if clouds else {}
    collector = _collector(here.state)
    looks: dict[_Key, tuple[float, Look]] = {}
    for name, probe in probes.items():
        for decision in asked[name]:
            asking = _asking(here, probe, decision, values, collector)
            look = _look(asking, decision, collector)
            refused = here.refused() if VENDORS[decision.vendor].purpose else None
            if decision.where == "cloud" and refused is not None:
                look = _always(without_session(refused, here.project.region))
            looks[name, decision.vendor] = (probe.sent_at, look)

    def say(keys: list[_Key], seconds: float) -> None:
        names = ", ".join(f"{VENDORS[vendor].title} of {service}" for service, vendor in keys)
        here.say(f"Waiting for {names} ({seconds:.0f} s) ...")

    found = patience.settle(looks, timeout or (CLOUD_TIMEOUT if clouds else LOCAL_TIMEOUT), say)
    mask = Mask(values.values())
    return {key: (_masked(reading, mask), seconds) for key, (reading, seconds) in found.items()}


def _values(here: Surroundings, clouds: Iterable[str]) -> dict[str, str]:
    """The secrets that these vendors can be asked with: those of services, and those of `verify` itself."""
    names = set(secret_specs(here.project))
    if all(VENDORS[name].purpose is None for name in clouds):
        names -= set(KEY_PARTS)
    claims = [Claim(name, "verify" if name in KEY_PARTS else None) for name in sorted(names)]
    with here.patiently("the stores and AWS"):
        return {each.secret: secret.reveal() for each in claims if (secret := here.give(each)) is not None}


def _collector(state: State) -> Collector | None:
    written = state.read(COLLECTOR)
    if written is None:
        return None
    return Collector(*(str(written.get(key, "")) for key in ("url", "token", "page")))


def _asking(
    here: Surroundings,
    probe: Probe,
    decision: Decision,
    values: Mapping[str, str],
    collector: Collector | None,
) -> Asking:
    sidecar = VENDORS[decision.vendor].sidecar
    return Asking(
        project=here.project,
        service=here.project.services[probe.service],
        probe=probe,
        values=values,
        environ=here.environ,
        sidecar_lines=here.sidecar_lines(sidecar(here.project).name) if sidecar else None,
        page=collector.link(probe.trace_id) if collector and decision.where == "local" else "",
    )


def _look(asking: Asking, decision: Decision, collector: Collector | None) -> Look:
    """Choose how one vendor is looked at in this run."""
    vendor, probe = VENDORS[decision.vendor], asking.probe
    if not probe.answered:
        problem = next((reply.problem for reply in probe.replies), "")
        return _always(
            Reading(Arrival.MISSING, f"the service did not answer: {problem}", hint="bootstrap status")
        )
    if probe.took_another:
        return _always(_not_taken(asking.service))
    if decision.where == "cloud" and vendor.read is not None:
        return vendor.read(asking)
    if decision.where == "local" and vendor.found is not None:
        if collector is None:
            return _always(
                Reading(Arrival.MISSING, "the collector does not run", hint="Start it: bootstrap up")
            )
        return _local(asking, decision, collector)
    return _always(Reading(Arrival.ACCEPTED, f"nobody knows how to read {vendor.title} back"))


def _local(asking: Asking, decision: Decision, collector: Collector) -> Look:
    found = VENDORS[decision.vendor].found

    def look() -> Reading:
        try:
            trace = collector.trace(asking.probe.trace_id)
        except BootstrapError as error:
            return waiting(error.message, error.hint)
        return found(asking, trace or {}) if found else waiting("")

    return look


def _always(reading: Reading) -> Look:
    return lambda: reading


def _not_taken(service: Service) -> Reading:
    """Say of a service that put our requests into traces of its own why it may have."""
    cause = "it has no key of this run to believe us with" if service.public else "it drops what we send"
    return Reading(
        Arrival.MISSING,
        f"the service did not take our trace, and made one of its own: {cause}",
        hint="Was it started by something else? bootstrap down, then: bootstrap up",
    )


def _finding(
    service: Service,
    vendor: str,
    decisions: Mapping[str, Decision],
    probe: Probe | None,
    found: Mapping[_Key, tuple[Reading, float]],
) -> Finding:
    title = VENDORS[vendor].title if vendor else ""
    if (service.name, vendor) not in found or probe is None:
        reason, hint = _why_off(service, vendor, decisions) or ("", "")
        return Finding(
            service=service.name, vendor=vendor, title=title, state=Arrival.OFF, detail=reason, hint=hint
        )
    reading, seconds = found[service.name, vendor]
    return Finding(
        service=service.name,
        vendor=vendor,
        title=title,
        state=reading.state,
        detail=reading.detail + (_also(probe) if reading.state is Arrival.MISSING else ""),
        latency=patience.seen_after(reading, seconds),
        link=reading.link,
        hint=reading.hint,
        evidence=reading.evidence,
    )


def _also(probe: Probe) -> str:
    """What else may be the reason that nothing came: how the service has answered."""
    if not probe.answered or probe.took_another:
        return ""
    bad = [reply for reply in probe.replies if reply.problem or (reply.status or 0) >= _NO_SERVER_ERROR]
    said = [f"{reply.path} answered {reply.status or 'nothing'}" for reply in bad]
    if all(reply.trace_id is None for reply in probe.replies):
        said.append("the service did not say which trace it used")
    return "".join(f"; {text}" for text in said)


def _masked(reading: Reading, mask: Mask) -> Reading:
    """Cut and mask whatever a vendor has said; what is cut first may end in a part of a value."""
    return replace(
        reading,
        detail=mask(reading.detail)[:_LONGEST],
        hint=mask(reading.hint)[:_LONGEST],
        link=mask(reading.link),
        evidence=tuple((mask(name), mask(value)) for name, value in reading.evidence),
    )

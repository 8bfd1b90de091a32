"""Where each vendor's telemetry goes in this run, who decided so, and what the next command is told of it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from msgspec import Struct, field

from bootstrap.model.environment import Cloud, CollectorAddress, Local, Route, View
from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError, UsageError
from bootstrap.model.project import Project
from bootstrap.model.remark import Mark, Remark
from bootstrap.model.repository import Repository
from bootstrap.system.lock import Lock
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Vendor

if TYPE_CHECKING:
    from bootstrap.flows.sessions.handing import Sessions  # whose makers no reader of decisions needs

#: the vendor itself, the collector on this machine, or nowhere
Where = Literal["cloud", "local", "off"]
#: what somebody may ask for; auto: the vendor itself where it is ready and somebody has agreed
Mode = Literal["auto", "local", "cloud"]
#: what is remembered
Choice = Literal["local", "cloud"]

MODES: tuple[Mode, ...] = get_args(Mode)

#: asks somebody whether a vendor that is ready, as the remark says, is to receive this project's telemetry
Agree = Callable[[Vendor, Remark], bool]

_ROUTING = "routing"
_CHOICES = "routing-choices"
#: seconds in which all vendors together have to answer
_PATIENCE = 5.0
#: seconds in which whoever only looks whether a run is alive has looked
_BUSY = 2.0
#: the locks of this process, by the folder of the state
_held: dict[Path, Lock] = {}


class Decision(Struct, frozen=True):
    """Where one vendor's telemetry goes, and why, in words that end with what to type."""

    vendor: str
    title: str
    where: Where
    reason: str


class Wishes(Struct, frozen=True):
    """What somebody asked for in this call: `each` vendor by its name, and `every` other one."""

    every: Mode = "auto"
    each: dict[str, Mode] = field(default_factory=dict)

    def of(self, vendor: str) -> Mode:
        """What was asked for one vendor."""
        return self.each.get(vendor, self.every)


class Choices:
    """What somebody chose for each vendor on this machine: for one repository, wherever else it is cloned.

    The run state belongs to a folder. Another repository in the same folder has nobody's consent.
    """

    def __init__(self, state: State, repository: Repository) -> None:
        self._state = state
        self._identity = repository.identity

    def read(self) -> dict[str, Choice]:
        """The choice for each vendor for which there is one."""
        known = self._all().get(self._identity)
        chosen = known if isinstance(known, dict) else {}
        return {name: choice for name, choice in chosen.items() if choice in get_args(Choice)}

    def record(self, chosen: Mapping[str, Choice | None]) -> None:
        """Remember these choices beside the others; None forgets one. Writes only what differs."""
        before = self.read()
        merged = {**before, **chosen}
        after = {name: choice for name, choice in merged.items() if choice is not None}
        if after != before:
            self._state.write(_CHOICES, {**self._all(), self._identity: after})

    def _all(self) -> dict[str, object]:
        return self._state.read(_CHOICES) or {}


def decide(
    project: Project,
    sessions: "Sessions",
    environ: Mapping[str, str],
    *,
    choices: Choices,
    view: View,
    wishes: Wishes | None = None,
    agree: Agree | None = None,
    patience: float = _PATIENCE,
) -> list[Decision]:
    """Decide for each vendor that a service reports to, and remember what somebody wished or answered.

    Only vendors that may receive something, and whose secrets are set, are asked whether they would: all at
    once, for at most `patience` seconds. `agree` is called for one that is ready and that nobody has chosen
    anything for; without it such a vendor stays local. Raises NotConfiguredError or RemoteRefusedError where
    somebody wishes for a cloud that is not ready, UsageError for a vendor that nobody reports to, and what
    stores raise; nothing is remembered then.
    """
    wishes = wishes or Wishes()
    vendors = _reported_to(project, wishes)
    chosen = {name: choice for name, choice in choices.read().items() if wishes.each.get(name) != "auto"}
    modes: dict[str, Mode] = {
        vendor.name: mode if (mode := wishes.of(vendor.name)) != "auto" else chosen.get(vendor.name, "auto")
        for vendor in vendors
    }
    wanted = [vendor for vendor in vendors if modes[vendor.name] != "local"]
    found = _readiness(project, wanted, sessions, environ, view=view, patience=patience) if wanted else {}
    for vendor in wanted:
        if wishes.of(vendor.name) == "cloud":
            _insist(vendor, found[vendor.name])
    choices.record({vendor.name: _remembered(wishes, vendor.name, chosen) for vendor in vendors})
    for vendor in wanted:
        if modes[vendor.name] == "auto" and agree is not None and found[vendor.name].mark is Mark.OK:
            answer: Choice = "cloud" if agree(vendor, found[vendor.name]) else "local"
            choices.record({vendor.name: answer})
            modes[vendor.name] = answer
    return [_decision(vendor, modes[vendor.name], found.get(vendor.name)) for vendor in vendors]


def _reported_to(project: Project, wishes: Wishes) -> list[Vendor]:
    """The vendors that a service reports to. Raises UsageError where a wish names another one."""
    for name in wishes.each:
        if not project.reporting_to(name):
            raise UsageError(
                f"no service reports to {VENDORS[name].title}",
                f'Add it: telemetry = ["{name}"] of a service.',
            )
    return [vendor for vendor in VENDORS.values() if project.reporting_to(vendor.name)]


def _readiness(
    project: Project,
    vendors: Iterable[Vendor],
    sessions: "Sessions",
    environ: Mapping[str, str],
    *,
    view: View,
    patience: float,
) -> dict[str, Remark]:
    from bootstrap.flows import readiness  # noqa: PLC0415 - `run` reads decisions and makes none

    return readiness.look(project, vendors, sessions, environ, view=view, patience=patience)


def _insist(vendor: Vendor, found: Remark) -> None:
    """Refuse to send elsewhere what somebody wants in the cloud."""
    if found.mark is Mark.OK:
        return
    error = NotConfiguredError if found.mark is Mark.NOTE else RemoteRefusedError
    hint = found.hint or f"Keep it here: bootstrap up --telemetry {vendor.name}=local"
    raise error(f"{vendor.title} cannot receive this run: {found.text}", hint)


def _remembered(wishes: Wishes, vendor: str, chosen: Mapping[str, Choice]) -> Choice | None:
    mode = wishes.of(vendor)
    return chosen.get(vendor) if mode == "auto" else mode


def _decision(vendor: Vendor, mode: Mode, found: Remark | None) -> Decision:
    """Decide about one vendor: `mode` is what was wished, chosen or answered, `found` whether it is ready."""
    if found is None or mode == "local":
        return _stays(vendor, f"chosen on this machine; to send it there: {_typed(vendor, 'cloud')}")
    if found.mark is not Mark.OK:
        return _stays(vendor, _with_hint(found))
    if mode == "auto":
        return _stays(
            vendor, f"it is ready, and nobody has agreed on this machine: {_typed(vendor, 'cloud')}"
        )
    return Decision(
        vendor.name, vendor.title, "cloud", f"{found.text}; to keep it here: {_typed(vendor, 'local')}"
    )


def _stays(vendor: Vendor, reason: str) -> Decision:
    if vendor.local is None:
        return Decision(
            vendor.name, vendor.title, "off", f"{reason} (the collector here does not receive it yet)"
        )
    return Decision(vendor.name, vendor.title, "local", reason)


def _with_hint(remark: Remark) -> str:
    if not remark.hint:
        return remark.text
    return f"{remark.text}{'. ' if remark.hint[0].isupper() else ': '}{remark.hint}"


def _typed(vendor: Vendor, mode: Mode) -> str:
    return f"bootstrap up --telemetry {vendor.name}={mode}"


def record(state: State, decisions: list[Decision], daemon: str | None = None) -> None:
    """Remember what the run that is about to start does, as the current one while this process lives.

    `daemon` is the host:port of a vendor's daemon that runs on this machine. Raises BootstrapError while
    another process's run is alive.
    """
    path = state.directory
    if path not in _held:
        lock = _alive(state)
        lock.wait(_BUSY)
        _held[path] = lock  # and never released: the system does that when this process ends
    state.write(_ROUTING, {"decisions": msgspec.to_builtins(decisions), "daemon": daemon})


def recorded(state: State) -> list[Decision]:
    """Read what the current or last run does; empty where there was none."""
    try:
        return msgspec.convert((state.read(_ROUTING) or {}).get("decisions", []), list[Decision])
    except msgspec.ValidationError:
        return []


def current(state: State, collector: CollectorAddress | None) -> dict[str, Route] | None:
    """The routes of the run that is alive, as its services have them; None where none is.

    `collector` is the one that listens. Where none does, what is local is off: never the cloud by chance.
    """
    written = state.read(_ROUTING)
    if written is None or not _alive(state).held():
        return None
    daemon = written.get("daemon")
    return routes(recorded(state), collector, daemon if isinstance(daemon, str) else None)


def routes(
    decisions: Iterable[Decision], collector: CollectorAddress | None, daemon: str | None = None
) -> dict[str, Route]:
    """Make routes of decisions, for what reaches `collector` and `daemon` at these addresses.

    A vendor that is off has none, and neither has a local one without a collector.
    """
    made: dict[str, Route] = {}
    for decision in decisions:
        if decision.where == "cloud":
            made[decision.vendor] = Cloud(daemon)
        elif decision.where == "local" and collector is not None:
            made[decision.vendor] = Local(collector)
    return made


def leaving(decisions: Iterable[Decision]) -> frozenset[str]:
    """The vendors that get something in this run."""
    return frozenset(decision.vendor for decision in decisions if decision.where == "cloud")


def staying(decisions: Iterable[Decision]) -> frozenset[str]:
    """The vendors that get nothing in this run."""
    return frozenset(decision.vendor for decision in decisions if decision.where != "cloud")


def _alive(state: State) -> Lock:
    """The lock that the process of a run holds while it lives, however it ends."""
    return Lock(state.directory / f"{_ROUTING}.lock")

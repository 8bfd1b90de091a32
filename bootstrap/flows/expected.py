"""What a run sends where: what the collector compares with what has arrived."""

from collections.abc import Iterable

from bootstrap.collector.asking.questions import Expected
from bootstrap.flows.routing import Decision, Where, recorded
from bootstrap.model.project import Project
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS

_UNDECIDED = "no run has decided otherwise; to send it there: bootstrap up --telemetry {}=cloud"


def expected(project: Project, state: State) -> tuple[Expected, ...]:
    """What the services report to whom in the run that was recorded last; all of it here, where none was."""
    return from_decisions(project, recorded(state))


def from_decisions(project: Project, decisions: Iterable[Decision]) -> tuple[Expected, ...]:
    """What the services report to whom, as was decided; whom a service does not report to is left out.

    A service goes by the name that its telemetry has.
    """
    decided = {decision.vendor: decision for decision in decisions}
    return tuple(
        _expected(service.otel_service_name, vendor, decided.get(vendor))
        for service in project.services.values()
        for vendor in VENDORS
        if vendor in service.telemetry
    )


def _expected(service: str, vendor: str, decision: Decision | None) -> Expected:
    if decision is not None:
        return Expected(service, vendor, decision.title, decision.where, decision.reason)
    where: Where = "local" if VENDORS[vendor].local is not None else "off"
    return Expected(service, vendor, VENDORS[vendor].title, where, _UNDECIDED.format(vendor))

"""Compares the services' names with what sampling rules and groups look for: in files, and in an account."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from bootstrap.model.project import Project, Service
from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors.naming.filters import Match, match
from bootstrap.vendors.naming.recorder import SUBJECT

#: JSON's types, as the API has them
Fields = Mapping[str, Any]
#: a service and the sampling rule that it is to have
Wanted = tuple[Service, Fields]

_WILD = "*"


def of_files(project: Project, documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Remark]:
    """Judge sampling rules and groups in the repository's own files: path -> the arguments of the call."""
    services = project.reporting_to("xray")
    for path, document in documents.items():
        rule = document.get("SamplingRule")
        pattern = rule.get("ServiceName") if isinstance(rule, Mapping) else None
        if isinstance(pattern, str) and not any(_covers(pattern, item) for item in services):
            yield Remark(
                SUBJECT,
                Mark.PROBLEM,
                f"{path}: this sampling rule is for {pattern!r}, and no service here is called so: "
                f"{_names(services)}",
                _REPLACED,
            )
        expression = document.get("FilterExpression")
        if isinstance(expression, str):
            yield from _filter(f"{path}: this group's filter", expression, services, _REPLACED)


_REPLACED = "bootstrap render writes files that agree: use those, and remove this one."


def _filter(what: str, expression: str, services: Iterable[Service], hint: str) -> Iterator[Remark]:
    """Say that a group shows nothing, or not what it is there for."""
    anything = match(expression)
    if anything is None:
        return
    if not anything.possible:
        yield Remark(
            SUBJECT,
            Mark.PROBLEM,
            f"{what} {expression!r} can never match: a service's name is no URL",
            hint,
        )
        return
    shown = {service.otel_service_name: _shown(expression, service) for service in services}
    hidden = [name for name, found in shown.items() if not found.possible]
    partly = [name for name, found in shown.items() if found.possible and not found.always]
    if hidden:
        yield Remark(SUBJECT, Mark.PROBLEM, f"{what} {expression!r} leaves out {', '.join(hidden)}", hint)
    if partly:
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{what} {expression!r} shows only some requests of {', '.join(partly)}",
            hint,
        )


def _shown(expression: str, service: Service) -> Match:
    return match(expression, service.otel_service_name) or Match(possible=True, always=False)


def of_account(
    group_name: str, wanted: Sequence[Wanted], groups: Iterable[Fields], rules: Iterable[Fields]
) -> Iterator[Remark]:
    """Judge what else is in the account: groups as GetGroups has them, `SamplingRule`s of GetSamplingRules.

    What is there of the project's own, drift says.
    """
    for group in groups:
        name, expression = str(group.get("GroupName")), str(group.get("FilterExpression") or "")
        anything = match(expression)
        if name != group_name and anything is not None and not anything.possible:
            yield Remark(
                SUBJECT,
                Mark.NOTE,
                f"the X-Ray group {name!r} can never show a trace: its filter {expression!r} names a URL, "
                "and a service's name is none",
            )
    ours = {rule["RuleName"] for _, rule in wanted}
    others = sorted((rule for rule in rules if rule.get("RuleName") not in ours), key=_order_of)
    for service, rule in wanted:
        for other in others:
            if (
                _order_of(other) < _order_of(rule)
                and _counts(other)
                and _covers(_text(other, "ServiceName"), service)
            ):
                yield _caught(service, rule, other)


def _order_of(rule: Mapping[str, Any]) -> tuple[int, str]:
    """As the SDKs sort them: the first that matches decides."""
    return int(rule.get("Priority") or 0), _text(rule, "RuleName")


def _counts(rule: Mapping[str, Any]) -> bool:
    """Whether SDKs look at it: the Python one only at these (core/sampling/connector.py)."""
    return (
        rule.get("Version", 1) == 1 and rule.get("ResourceARN", _WILD) == _WILD and not rule.get("Attributes")
    )


def _covers(pattern: str, service: Service) -> bool:
    """As the SDKs match: `*` and `?`, and no difference between capital and small letters."""
    return fnmatchcase(service.otel_service_name.lower(), pattern.lower().replace("[", "[[]"))


def _text(rule: Mapping[str, Any], name: str) -> str:
    return str(rule.get(name) or _WILD)


def _caught(service: Service, rule: Mapping[str, Any], other: Mapping[str, Any]) -> Remark:
    narrower = [
        f"{name} {_text(other, name)}"
        for name in ("Host", "HTTPMethod", "URLPath")
        if _text(other, name) != _WILD
    ]
    which = f"requests of {service.name} with {', '.join(narrower)}" if narrower else f"{service.name}"
    return Remark(
        SUBJECT,
        Mark.NOTE,
        f"the sampling rule {_text(other, 'RuleName')!r} (priority {other.get('Priority')}) decides about "
        f"{which} before {rule['RuleName']!r} (priority {rule['Priority']})",
        "Set telemetry.xray.sampling.priority to a smaller number, or narrow that rule.",
    )


def _names(services: Iterable[Service]) -> str:
    return ", ".join(repr(service.otel_service_name) for service in services)

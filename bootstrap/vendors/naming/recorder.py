"""Compares what a service's own source calls it with what its sampling rule and its group look for."""

from collections.abc import Iterator, Mapping

from bootstrap.model.project import Service
from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors.naming.filters import is_url
from bootstrap.vendors.naming.source import Naming, Source, Value

SUBJECT = "names"
#: what the SDK takes for the service's name before what it is told in code
TRACING_NAME = "AWS_XRAY_TRACING_NAME"
_DYNAMIC = "Leave dynamic_naming out: what X-Ray looks for is the service's name."


def of_source(service: Service, source: Source, variables: Mapping[str, str]) -> Iterator[Remark]:
    """Say what in a service's own files calls it otherwise; `variables` is its environment."""
    for path in source.unreadable:
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{path}: speaks of X-Ray, and cannot be read as Python here",
            f"See for yourself that its recorder's service is {service.otel_service_name!r}.",
        )
    own = variables.get(TRACING_NAME)
    if own is not None and own != service.otel_service_name:
        yield Remark(
            SUBJECT,
            Mark.PROBLEM,
            f"{service.name}: {TRACING_NAME} is {own!r}, {_sought(service)}",
            f"Remove it, or set services.{service.name}.otel_service_name to it.",
        )
    for naming in source.namings:
        if own is None:
            yield from _recorder(service, naming, variables)
        yield from _dynamic(naming, variables)
        yield from _order(naming, source, own)
    if own is None and source.middleware and not any(naming.service for naming in source.namings):
        yield Remark(
            SUBJECT,
            Mark.PROBLEM,
            f"{source.middleware}: XRayMiddleware, and no recorder is given a service's name: every request "
            "fails with 500",
            'xray_recorder.configure(service=os.environ["OTEL_SERVICE_NAME"])',
        )


def _recorder(service: Service, naming: Naming, variables: Mapping[str, str]) -> Iterator[Remark]:
    value, where = naming.service, f"{naming.path}:{naming.line}"
    if value is None or not value.known:
        return
    name = _resolved(value, variables)
    if name is None:
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{where}: the recorder is called what {value.variable} says, which {service.name} is not given",
            "OTEL_SERVICE_NAME holds the name that the sampling rule and the group look for.",
        )
    elif name != service.otel_service_name:
        yield Remark(
            SUBJECT,
            Mark.PROBLEM,
            f"{where}: the recorder is called {name!r}, {_sought(service)}",
            f'Call it os.environ["OTEL_SERVICE_NAME"], or set services.{service.name}.otel_service_name.',
        )


def _sought(service: Service) -> str:
    return f"and the sampling rule and the group look for {service.otel_service_name!r}"


def _dynamic(naming: Naming, variables: Mapping[str, str]) -> Iterator[Remark]:
    value, where = naming.dynamic, f"{naming.path}:{naming.line}"
    if value is None:
        return
    pattern = _resolved(value, variables)
    if pattern is not None and is_url(pattern):
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{where}: no host matches the dynamic naming {pattern!r}, which is a URL: it does nothing",
            _DYNAMIC,
        )
    elif pattern is not None:
        yield Remark(
            SUBJECT,
            Mark.PROBLEM,
            f"{where}: dynamic naming calls segments after each host that {pattern!r} matches: neither the "
            "sampling rule nor the group finds those",
            _DYNAMIC,
        )
    else:
        when = f"once {value.variable} is set, " if value.variable else ""
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{where}: {when}dynamic naming calls segments after the host that was asked: neither the "
            "sampling rule nor the group finds those",
            _DYNAMIC,
        )


def _order(naming: Naming, source: Source, own: str | None) -> Iterator[Remark]:
    """Say that a pattern was set before the name that counts for other hosts.

    The SDK keeps the name of that moment: none. Its segments are called rightly all the same, but without a
    name every service's sampling rule matches (core/models/default_dynamic_naming.py, ext/util.py).
    """
    if naming.dynamic is None or naming.service is not None or own is not None:
        return
    beside = [
        other.line
        for other in source.namings
        if other.service is not None and (other.path, other.scope) == (naming.path, naming.scope)
    ]
    if beside and min(beside) > naming.line:
        yield Remark(
            SUBJECT,
            Mark.NOTE,
            f"{naming.path}:{naming.line}: dynamic_naming is set before service: for a host that it does not "
            "match, the sampling rule of any service decides",
            _DYNAMIC,
        )


def _resolved(value: Value, variables: Mapping[str, str]) -> str | None:
    """What it comes to with these variables; None where nothing says so."""
    if value.variable is not None and variables.get(value.variable):
        return variables[value.variable]
    return value.text

"""Rollbar: errors with their stack."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from bootstrap.model.environment import CollectorAddress, FromSecret, Text, Variable, View
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.model.remark import Remark
from bootstrap.model.signs import Signs
from bootstrap.model.tokens import TokenShape
from bootstrap.vendors.interface import Values, Vendor
from bootstrap.verification.interface import Asking, Look, Reading

_TOKEN = "ROLLBAR_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
_TOKENS = "https://docs.rollbar.com/docs/access-tokens"
_PATTERN = r"^([0-9a-f]{32}|[0-9a-zA-Z]{96})$(?!\n)"


class RollbarOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.rollbar]`."""

    environment: Annotated[
        str,
        Meta(
            description="What Rollbar files items under.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$(?!\n)"
        ),
    ] = "development"


def _cloud(project: Project, _service: Service, _view: View) -> tuple[Variable, ...]:
    environment = project.telemetry["rollbar"].environment
    return (
        Variable(_TOKEN, FromSecret(_TOKEN), f"secret {_TOKEN}"),
        Variable("ROLLBAR_ENVIRONMENT", Text(environment), "telemetry.rollbar.environment"),
    )


def _local(project: Project, _service: Service, collector: CollectorAddress) -> tuple[Variable, ...]:
    environment = project.telemetry["rollbar"].environment
    origin = "the local collector"
    return (
        # The collector takes any token; nobody's own leaves for it.
        Variable(_TOKEN, Text("local"), origin),
        Variable("ROLLBAR_ENDPOINT", Text(f"{collector.otlp}/api/1/"), origin),
        Variable("ROLLBAR_ENVIRONMENT", Text(environment), "telemetry.rollbar.environment"),
    )


def _inspect(_project: Project, values: Values) -> Iterable[Remark]:
    from bootstrap.vendors.keys import rollbar  # noqa: PLC0415 - no other command needs it

    return rollbar.inspect(values)


def _ask(_project: Project, values: Values, environ: Mapping[str, str]) -> Iterable[Remark]:
    from bootstrap.vendors.keys import rollbar  # noqa: PLC0415 - no other command needs it

    return rollbar.ask(values, environ)


def _ready(_project: Project, values: Values, environ: Mapping[str, str]) -> Remark:
    from bootstrap.vendors.keys import rollbar  # noqa: PLC0415 - no other command needs it

    return rollbar.ready(values, environ)


def _read(asking: Asking) -> Look:
    from bootstrap.vendors.evidence import rollbar  # noqa: PLC0415 - no other command needs it

    return rollbar.read(asking)


def _found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    from bootstrap.vendors.evidence import rollbar  # noqa: PLC0415 - no other command needs it

    return rollbar.found(asking, trace)


ROLLBAR = Vendor(
    name="rollbar",
    title="Rollbar",
    receives="errors",
    options=RollbarOptions,
    signs=Signs(variables=r"ROLLBAR_.*", packages=r"(py)?rollbar"),
    secrets=(
        SecretSpec(
            name=_TOKEN,
            description="A project access token with the scope post_server_item",
            documentation=_TOKENS,
            pattern=_PATTERN,
        ),
        SecretSpec(
            name="ROLLBAR_READ_TOKEN",
            description="A project access token with the scope read",
            documentation=_TOKENS,
            pattern=_PATTERN,
            audience="verify",
        ),
    ),
    tokens=(
        TokenShape("a Rollbar access token", r"[0-9a-f]{32}", ("rollbar",)),
        TokenShape("a Rollbar access token", r"[0-9a-zA-Z]{96}", ("rollbar",)),
    ),
    inspect=_inspect,
    ask=_ask,
    ready=_ready,
    cloud=_cloud,
    local=_local,
    read=_read,
    found=_found,
)

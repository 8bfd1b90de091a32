"""Honeycomb: traces by OpenTelemetry's own protocol."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from bootstrap.model.environment import CollectorAddress, FromSecret, Text, Variable, View, WhenSecret
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.model.remark import Remark
from bootstrap.model.signs import Signs
from bootstrap.model.tokens import TokenShape
from bootstrap.provisioning.interface import Resource
from bootstrap.vendors.interface import Values, Vendor
from bootstrap.verification.interface import Asking, Look, Reading

_KEY = "HONEYCOMB_API_KEY"
_KEYS = "https://docs.honeycomb.io/configure/environments/manage-api-keys/"
#: https://docs.honeycomb.io/send-data/opentelemetry/ - a manifest can only choose between these
ENDPOINTS = {"us": "https://api.honeycomb.io", "eu": "https://api.eu1.honeycomb.io"}
_NEARBY = ("honeycomb", "hny")


class HoneycombOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.honeycomb]`."""

    region: Annotated[Literal["us", "eu"], Meta(description="Where your team's data lives.")] = "us"


def _cloud(project: Project, _service: Service, _view: View) -> tuple[Variable, ...]:
    endpoint = ENDPOINTS[project.telemetry["honeycomb"].region]
    return (
        Variable("OTEL_EXPORTER_OTLP_ENDPOINT", WhenSecret(_KEY, endpoint), "telemetry.honeycomb.region"),
        Variable(
            "OTEL_EXPORTER_OTLP_HEADERS", FromSecret(_KEY, prefix="x-honeycomb-team="), f"secret {_KEY}"
        ),
    )


def _local(_project: Project, _service: Service, collector: CollectorAddress) -> tuple[Variable, ...]:
    origin = "the local collector"
    return (
        Variable("OTEL_EXPORTER_OTLP_ENDPOINT", Text(collector.otlp), origin),
        # Who looks at one trace does not want to wait for a batch: the SDK's own delay is 5000 ms.
        Variable("OTEL_BSP_SCHEDULE_DELAY", Text("500"), origin),
    )


def _inspect(_project: Project, values: Values) -> Iterable[Remark]:
    from bootstrap.vendors.keys import honeycomb  # noqa: PLC0415 - no other command needs it

    return honeycomb.inspect(values)


def _ask(project: Project, values: Values, environ: Mapping[str, str]) -> Iterable[Remark]:
    from bootstrap.vendors.keys import honeycomb  # noqa: PLC0415 - no other command needs it

    return honeycomb.ask(ENDPOINTS, project.telemetry["honeycomb"].region, values, environ)


def _ready(project: Project, values: Values, environ: Mapping[str, str]) -> Remark:
    from bootstrap.vendors.keys import honeycomb  # noqa: PLC0415 - no other command needs it

    return honeycomb.ready(ENDPOINTS, project.telemetry["honeycomb"].region, values, environ)


def _read(asking: Asking) -> Look:
    from bootstrap.vendors.evidence import honeycomb  # noqa: PLC0415 - no other command needs it

    return honeycomb.read(asking, ENDPOINTS)


def _found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    from bootstrap.vendors.evidence import honeycomb  # noqa: PLC0415 - no other command needs it

    return honeycomb.found(asking, trace)


def _resources(project: Project, provider: Any) -> Iterable[Resource]:
    from bootstrap.provisioning.honeycomb.resources import resources  # noqa: PLC0415 - as above

    return resources(project, provider)


HONEYCOMB = Vendor(
    name="honeycomb",
    title="Honeycomb",
    receives="traces",
    options=HoneycombOptions,
    signs=Signs(
        variables=r"HONEYCOMB_.*|OTEL_EXPORTER_OTLP_.*",
        packages=r"opentelemetry-(sdk|distro|exporter-otlp.*)|honeycomb-opentelemetry|@honeycombio/.*"
        r"|@opentelemetry/(sdk-node|auto-instrumentations-node|exporter-trace-otlp-.*)",
    ),
    secrets=(
        SecretSpec(
            name=_KEY,
            description="An ingest key: Honeycomb > Environment > API keys",
            documentation=_KEYS,
            pattern=r"^([a-f0-9]{32}|[a-zA-Z0-9]{20,23}|hc[a-z][a-z]{2}_[a-z0-9]{58})$(?!\n)",
        ),
        SecretSpec(
            name="HONEYCOMB_CONFIGURATION_KEY",
            description="A configuration key that may manage queries, columns and boards",
            documentation=_KEYS,
            pattern=r"^[a-zA-Z0-9]{20,23}$(?!\n)",
            audience="provision",
        ),
    ),
    # https://docs.honeycomb.io/api/authentication; lengths as Honeycomb's own Refinery checks them
    tokens=(
        TokenShape("a Honeycomb key", r"hc[a-z][a-z]{2}_[a-z0-9]{58}"),
        TokenShape("a Honeycomb management key", r"hc[a-z]mk_[a-z0-9]{26}:[a-z0-9]{32}"),
        TokenShape("a Honeycomb Classic key", r"[a-f0-9]{32}", _NEARBY),
        # Nearly every one holds a digit, and hardly any identifier of that length does.
        TokenShape("a Honeycomb configuration key", r"(?=[a-zA-Z]*[0-9])[a-zA-Z0-9]{20,23}", _NEARBY),
    ),
    inspect=_inspect,
    ask=_ask,
    ready=_ready,
    cloud=_cloud,
    local=_local,
    provider="honeycomb",
    resources=_resources,
    read=_read,
    found=_found,
)

"""Honeycomb: traces by OpenTelemetry's own protocol."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bootstrap.model.environment import CollectorAddress, FromSecret, Text, Variable, WhenSecret
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.vendors.interface import Vendor, View

_KEY = "HONEYCOMB_API_KEY"
#: https://docs.honeycomb.io/send-data/opentelemetry/ - a manifest can only choose between these
_ENDPOINTS = {"us": "https://api.honeycomb.io", "eu": "https://api.eu1.honeycomb.io"}


class HoneycombOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.honeycomb]`."""

    region: Annotated[Literal["us", "eu"], Meta(description="Where your team's data lives.")] = "us"


def _cloud(project: Project, _service: Service, _view: View) -> tuple[Variable, ...]:
    endpoint = _ENDPOINTS[project.telemetry["honeycomb"].region]
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


HONEYCOMB = Vendor(
    name="honeycomb",
    title="Honeycomb",
    options=HoneycombOptions,
    secrets=(
        SecretSpec(
            name=_KEY,
            description="An ingest key: Honeycomb > Environment > API keys",
            documentation="https://docs.honeycomb.io/configure/environments/manage-api-keys/",
            pattern=r"^([a-f0-9]{32}|[a-zA-Z0-9]{20,23}|hc[a-z][a-z]{2}_[a-z0-9]{58})$",
        ),
    ),
    cloud=_cloud,
    local=_local,
)

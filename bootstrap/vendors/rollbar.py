"""Rollbar: errors with their stack."""

from typing import Annotated

from msgspec import Meta, Struct

from bootstrap.model.environment import FromSecret, Text, Variable
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.vendors.interface import Vendor, View

_TOKEN = "ROLLBAR_ACCESS_TOKEN"  # noqa: S105 - the name of a variable


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


ROLLBAR = Vendor(
    name="rollbar",
    title="Rollbar",
    options=RollbarOptions,
    secrets=(
        SecretSpec(
            name=_TOKEN,
            description="A project access token with the scope post_server_item",
            documentation="https://docs.rollbar.com/docs/access-tokens",
            pattern=r"^([0-9a-f]{32}|[0-9a-zA-Z]{96})$(?!\n)",
        ),
    ),
    cloud=_cloud,
)

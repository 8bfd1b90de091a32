"""Which container would get which secret, found out with made-up values in the secrets' places.

Compose itself resolves the project's files: interpolation, env files, includes, overrides. Whatever way a
value would take, the made-up one takes, too.
"""

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from bootstrap.flows.compose_limits import check_limits
from bootstrap.flows.environment import PROOF_KEY
from bootstrap.model.environment import Claim, FromSecret, Variable, WhenSecret
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose.client import Client
from bootstrap.vendors.aws import KEY_PARTS

_FILES = "the project's Compose files"


def claims_in(variables: Iterable[Variable]) -> set[Claim]:
    """The secrets that these variables are made of."""
    return {each.value.claim for each in variables if isinstance(each.value, FromSecret | WhenSecret)}


def names_in(variables: Iterable[Variable]) -> set[str]:
    """The same, as Compose's own environment calls them in a run."""
    return {claim.variable for claim in claims_in(variables)}


class Dotenv(Struct, frozen=True):
    """The project's `.env`, which a service can have as a whole."""

    #: the secrets in it: name -> value
    values: Mapping[str, str] = field(default_factory=dict)
    #: the services that the manifest lets see each of them, wherever telemetry goes
    readers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Dotenv(...)"

    def given(self, name: str, definition: Mapping[str, Any]) -> Iterator[str]:
        """The secrets of others that its definition has from there."""
        for variable, value in (definition.get("environment") or {}).items():
            secret = self.values.get(variable)
            if not secret or name in self.readers.get(variable, ()):
                continue
            if value in (secret, secret.replace("$", "$$")):  # Compose doubles the $ of what it resolves
                yield variable


def check(
    client: Client,
    shown: Mapping[str, Sequence[Variable]],
    names: Iterable[str],
    plain: Mapping[str, str],
    *,
    images: Iterable[str] = (),
    networks: Mapping[str, Collection[str]] | None = None,
    dotenv: Dotenv | None = None,
) -> dict[str, Any]:
    """Refuse Compose files that give a container any of the secrets `names` that is not its own.

    Those that go further than `check_limits` lets them are refused, too. `shown` says what
    each service of the manifest, and each container of a vendor, may see. Returns Compose's own view of the
    services, less those of profiles that nobody has chosen. Raises BootstrapError.
    """
    marks = {name: secrets.token_hex(16) for name in names}
    document = client.configuration({**plain, **marks})
    check_limits(document, images, networks or {})
    services: dict[str, Any] = document.get("services") or {}
    for name, definition in services.items():
        own = names_in(shown.get(name, ()))
        joined = _joined(definition, document)
        seen = names_in(shown.get(joined, ())) if joined else set()
        for secret in (*_asked_for(definition, document, marks), *sorted(seen)):
            if secret not in own:
                raise _refusal(f"services.{name}", secret, name)
        for secret in dotenv.given(name, definition) if dotenv else ():
            if secret in KEY_PARTS:
                raise BootstrapError(
                    f"{_FILES}: services.{name} would get {secret} itself from .env",
                    "Let it have no such env_file, or hand the key itself out: bootstrap up --raw-aws-keys",
                )
            raise _refusal(f"services.{name}", f"{secret} (in .env)", name)
        for secret in _marked(definition.get("build"), marks):
            raise BootstrapError(
                f"{_FILES}: services.{name}.build refers to {secret}, which would stay in the image",
                "Let the build mount it: build.secrets, which is left behind nowhere.",
            )
    rest = {key: value for key, value in document.items() if key != "services"}
    for secret in _marked(rest, marks):
        raise _refusal("it", secret, "SERVICE")
    return {
        name: definition
        for name, definition in services.items()
        if name in shown or client.starts(definition)
    }


def _asked_for(
    definition: Mapping[str, Any], document: Mapping[str, Any], marks: Mapping[str, str]
) -> Iterator[str]:
    """The secrets in a service's definition, and those in files that it has mounted."""
    yield from _marked(definition, marks)
    build = definition.get("build") or {}
    for kind in ("secrets", "configs"):
        table = document.get(kind) or {}
        for use in [*(definition.get(kind) or ()), *(build.get(kind) or ())]:
            source = table.get(use.get("source"), {})
            if source.get("environment") in marks:
                yield source["environment"]


def _joined(definition: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    """The service whose processes a service sees: what they were started with is there to read."""
    kind, _, name = str(definition.get("pid") or "").partition(":")
    if kind == "service":
        return name
    if kind != "container":
        return None
    services: Mapping[str, Any] = document.get("services") or {}
    named = {str(each.get("container_name")): service for service, each in services.items()}
    numbered = re.fullmatch(rf"{re.escape(str(document.get('name')))}[-_](.+)[-_]\d+", name)
    return numbered[1] if numbered else named.get(name)


def _marked(value: object, marks: Mapping[str, str]) -> list[str]:
    text = json.dumps(value)
    return [name for name, mark in marks.items() if mark in text]


def _refusal(where: str, secret: str, service: str) -> BootstrapError:
    what = "the key that proves trace headers" if secret == PROOF_KEY else secret
    return BootstrapError(
        f"{_FILES}: {where} refers to {what}, which it does not declare",
        f"Remove that from docker-compose.override.yml, or declare it: services.{service}.secrets.",
    )

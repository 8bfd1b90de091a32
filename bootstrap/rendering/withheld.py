"""What a service's `compose` table must not ask of Compose's own environment: the secrets of others.

Compose interpolates every text of a service, though no key of a table, and looks up what a list of build
arguments or variables only names (https://docs.docker.com/reference/compose-file/interpolation/).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from bootstrap.config.errors import ManifestError
from bootstrap.model.environment import FromSecret, Variable
from bootstrap.model.project import Project, Service

# Flat, because a reference within the default of another is one too; what Compose refuses may match as well.
_REFERENCE = re.compile(r"\$\$|\$\{?(?P<name>[A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
#: the lists of which an item without "=" is a variable that Compose looks up
_LOOKED_UP = frozenset({"args", "environment"})


class Withheld(Struct, frozen=True):
    """Which variables of Compose's environment hold secrets."""

    names: frozenset[str]
    #: what the vendors' keys are called, also those that no service reports to
    keys: re.Pattern[str]

    @classmethod
    def of(cls, project: Project, stored: Iterable[str], variables: Iterable[Variable]) -> "Withheld":
        """Gather them: `stored` secrets, and what the `variables` of every container make of them."""
        names = {*project.secrets, *stored}
        for variable in variables:
            if isinstance(variable.value, FromSecret):
                names |= {variable.name, variable.value.secret}
        families = "|".join(re.escape(vendor.upper()) for vendor in project.telemetry)
        keys = rf"(?:AWS|OTEL|TRACE|{families})_\w*(?:KEY|TOKEN|SECRET|HEADERS)\w*"
        return cls(frozenset(names), re.compile(keys, re.ASCII))

    def __contains__(self, name: str) -> bool:
        return name in self.names or self.keys.fullmatch(name) is not None


def check(service: Service, variables: Iterable[Variable], withheld: Withheld) -> None:
    """Refuse a `compose` table through which the service, or its image, would get a secret.

    Its own ones may be interpolated outside of `build`. Raises ManifestError.
    """
    own = {variable.value.secret for variable in variables if isinstance(variable.value, FromSecret)}
    for name, value in service.compose.items():
        key = f"services.{service.name}.compose.{name}"
        allowed = set() if name == "build" else own
        for where, secret in _asked_for(key, value):
            if secret in withheld and secret not in allowed:
                raise _refusal(where, secret, service.name, in_image=name == "build")


def _refusal(key: str, secret: str, service: str, *, in_image: bool) -> ManifestError:
    if in_image:
        return ManifestError(
            key,
            f"{secret} is a secret, and would stay in the image",
            "Use it at run time, or hand it to the build as one of BuildKit's build secrets.",
        )
    return ManifestError(
        key,
        f"{secret} is a secret, or made of one, that {service} does not declare",
        f"services.{service}.secrets says what it gets; $${secret} is what its own shell expands.",
    )


def _asked_for(key: str, value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every variable that Compose would look up, with the path of the text that asks for it."""
    if isinstance(value, str):
        yield from ((key, match["name"]) for match in _REFERENCE.finditer(value) if match["name"])
    elif isinstance(value, Mapping):
        for below, item in value.items():
            yield from _asked_for(f"{key}.{below}", item, below)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            where = f"{key}[{number}]"
            yield from _asked_for(where, item)
            if name in _LOOKED_UP and isinstance(item, str):
                yield from _named(where, item)


def _named(key: str, item: str) -> Iterator[tuple[str, str]]:
    """The variable that an item without a value names; Compose interpolates the item before it looks."""
    name, equals, _ = item.partition("=")
    if "$" in name:
        raise ManifestError(
            key, "has a variable in its name, which could name any secret", "Write the name out: NAME=..."
        )
    if not equals:
        yield key, name

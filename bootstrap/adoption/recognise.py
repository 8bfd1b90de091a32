"""Which vendors a service reports to, by its variables and packages; which ones are a vendor's own daemon."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.adoption.references import asked_for
from bootstrap.model.signs import Signs


def vendors(definition: Mapping[str, Any], packages: Iterable[str], signs: Mapping[str, Signs]) -> list[str]:
    """Name them, in the order of `signs`. Who only runs an image is known by its variables alone."""
    environment = definition.get("environment") or {}
    names = {*environment, *(name for name, _ in asked_for(environment))}
    packages = list(packages)
    return [
        vendor
        for vendor, sign in signs.items()
        if any(re.fullmatch(sign.variables, name) for name in names)
        or any(re.fullmatch(sign.packages, name) for name in packages)
    ]


def daemon_of(definition: Mapping[str, Any], signs: Mapping[str, Signs]) -> str | None:
    """The vendor whose own daemon a service is."""
    image = str(definition.get("image") or "")
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return next((vendor for vendor, sign in signs.items() if re.fullmatch(sign.images, name)), None)

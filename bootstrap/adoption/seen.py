"""Which secrets each service of somebody's Compose files asks for, and how the manifest declares them."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bootstrap.adoption import references
from bootstrap.adoption.found import Known, Model, Surroundings
from bootstrap.adoption.secret_names import is_secret


class Seen:
    """Gathers them; `leave` is told what cannot be declared."""

    def __init__(
        self, model: Model, known: Known, around: Surroundings, leave: Callable[[str, str, str], None]
    ) -> None:
        self._model = model
        self._known = known
        self._around = around
        self._leave = leave
        #: secret -> the services that see it
        self._readers: dict[str, list[str]] = {}
        #: those without which their services do not start
        self._required: set[str] = set()
        #: those that vendors bring
        self._brought: set[str] = set()

    def read_by(self, name: str, stored: Iterable[str]) -> None:
        """Note who sees them."""
        for secret in stored:
            self._readers.setdefault(secret, []).append(name)

    def bring(self, vendors: Iterable[str]) -> None:
        """Note what need not be declared: vendors that are reported to declare it."""
        for vendor in vendors:
            self._brought |= self._known.secrets.get(vendor, frozenset())

    def of(self, name: str, definition: Mapping[str, Any], telemetry: Iterable[str]) -> dict[str, str]:
        """The secrets that its definition asks for, and telemetry does not bring: variable -> stored name."""
        given = {secret for vendor in telemetry for secret in self._known.secrets.get(vendor, ())}
        asked = list(self._asked_for(definition))
        self._required |= {secret for secret, required in asked if required and is_secret(secret)}
        in_image = {secret for secret, _ in _of_build(definition) if is_secret(secret)}
        for secret in sorted(in_image):
            self._leave(
                f"services.{name}.build",
                f"{secret} would stay in the image: it is not declared for {name}",
                "Let the build mount it instead: build.secrets.",
            )
        names = dict.fromkeys(
            secret for secret, _ in asked if is_secret(secret) or secret in _all(self._known)
        )
        return {secret: secret for secret in names if secret not in given and secret not in in_image}

    def _asked_for(self, definition: Mapping[str, Any]) -> Iterable[tuple[str, bool]]:
        rest = {key: value for key, value in definition.items() if key != "build"}
        yield from references.asked_for(rest)
        for variable, value in (definition.get("environment") or {}).items():
            if value is None:
                yield variable, False
        if any(
            posixpath.normpath(str(each.get("path"))) == ".env" for each in definition.get("env_file") or ()
        ):
            for variable in self._around.dotenv:
                yield variable, False
        for variable in references.mounted(definition, self._model.rest):
            yield variable, False

    def tables(self) -> dict[str, dict[str, Any]]:
        """Declare those that somebody sees, and those that a `.env` or an example of one names."""
        named = dict.fromkeys(self._around.dotenv, ".env")
        named = {**dict.fromkeys(self._around.examples, "an example of a .env"), **named}
        made: dict[str, dict[str, Any]] = {}
        for name in dict.fromkeys((*self._readers, *filter(is_secret, named))):
            if name in self._brought:
                continue
            services = list(dict.fromkeys(self._readers.get(name, ())))
            about = f"Seen by {', '.join(services)}" if services else f"Named in {named[name]}"
            made[name] = {"description": about}
            if name in self._required and services:
                made[name]["required"] = True
        return made


def _of_build(definition: Mapping[str, Any]) -> Sequence[tuple[str, bool]]:
    build = definition.get("build")
    arguments = build.get("args") if isinstance(build, Mapping) else None
    looked_up = [(name, False) for name, value in (arguments or {}).items() if value is None]
    return [*references.asked_for(build), *looked_up]


def _all(known: Known) -> frozenset[str]:
    """Every vendor's secrets, also those whose names do not look like it."""
    return frozenset().union(*known.secrets.values())

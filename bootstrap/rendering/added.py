"""What is laid over somebody's own Compose files: telemetry, secrets that they lack, vendors' daemons."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from bootstrap.encoding.yaml import ReplacedTable
from bootstrap.model.environment import Text, Variable
from bootstrap.model.project import Service
from bootstrap.rendering import compose

#: where a service of theirs listens is for their own file to say
_THEIRS = frozenset({"PORT"})
#: who reports nothing needs no name to report under
_IDENTITY = frozenset({"OTEL_SERVICE_NAME"})


class TheirService(Struct, frozen=True):
    """What their files say of one service, as far as it matters to what is laid over it."""

    #: the variables that they set or hand on, and those that they ask for anywhere, a secret's file included
    variables: frozenset[str] = frozenset()
    asked_for: frozenset[str] = frozenset()
    #: they name its networks, so that it is not on the default one by itself
    networks: bool = False


class Theirs(Struct, frozen=True):
    """What their Compose files say."""

    services: Mapping[str, TheirService] = field(default_factory=dict)
    #: what is declared there
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


def definition(
    service: Service, variables: Iterable[Variable], networks: list[str], theirs: TheirService
) -> dict[str, Any]:
    """Make what is laid over a service of theirs; empty where nothing is."""
    added = [each for each in variables if _is_added(service, each, theirs)]
    made: dict[str, Any] = {}
    if environment := compose.environment_of(added):
        made["environment"] = environment
    if any(isinstance(each.value, Text) and each.value.per_workspace for each in added):
        made["env_file"] = [{"path": compose.env_file(service.name), "required": False}]
    if networks:
        usual = () if theirs.networks or service.compose.get("networks") else ("default",)
        made["networks"] = compose.in_the_form_of(
            service.compose.get("networks"), dict.fromkeys((*usual, *networks))
        )
    merged: dict[str, Any] = compose.merge(made, compose.as_it_stands(service.compose))
    return merged


def _is_added(service: Service, variable: Variable, theirs: TheirService) -> bool:
    """A secret that their file hands on already may have a default there, which an own entry would undo.

    One that it makes something else of is declared so that it may, and is not handed on beside that.
    """
    if variable.name in service.secrets:
        asked_for = service.secrets[variable.name] in theirs.asked_for
        return variable.name not in theirs.variables and not asked_for
    return variable.name not in (_THEIRS if service.telemetry else _THEIRS | _IDENTITY)


def daemon(made: Mapping[str, Any], name: str, theirs: Theirs) -> Mapping[str, Any]:
    """A vendor's container, which takes the whole place of one of theirs that has its name."""
    return ReplacedTable(made) if name in theirs.services else made

"""A service of the manifest as a Compose service."""

from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.encoding.yaml import Interpolated
from bootstrap.model.environment import Text, Value, Variable, WhenSecret
from bootstrap.model.project import Project, Service


def definition(service: Service, variables: Iterable[Variable], networks: list[str]) -> dict[str, Any]:
    """Make the Compose service: what the manifest says, then its `compose` table merged in."""
    made: dict[str, Any] = {}
    if service.build is not None:
        made["build"] = f"./{service.build.removeprefix('./')}"
    if service.image is not None:
        made["image"] = service.image
    environment = environment_of(variables)
    if environment:
        made["environment"] = environment
    if any(_in_file(variable) for variable in variables):
        made["env_file"] = [{"path": env_file(service.name), "required": False}]
    if service.port is not None:
        made["ports"] = ports(service)
    if service.depends_on:
        started = {name: {"condition": "service_started"} for name in service.depends_on}
        made["depends_on"] = in_the_form_of(service.compose.get("depends_on"), started)
    if networks:
        made["networks"] = in_the_form_of(
            service.compose.get("networks"), dict.fromkeys(("default", *networks))
        )
    merged: dict[str, Any] = merge(made, as_it_stands(service.compose))
    return merged


def ports(service: Service) -> list[str]:
    """Publish its port: to everybody where it is public, otherwise to this machine alone."""
    host = "" if service.public else "127.0.0.1:"
    return [f"{host}{service.port}:{service.container_port}"]


def in_the_form_of(theirs: Any, ours: Mapping[str, Any]) -> Any:
    """Compose takes a list of names or a table; the two can only be merged where both have one form."""
    return dict(ours) if isinstance(theirs, Mapping) else list(ours)


def env_file(service: str) -> str:
    """Where Compose reads what depends on this workspace."""
    return f".bootstrap/env/{service}.env"


def environment_of(variables: Iterable[Variable]) -> dict[str, Any]:
    """What the committed file says: texts as they are, secrets as references to Compose's own environment."""
    return {
        variable.name: _reference(variable.name, variable.value)
        for variable in variables
        if not _in_file(variable)
    }


def _in_file(variable: Variable) -> bool:
    return isinstance(variable.value, Text) and variable.value.per_workspace


def _reference(name: str, value: Value) -> Any:
    """No value of a secret is ever written: a null hands the caller's own variable on, where it has one."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, WhenSecret):
        return Interpolated(f"${{{value.secret}:+{value.text}}}")
    if value.prefix:
        # The inner "-" only keeps Compose from warning, at every command, that the secret is not set.
        return Interpolated(f"${{{value.secret}:+{value.prefix}${{{value.secret}-}}}}")
    if value.otherwise is not None:
        return Interpolated(f"${{{value.secret}:-{value.otherwise}}}")
    return None if value.secret == name else Interpolated(f"${{{value.secret}-}}")


def as_it_stands(value: Any) -> Any:
    """Leave every `$` of a `compose` table to Compose."""
    if isinstance(value, str):
        return Interpolated(value)
    if isinstance(value, Mapping):
        return {key: as_it_stands(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_it_stands(item) for item in value]
    return value


def merge(ours: Any, theirs: Any) -> Any:
    """Lay `theirs` over `ours`: tables key by key, lists one after the other, anything else replaced."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        both = dict(ours)
        for key, value in theirs.items():
            both[key] = merge(ours[key], value) if key in ours else value
        return both
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return [*ours, *(item for item in theirs if item not in ours)]
    return theirs


def named_volumes(project: Project) -> list[str]:
    """The volumes that services mount by name and that Compose wants declared."""
    found: dict[str, None] = {}
    for service in project.services.values():
        for volume in service.compose.get("volumes", ()):
            source = volume.get("source") if isinstance(volume, Mapping) else str(volume).partition(":")[0]
            bind = isinstance(volume, Mapping) and volume.get("type") != "volume"
            anonymous = not isinstance(volume, Mapping) and ":" not in str(volume)
            if not isinstance(source, str) or bind or anonymous:
                continue
            if source and source[0] not in "./~$":
                found[source] = None
    return list(found)


def named_networks(project: Project) -> list[str]:
    """The networks that `compose` tables name beside the default one."""
    found: dict[str, None] = {}
    for service in project.services.values():
        names = service.compose.get("networks", ())
        found.update(dict.fromkeys(name for name in names if isinstance(name, str) and name != "default"))
    return list(found)

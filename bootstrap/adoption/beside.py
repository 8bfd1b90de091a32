"""What stands beside the services in a Compose file, of which the manifest only knows names."""

from collections.abc import Mapping
from typing import Any

from bootstrap.adoption.found import Left, Model

_OVERRIDE = "Keep it in docker-compose.override.yml, which is passed on."


def of_the_rest(model: Model, services: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[Left]]:
    """Say which networks and volumes the manifest's `services` bring along, and what is left."""
    carried, left = [], []
    for kind in ("networks", "volumes"):
        used = {name for table in services.values() for name in _used(table.get("compose", {}), kind)}
        for name, definition in (model.rest.get(kind) or {}).items():
            where = f"{kind}.{name}"
            if name not in used:
                left.append(Left(where, "no service that is carried over uses it"))
            elif definition:
                left.append(Left(where, f"only its name is carried over, not {', '.join(definition)}"))
            else:
                carried.append(where)
    for kind in ("secrets", "configs"):
        left += [
            Left(f"{kind}.{name}", "the manifest has no word for it", _OVERRIDE)
            for name in model.rest.get(kind) or {}
        ]
    return carried, left


def _used(table: Mapping[str, Any], kind: str) -> list[str]:
    """The networks or named volumes of a service's own table."""
    uses = table.get(kind) or ()
    if kind == "networks":
        return list(uses)
    return [
        str(each.get("source")) for each in uses if isinstance(each, Mapping) and each.get("type") == "volume"
    ]

"""One Compose service laid over another, both in their long forms, as Compose merges them.

https://docs.docker.com/reference/compose-file/merge/: tables key by key, lists one after the other, but for
what can be there only once; commands and tests of health are replaced.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.adoption.documents import Overriding, Reset

_REPLACED = frozenset({"command", "entrypoint", "test"})


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables; tags in `above` are carried out."""
    made = dict(below)
    for name, value in above.items():
        if isinstance(value, Reset):
            made.pop(name, None)
        elif isinstance(value, Overriding):
            made[name] = plain(value.value)
        elif name not in made or made[name] is None:
            made[name] = plain(value)
        else:
            made[name] = _merged(name, made[name], value)
    return made


def plain(value: Any) -> Any:
    """Carry out the tags of what has nothing below it."""
    if isinstance(value, Reset):
        return None
    if isinstance(value, Overriding):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items() if not isinstance(item, Reset)}
    if isinstance(value, list):
        return [plain(item) for item in value if not isinstance(item, Reset)]
    return value


def _merged(name: str, below: Any, above: Any) -> Any:
    if (
        name in {"environment", "labels", "args"}
        and isinstance(below, Mapping)
        and isinstance(above, Mapping)
    ):
        kept = {key: item for key, item in above.items() if not isinstance(item, Reset)}
        gone = above.keys() - kept.keys()
        return {key: item for key, item in below.items() if key not in gone} | {
            key: plain(item) for key, item in kept.items()
        }
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return laid_over(below, above)
    if isinstance(below, list) and isinstance(above, list) and name not in _REPLACED:
        return _joined(_ONCE.get(name, _itself), [*below, *(plain(item) for item in above)])
    return below if above is None else plain(above)


def _joined(key: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """Of what can be there only once the last one counts, in the place of the first."""
    return list({key(item): item for item in items}.values())


def _itself(item: Any) -> Any:
    return repr(item)


def _port(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return tuple(item.get(name) for name in ("host_ip", "published", "target", "protocol"))


def _of(name: str) -> Callable[[Any], Any]:
    return lambda item: item.get(name) if isinstance(item, Mapping) else item


_ONCE: dict[str, Callable[[Any], Any]] = {
    "ports": _port,
    "volumes": _of("target"),
    "secrets": lambda item: repr((item.get("source"), item.get("target"))),
    "configs": lambda item: repr((item.get("source"), item.get("target"))),
    "env_file": _of("path"),
}

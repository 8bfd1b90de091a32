"""A Compose service in its long forms, whichever form its owner chose and whoever read it.

https://docs.docker.com/reference/compose-file/services/; what Compose adds by itself is left out again.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.adoption.documents import Overriding, Reset

#: [HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL], the address perhaps in brackets, each port perhaps a range
_PORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<published>[0-9]+(?:-[0-9]+)?)?:)?"
    r"(?P<target>[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>[a-z]+))?"
)
_LARGEST_PORT = 65535
#: the widest range of ports that is written out
_WIDEST = 100
_TABLES = ("environment", "labels", "annotations", "sysctls")
_LISTS = ("dns", "dns_search", "tmpfs", "profiles", "expose")
_FLAGS: dict[str, dict[str, Any]] = {
    "ro": {"read_only": True},
    "rw": {},
    "nocopy": {"volume": {"nocopy": True}},
}


def service(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Spell out one service; what is not known here stays as it stands."""
    made = {name: _through(_FORMS.get(name), value) for name, value in raw.items()}
    return {name: value for name, value in made.items() if value is not None}


def _through(form: Callable[[Any], Any] | None, value: Any) -> Any:
    """A tag stays around what it says something about."""
    if isinstance(value, Reset) or form is None or value is None:
        return value
    if isinstance(value, Overriding):
        return Overriding(form(value.value))
    return form(value)


def text(value: Any) -> str:
    """Spell a scalar as Go prints it, where Compose wants a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - Go's own limit
        return str(int(value))
    return str(value)


def table(value: Any) -> Any:
    """`[NAME=VALUE, NAME]` or a table: name -> text, or None where only the name stands there."""
    if isinstance(value, Mapping):
        return {
            name: item if item is None or isinstance(item, Reset | Overriding) else text(item)
            for name, item in value.items()
        }
    if not isinstance(value, list):
        return value
    made: dict[str, Any] = {}
    for item in value:
        name, equals, rest = text(item).partition("=")
        made[name] = rest if equals else None
    return made


def _labels(value: Any) -> Any:
    made = table(value)
    return (
        {name: "" if item is None else item for name, item in made.items()}
        if isinstance(made, dict)
        else made
    )


def _list(value: Any) -> Any:
    return [text(item) for item in (value if isinstance(value, list) else [value])]


def _build(value: Any) -> Any:
    if isinstance(value, str):
        return {"context": _path(value)}
    if not isinstance(value, Mapping):
        return value
    made = dict(value)
    if isinstance(made.get("context"), str):
        made["context"] = _path(made["context"])
    if made.get("dockerfile") == "Dockerfile":
        del made["dockerfile"]
    for name in ("args", "labels"):
        if name in made:
            made[name] = _through(table, made[name])
    return made


def _path(value: str) -> str:
    return value if ":" in value or "$" in value or not value else posixpath.normpath(value)


def _depends_on(value: Any) -> Any:
    if isinstance(value, list):
        value = dict.fromkeys(value)
    if not isinstance(value, Mapping):
        return value
    return {
        name: each
        if isinstance(each, Reset | Overriding)
        else {"condition": "service_started", "required": True, **(each or {})}
        for name, each in value.items()
    }


def _networks(value: Any) -> Any:
    made = (
        dict.fromkeys(value)
        if isinstance(value, list)
        else {name: item or None for name, item in value.items()}
    )
    return None if made == {"default": None} else made


def _env_file(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    made = [dict(item) if isinstance(item, Mapping) else {"path": item} for item in items]
    return [{"required": True, **each, "path": _path(str(each.get("path", "")))} for each in made]


def _sources(kind: str) -> Callable[[Any], Any]:
    def long(value: Any) -> Any:
        made = [dict(item) if isinstance(item, Mapping) else {"source": item} for item in value]
        for each in made:
            usual = f"/run/secrets/{each.get('source')}" if kind == "secrets" else f"/{each.get('source')}"
            if each.get("target") == usual:
                del each["target"]
        return made

    return long


def _healthcheck(value: Any) -> Any:
    made = dict(value)
    if isinstance(made.get("test"), str):
        made["test"] = ["CMD-SHELL", made["test"]]
    return made


def _ports(value: Any) -> list[Any]:
    return [made for item in value for made in _port(item)]


def _port(item: Any) -> list[Any]:
    """One entry, a range written out; a text where no port can be told, because of a variable for example."""
    if isinstance(item, Mapping):
        made = {"protocol": "tcp", **item}
        if made.get("mode") == "ingress":
            del made["mode"]
        if isinstance(made.get("target"), str) and made["target"].isdecimal():
            made["target"] = int(made["target"])
        if "published" in made:
            made["published"] = text(made["published"])
        return [made]
    match = _PORT.fullmatch(text(item))
    if match is None:
        return [text(item)]
    target, published = _range(match["target"]), _range(match["published"])
    if not target or (published and len(published) != len(target)):
        return [text(item)]
    made = {"protocol": match["protocol"] or "tcp"}
    if match["ip"]:
        made["host_ip"] = match["ip"].strip("[]")
    if not published:
        return [{**made, "target": port} for port in target]
    pairs = zip(target, published, strict=True)
    return [{**made, "target": inner, "published": str(outer)} for inner, outer in pairs]


def _range(ports: str | None) -> list[int]:
    if ports is None:
        return []
    first, _, last = ports.partition("-")
    span = range(int(first), int(last or first) + 1)
    return list(span) if len(span) <= _WIDEST and span.stop <= _LARGEST_PORT + 1 else []


def _volumes(value: Any) -> list[Any]:
    return [_volume(item) for item in value]


def _volume(item: Any) -> Any:
    made: dict[str, Any]
    if isinstance(item, Mapping):
        made = dict(item)
    else:
        parts = text(item).split(":")
        if "$" in text(item) or len(parts) > 3:  # noqa: PLR2004 - SOURCE:TARGET:FLAGS
            return text(item)
        source, target, flags = [*parts, ""][:3] if len(parts) > 1 else ("", parts[0], "")
        made = {"type": "bind" if source[:1] in {".", "/", "~"} else "volume", "target": target}
        if source:
            made["source"] = source
        for flag in filter(None, flags.split(",")):
            if flag not in _FLAGS:
                return text(item)
            made |= _FLAGS[flag]
    if made.get("type") == "bind" and isinstance(made.get("source"), str):
        made["source"] = _path(made["source"])
    if isinstance(made.get("target"), str) and made["target"] != "/":
        made["target"] = made["target"].rstrip("/")
    bind = made.get("bind")
    if isinstance(bind, Mapping):
        made["bind"] = {
            name: each for name, each in bind.items() if (name, each) != ("create_host_path", True)
        }
    return {
        name: each
        for name, each in made.items()
        if each not in ({}, None) and (name, each) != ("read_only", False)
    }


_FORMS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_TABLES, table),
    **dict.fromkeys(_LISTS, _list),
    "build": _build,
    "configs": _sources("configs"),
    "depends_on": _depends_on,
    "env_file": _env_file,
    "healthcheck": _healthcheck,
    "labels": _labels,
    "networks": _networks,
    "ports": _ports,
    "secrets": _sources("secrets"),
    "volumes": _volumes,
}

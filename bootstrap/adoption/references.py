"""The variables that a Compose file asks for: https://docs.docker.com/reference/compose-file/interpolation/."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Flat, because a reference within the default of another is one too.
_REFERENCE = re.compile(
    r"\$\$|\$(?:\{(?P<braced>[A-Za-z_]\w*)(?P<how>:?[?+-])?|(?P<bare>[A-Za-z_]\w*))", re.ASCII
)
_WHOLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-)?\}|([A-Za-z_]\w*))", re.ASCII)
_DEFAULT = re.compile(r"\$\{[A-Za-z_]\w*:?-([^${}]*)\}", re.ASCII)
_ANY = re.compile(r"\$\$|(\$)")


def asked_for(value: Any) -> Iterator[tuple[str, bool]]:
    """Every variable in the texts of `value`, and whether it is one that must be set."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            name = match["braced"] or match["bare"]
            if name:
                yield name, (match["how"] or "").endswith("?")
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from asked_for(item)
    elif isinstance(value, list):
        for item in value:
            yield from asked_for(item)


def mounted(definition: Mapping[str, Any], rest: Mapping[str, Any]) -> Iterator[str]:
    """The variables whose values a service gets as files: its `secrets`, as those of the document say."""
    declared = rest.get("secrets") or {}
    for use in definition.get("secrets") or ():
        source = declared.get(use.get("source")) if isinstance(use, Mapping) else None
        if isinstance(source, Mapping) and source.get("environment"):
            yield str(source["environment"])


def whole(text: str) -> str | None:
    """The variable that a text consists of: `$NAME`, `${NAME}`, `${NAME-}`."""
    match = _WHOLE.fullmatch(text)
    return (match[1] or match[2]) if match else None


def literal(text: str) -> str | None:
    """The text that Compose hands on, `$$` being a dollar sign; None where it asks for a variable."""
    if any(match[1] for match in _ANY.finditer(text)):
        return None
    return text.replace("$$", "$")


def with_defaults(text: str) -> str:
    """Put the default in the place of each variable that has a plain one."""
    return _DEFAULT.sub(lambda match: match[1], text)

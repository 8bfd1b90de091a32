"""Reading values that somebody already has: a .env file, JSON, or the exports of this shell."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bootstrap.flows.secrets.keep import is_name
from bootstrap.model.errors import BootstrapError
from bootstrap.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dotenv.parser import Binding

#: what --format of `secrets import` offers
FORMATS = ("dotenv", "json")


class Incoming(Struct, frozen=True):
    """What was found: values to keep, and the names that were left out, with the reason."""

    values: dict[str, Secret]
    #: names that nobody declares
    undeclared: tuple[str, ...]
    #: names without a value
    empty: tuple[str, ...]


def read(data: bytes, form: str, source: str) -> dict[str, str]:
    """Read all names and values. Raises BootstrapError, naming the line and never a value."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BootstrapError(f"{source}: is not UTF-8", "Convert it, for example with iconv.") from None
    return _json(text, source) if form == "json" else _dotenv(text, source)


def _dotenv(text: str, source: str) -> dict[str, str]:
    """Read as python-dotenv does, without interpolation: a value is what stands there."""
    values = {}
    for binding in _bindings(text, source):
        if binding.error or (binding.key is not None and binding.value is None):
            raise BootstrapError(
                f"{source}, line {binding.original.line}: is not NAME=VALUE", "Mend or remove the line."
            )
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values


def _bindings(text: str, source: str) -> list[Binding]:
    from dotenv.parser import parse_stream  # noqa: PLC0415 - only `import` needs it

    try:
        return list(parse_stream(io.StringIO(text)))
    except Exception as error:  # noqa: BLE001 - whatever a foreign parser raises may quote what it has read
        reason = type(error).__name__
    raise BootstrapError(f"{source}: python-dotenv cannot read it ({reason})", "Give it as JSON instead.")


def _json(text: str, source: str) -> dict[str, str]:
    try:
        data = msgspec.json.decode(text)
    except RecursionError:
        raise BootstrapError(
            f"{source}: is nested too deeply", "Give one object of names and texts."
        ) from None
    except msgspec.DecodeError as error:
        where = str(error).rpartition("(")[2].rstrip(")")
        raise BootstrapError(
            f"{source}: is not JSON ({where})", "Give one object of names and texts."
        ) from None
    if not isinstance(data, dict):
        raise BootstrapError(f"{source}: is not an object", 'Give one object: {"NAME": "value"}')
    if data.keys() == {"repository", "secrets"} and isinstance(data["secrets"], dict):
        data = data["secrets"]  # what the file store has written for a repository that had another name
    for name, value in data.items():
        if not isinstance(value, str):
            shown = name if is_name(name) else "a value"
            raise BootstrapError(f"{source}: {shown} is not a text", "Put its value in quotes.")
    return data


def choose(
    found: Mapping[str, str],
    source: str,
    *,
    declared: Mapping[str, object],
    names: tuple[str, ...],
    undeclared: bool,
) -> Incoming:
    """Choose what to keep of `found`: `names`, or else everything declared, and the rest if `undeclared`."""
    for name in names:
        if name not in found:
            raise BootstrapError(f"{source}: has no {name}", "Check the spelling.")
    wanted = {name: value for name, value in found.items() if not names or name in names}
    left = () if undeclared or names else tuple(name for name in wanted if name not in declared)
    values = {name: value for name, value in wanted.items() if name not in left}
    return Incoming(
        {name: Secret(value, source) for name, value in values.items() if value},
        left,
        tuple(name for name, value in values.items() if not value),
    )

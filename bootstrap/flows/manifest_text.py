"""The text of the manifest with one more service; every comment and line that is there stays as it is."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from bootstrap.config.decoding import decode, named
from bootstrap.config.errors import ManifestError
from bootstrap.config.location import MANIFEST
from bootstrap.config.manifest import SERVICE_NAME

_HEADER = re.compile(r"[ \t]*\[")
_SERVICES_HEADER = re.compile(r"[ \t]*\[[ \t]*services[ \t]*[.\]]")
_BOM = "\ufeff"


def with_service(data: bytes, name: str, table: Mapping[str, Any]) -> bytes:
    """Add `[services.NAME]` to the manifest's bytes.

    What comes out says what the manifest said before, and the new table: this is checked, not assumed. Raises
    ManifestError where the bytes are no TOML, or where there is no way.
    """
    before = decode(data, MANIFEST)
    wanted = {**before, "services": {**named("services", before, SERVICE_NAME), name: table}}
    text = data.decode()
    mark, text = (_BOM, text.removeprefix(_BOM)) if text.startswith(_BOM) else ("", text)
    for attempt in _attempts(text, name, table):
        if _says(attempt, wanted):
            return (mark + attempt).encode()
    raise ManifestError(
        "services", f"{name} cannot be added to it as it is written", f"Write [services.{name}] yourself."
    )


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _attempts(text: str, name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """After the last service, else at the end, else inside `services = {...}`."""
    end = "\r\n" if "\r\n" in text else "\n"
    block = _block(name, table).replace("\n", end)
    lines = text.split("\n")
    if (place := _after_services(lines)) is not None:
        rest = lines[place:]
        gap = "" if not rest or not rest[0].strip() else end
        yield "\n".join([*lines[:place], end[:-1], block + gap + "\n".join(rest)])
    yield text + ("" if not text or text.endswith("\n") else end) + (end if text else "") + block
    yield from _inside(text, name, table)


def _after_services(lines: list[str]) -> int | None:
    """Find the line after the last service's own; the comment above the next table belongs to that one."""
    headers = [number for number, line in enumerate(lines) if _SERVICES_HEADER.match(line)]
    if not headers:
        return None
    place = next((n for n in range(headers[-1] + 1, len(lines)) if _HEADER.match(lines[n])), len(lines))
    place = _back(lines, place, lambda line: line.startswith("#")) if place < len(lines) else place
    return _back(lines, place, lambda line: not line)


def _back(lines: list[str], place: int, belongs: Callable[[str], bool]) -> int:
    while place and belongs(lines[place - 1].strip()):
        place -= 1
    return place


def _block(name: str, table: Mapping[str, Any]) -> str:
    document = tomlkit.document()
    services = tomlkit.table(is_super_table=True)
    services[name] = _filled(tomlkit.table(), table)
    document["services"] = services
    return tomlkit.dumps(document)


def _inside(text: str, name: str, table: Mapping[str, Any]) -> Iterator[str]:
    try:
        document = tomlkit.parse(text)
        document["services"][name] = _filled(tomlkit.inline_table(), table)
        yield tomlkit.dumps(document)
    except (TOMLKitError, TypeError, KeyError):
        return


def _filled(made: Any, table: Mapping[str, Any]) -> Any:
    for key, value in table.items():
        made[key] = _inline(value) if isinstance(value, Mapping) else value
    return made


def _inline(table: Mapping[str, Any]) -> Any:
    """Write it with blanks inside the braces, as people do."""
    pairs = (
        f"{tomlkit.key(key).as_string()} = {tomlkit.item(value).as_string()}" for key, value in table.items()
    )
    return tomlkit.value(f"{{ {', '.join(pairs)} }}")

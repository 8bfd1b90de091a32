"""The manifest of a repository that was adopted, as its owner is to read it."""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from bootstrap.config.errors import ManifestError

#: a table of each service that gets a heading of its own
_BELOW = "compose"
HEADER = (
    "# Which services there are, and which telemetry vendors each reports to.",
    "# Everything else follows: change this file, then run `bootstrap render`.",
)


def text(document: Mapping[str, Any]) -> str:
    """Write the manifest. What comes out says what `document` does: this is checked, not assumed.

    Raises ManifestError, naming the service, for what TOML cannot hold.
    """
    lines = [*HEADER, "", *_table("project", document["project"]), *tables(document)]
    for head in ("workspace", "files"):
        if document.get(head):
            lines += ["", *_table(head, document[head])]
    made = "\n".join(lines) + "\n"
    if tomllib.loads(made) != {key: value for key, value in document.items() if value}:
        raise ManifestError("", "cannot be written as TOML", "Write bootstrap.toml by hand.")
    return made


def tables(document: Mapping[str, Any]) -> list[str]:
    """The lines of every service and secret, an empty one before each."""
    lines = []
    for name, table in document.get("services", {}).items():
        lines += ["", *_service(name, table)]
    for name, table in document.get("secrets", {}).items():
        lines += ["", *_table(f"secrets.{_key(name)}", table)]
    return lines


def _service(name: str, table: Mapping[str, Any]) -> list[str]:
    head = f"services.{_key(name)}"
    lines = _table(head, {key: value for key, value in table.items() if key != _BELOW})
    return [*lines, *(_table(f"{head}.{_BELOW}", table[_BELOW]) if table.get(_BELOW) else [])]


def _table(head: str, table: Mapping[str, Any]) -> list[str]:
    return [f"[{head}]", *(f"{_key(key)} = {value_text(value)}" for key, value in table.items())]


def value_text(value: Any) -> str:
    """Write a value on one line, with blanks inside the braces, as people do."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    try:
        return str(tomlkit.item(value).as_string())
    except (TOMLKitError, ValueError, TypeError) as error:
        raise ManifestError(
            "", f"cannot be written as TOML: {type(error).__name__}", "Write it by hand."
        ) from None


def _key(name: str) -> str:
    return str(tomlkit.key(name).as_string())

"""Bytes to typed tables; an unknown key or a wrong type is an error that names the key."""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bootstrap.config.errors import ManifestError, known
from bootstrap.config.location import MANIFEST
from bootstrap.model.errors import BootstrapError

T = TypeVar("T", bound=msgspec.Struct)


def read_bytes(path: Path) -> bytes:
    """Read a file, or say why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BootstrapError(
            f"{path}: cannot read: {error.strerror}", "Check who may read it (ls -l)."
        ) from error


def decode(data: bytes, file: str) -> dict[str, Any]:
    """Decode TOML; `file` is what errors call it."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ManifestError("", f"is not valid TOML: {error}", "Correct that line.", file=file) from error
    except RecursionError as error:
        raise ManifestError("", "is nested too deeply", "Write it flatter.", file=file) from error
    except UnicodeDecodeError as error:
        raise ManifestError(
            "", f"is not UTF-8 (byte {error.start})", "Save it as UTF-8.", file=file
        ) from error


def convert(key: str, raw: Any, kind: type[T], *, file: str = MANIFEST) -> T:
    """Decode one table; the error names the key below `key` that is wrong."""
    if isinstance(raw, dict):
        check_keys(key, raw, kind.__struct_encode_fields__, file=file)
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        below = where.strip("`").removeprefix("key` in `").removeprefix("$")
        raise ManifestError(
            f"{key}{below}", _in_words(problem), f"Correct {key}{below} in {file}.", file=file
        ) from error


def _in_words(problem: str) -> str:
    """Msgspec's sentence in TOML's words."""
    words = {"`str`": "text", "`int`": "a whole number", "`bool`": "true or false", "`object`": "a table"}
    words |= {"`array`": "a list", "`float`": "a number", "Object missing": "is missing"}
    for word, plain in words.items():
        problem = problem.replace(word, plain)
    return problem[:1].lower() + problem[1:]


def check_keys(key: str, raw: Mapping[str, Any], keys: tuple[str, ...], *, file: str = MANIFEST) -> None:
    """Refuse a key that nobody knows, offering the nearest that somebody does."""
    for name in raw:
        if name not in keys:
            whole = f"{key}.{name}" if key else name
            raise ManifestError(whole, "is not a known key", known(name, keys), file=file)


def check_plain(key: str, value: Any) -> None:
    """Refuse what TOML can say and no generated file can: dates, times, and numbers that are none."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            check_plain(f"{key}.{name}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            check_plain(f"{key}[{number}]", item)
    elif not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise ManifestError(key, f"{value} cannot be written to a generated file", "Put it in quotes.")


def named(table: str, data: Mapping[str, Any], pattern: re.Pattern[str]) -> dict[str, Any]:
    """Take a table of named tables, each name checked."""
    raw = data.get(table, {})
    if not isinstance(raw, dict):
        raise ManifestError(table, "must be a table", f"Write [{table}.NAME] and its keys below.")
    for name in raw:
        if not pattern.fullmatch(name):
            raise ManifestError(
                f"{table}.{name}", "is not a usable name", f"Names here match {pattern.pattern}"
            )
    return raw

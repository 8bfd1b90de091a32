"""Which packages a service's folder asks for: requirements files, pyproject.toml, Pipfile, package.json."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles

_LONGEST = 1024 * 1024
_REQUIREMENTS = re.compile(r"requirements[\w.-]*\.(txt|in)", re.ASCII)
#: PEP 508: a name starts a line; options, paths and URLs start otherwise
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:$|[\[<>=!~;@# ])", re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")


def asked_for(files: ProjectFiles, folder: str) -> frozenset[str]:
    """Gather the names, those of Python as PEP 503 spells them; what cannot be read names nothing."""
    found: set[str] = set()
    for path in _candidates(files, folder):
        try:
            data = files.read(path, _LONGEST)
        except BootstrapError:
            continue
        if data is not None:
            found.update(_names(path.rpartition("/")[2], data.decode("utf-8", "replace")))
    return frozenset(found)


def _candidates(files: ProjectFiles, folder: str) -> Iterator[str]:
    start = "" if folder in {"", "."} else f"{folder}/"
    try:
        listed = files.entries(folder) if start else sorted(path.name for path in files.root.iterdir())
    except BootstrapError:
        return
    for name in listed or ():
        if _REQUIREMENTS.fullmatch(name) or name in {"pyproject.toml", "Pipfile", "package.json"}:
            yield start + name
        if name == "requirements":
            yield from (
                f"{start}{name}/{each}" for each in _below(files, start + name) if each.endswith(".txt")
            )


def _below(files: ProjectFiles, folder: str) -> list[str]:
    try:
        return files.entries(folder) or []
    except BootstrapError:
        return []


def _names(name: str, text: str) -> Iterator[str]:
    if name == "package.json":
        yield from _node(text)
    elif name in {"pyproject.toml", "Pipfile"}:
        yield from _toml(text)
    else:
        yield from _lines(text.splitlines())


def _lines(lines: Any) -> Iterator[str]:
    for line in lines if isinstance(lines, list) else ():
        if match := _NAME.match(str(line)):
            yield _spelt(match[1])


def _spelt(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


def _node(text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        yield from _keys(document, kind)


def _toml(text: str) -> Iterator[str]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    project = document.get("project")
    if isinstance(project, Mapping):
        yield from _lines(project.get("dependencies"))
        for extra in (project.get("optional-dependencies") or {}).values():
            yield from _lines(extra)
    groups = document.get("dependency-groups")
    for group in groups.values() if isinstance(groups, Mapping) else ():
        yield from _lines([each for each in group if isinstance(each, str)])
    poetry = (document.get("tool") or {}).get("poetry") or {}
    yield from (_spelt(name) for name in _keys(poetry, "dependencies"))
    yield from (_spelt(name) for name in _keys(document, "packages"))


def _keys(document: Any, kind: str) -> Iterator[str]:
    table = document.get(kind) if isinstance(document, Mapping) else None
    yield from table if isinstance(table, Mapping) else ()

"""Workspace files of somebody's own: what they say, and which of our keys they lack."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bootstrap.adoption.documents import LONGEST, UnreadableFileError, load
from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles

#: where each file can be, by its key below [files]; the first is where ours would be
PATHS = {
    "gitpod": (".gitpod.yml",),
    "devcontainer": (".devcontainer/devcontainer.json", ".devcontainer.json"),
}
#: keys of ours that only say what theirs says in another way, or that name what theirs has chosen
_CHOSEN = frozenset({"name", "image", "customizations", "vscode", "waitFor", "secrets", "features"})
#: what starts the tool, or looks after it, in whichever words
_STARTS = re.compile(r"bootstrap\s+(?:init|up)\b")
_LIFE = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)


def path_of(files: ProjectFiles, key: str) -> str | None:
    """Where the file is; None where there is none."""
    return next((path for path in PATHS[key] if (files.root / path).exists()), None)


def read(files: ProjectFiles, path: str) -> dict[str, Any]:
    """Read it as plain data. Raises UnreadableFileError."""
    try:
        data = files.read(path, LONGEST) or b""
    except BootstrapError as error:
        raise UnreadableFileError(error.message, error.hint) from error
    document = load(data, path) if path.endswith((".yml", ".yaml")) else from_jsonc(data, path)
    if not isinstance(document, dict):
        raise UnreadableFileError(f"{path}: is no table", "See what its editor says.")
    return document


def public_ports(files: ProjectFiles) -> frozenset[int]:
    """The ports that their `.gitpod.yml` opens to everybody; none where it cannot be read."""
    path = path_of(files, "gitpod")
    try:
        ports = read(files, path).get("ports") if path else None
    except UnreadableFileError:
        return frozenset()
    return frozenset(
        each["port"]
        for each in (ports if isinstance(ports, list) else ())
        if isinstance(each, Mapping)
        and each.get("visibility") == "public"
        and isinstance(each.get("port"), int)
    )


_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")
_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")


def from_jsonc(data: bytes, path: str) -> Any:
    """Read JSON with comments and commas too many, as editors do. Raises UnreadableFileError."""
    text = data.decode("utf-8-sig", "replace")
    bare = text
    for pattern in (_COMMENT, _COMMA):
        bare = pattern.sub(lambda match: match[0] if match[0].startswith('"') else " ", bare)
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        raise UnreadableFileError(f"{path}: is not JSON with comments", "See what its editor says.") from None


def missing(key: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What of ours theirs lacks, in the form in which it is pasted; empty where nothing is."""
    found = {name: part for name, value in ours.items() if (part := _part(key, name, value, theirs))}
    return {name: part for name, part in found.items() if name not in _CHOSEN}


def _part(key: str, name: str, value: Any, theirs: Mapping[str, Any]) -> Any:
    special = _PARTS.get((key, name))
    there = theirs.get(name)
    if name in _LIFE:
        return _life(value, there) if not _starts(theirs.get(each) for each in _LIFE) else None
    if special is not None:
        return special(value, there)
    return value if there is None else None


def _life(ours: Any, theirs: Any) -> Any:
    """Ours alone, or beside theirs: of an object every command is run."""
    if theirs is None:
        return ours
    return {**(theirs if isinstance(theirs, Mapping) else {"own": theirs}), "bootstrap": ours}


def _starts(commands: Iterator[Any]) -> bool:
    return any(_STARTS.search(json.dumps(each)) for each in commands if each is not None)


def _tasks(ours: Sequence[Mapping[str, Any]], theirs: Any) -> Any:
    return None if _starts(iter([theirs])) else list(ours)


def _gitpod_ports(ours: Sequence[Mapping[str, Any]], theirs: Any) -> Any:
    there = {str(each.get("port")) for each in theirs or () if isinstance(each, Mapping)}
    return [each for each in ours if not _covered(str(each["port"]), there)]


def _covered(port: str, there: set[str]) -> bool:
    if port in there:
        return True
    spans = (each.partition("-") for each in there if "-" in each)
    return any(
        first.isdecimal() and last.isdecimal() and int(first) <= int(port) <= int(last)
        for first, _, last in spans
    )


def _forwarded(ours: Sequence[Any], theirs: Any) -> Any:
    there = {str(each).rpartition(":")[2] for each in (theirs if isinstance(theirs, list) else ())}
    return [each for each in ours if str(each) not in there]


def _table(ours: Mapping[str, Any], theirs: Any) -> Any:
    there = theirs if isinstance(theirs, Mapping) else {}
    return {name: value for name, value in ours.items() if name not in there}


_PARTS: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    ("gitpod", "tasks"): _tasks,
    ("gitpod", "ports"): _gitpod_ports,
    ("devcontainer", "forwardPorts"): _forwarded,
    ("devcontainer", "portsAttributes"): _table,
    ("devcontainer", "remoteEnv"): _table,
}

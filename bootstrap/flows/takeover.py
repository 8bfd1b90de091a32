"""Who owns a file is decided anew: ours takes the place of theirs, is laid over it, or lets it be."""

from collections.abc import Callable, Mapping
from typing import Any

import tomlkit
from msgspec import Struct
from tomlkit.exceptions import TOMLKitError

from bootstrap.adoption import workspace_files
from bootstrap.adoption.found import Left
from bootstrap.config.decoding import decode
from bootstrap.config.errors import ManifestError
from bootstrap.config.location import MANIFEST
from bootstrap.flows import adopt, footprint, render
from bootstrap.flows.adopted_text import tables, value_text
from bootstrap.flows.settling import drop
from bootstrap.model.compose import FILES, OWN
from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import ChangeKind
from bootstrap.system.files import ProjectFiles

KEYS = ("compose", "gitpod", "devcontainer")
MODES = ("own", "overlay", "theirs")


class Decided(Struct, frozen=True):
    """What was done: files moved away (from, to), and what of theirs the manifest does not say."""

    moved: tuple[tuple[str, str], ...] = ()
    restored: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    carried: tuple[str, ...] = ()


def decide(
    files: ProjectFiles,
    sources: Callable[[bytes], render.Sources],
    environ: Mapping[str, str],
    choices: Mapping[str, str],
) -> Decided:
    """Write the choices into the manifest, and move files out of the way or back; renders nothing yet.

    Nothing is written unless the new manifest can be rendered. Raises BootstrapError.
    """
    before = files.read(MANIFEST) or b""
    document = decode(before, MANIFEST)
    had = document.get("files", {})
    wanted = {key: mode for key, mode in choices.items() if had.get(key, "own") != mode}
    document["files"] = {**had, **choices}
    left: list[Left] = []
    carried: list[str] = []
    compose_files: tuple[str, ...] = ()
    if wanted.get("compose") == "own":
        compose_files = _carry_over(files, document, environ, left, carried)
    away = _in_the_way(files, wanted, compose_files)
    restoring = _of_theirs(files, wanted)
    if wanted.get("compose") == "overlay" and not restoring:
        _check_there_is_one(files)
    data = _settled(files, before, document, sources, left)
    moved = tuple((path, footprint.move_away(files, path)) for path in away)
    restored = tuple(_restore(files, path, name) for path, name in restoring.items())
    as_written = footprint.is_as_written(files, b"\0")
    files.write(MANIFEST, data)
    if as_written:
        footprint.remember_manifest(files, data)
    return Decided(moved, restored, tuple(left), tuple(carried))


def _carry_over(
    files: ProjectFiles,
    document: dict[str, Any],
    environ: Mapping[str, str],
    left: list[Left],
    carried: list[str],
) -> tuple[str, ...]:
    """Complete the services by what only their Compose file has said so far; what stands there counts."""
    read, proposal = adopt.taken_over(files, environ, "own")
    if read.problem is not None:
        raise read.problem
    if read.chosen is None:
        return ()
    services = document.setdefault("services", {})
    for name, table in proposal.services.items():
        services[name] = _completed(services.get(name, {}), table)
    secrets = document.setdefault("secrets", {})
    for name, table in proposal.secrets.items():
        secrets.setdefault(name, table)
    document["files"].pop("compose_files", None)
    left += proposal.left
    carried += proposal.carried
    return read.chosen.files


def _completed(there: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    made = {**more, **there}
    for key in ("environment", "compose"):
        if key in more:
            made[key] = {**more[key], **there.get(key, {})}
    if "secrets" in more:
        made["secrets"] = _secrets(there.get("secrets", []), more["secrets"])
    environment = made.get("environment", {})
    taken = made.get("secrets", ())
    made["environment"] = {name: value for name, value in environment.items() if name not in taken}
    return {key: value for key, value in made.items() if value not in ({}, [])}


def _secrets(there: Any, more: Any) -> Any:
    """Variables of `there`, which were only permissions, give way to the names that their file uses."""
    tables = [each if isinstance(each, dict) else {name: name for name in each} for each in (more, there)]
    both = {
        **tables[0],
        **{name: stored for name, stored in tables[1].items() if stored not in tables[0].values()},
    }
    return list(both) if all(name == stored for name, stored in both.items()) else both


def _in_the_way(files: ProjectFiles, wanted: Mapping[str, str], compose: tuple[str, ...]) -> list[str]:
    paths = list(compose)
    for key, places in workspace_files.PATHS.items():
        if wanted.get(key) == "own":
            paths += [path for path in places if _is_theirs(files, path)]
    return paths


def _is_theirs(files: ProjectFiles, path: str) -> bool:
    return files.read(path) is not None and not adopt.is_ours(files, path)


def _of_theirs(files: ProjectFiles, wanted: Mapping[str, str]) -> dict[str, str]:
    """What was moved away for a file that is not ours any more."""
    places = {"compose": FILES, **workspace_files.PATHS}
    paths = {path for key, mode in wanted.items() if mode != "own" for path in places[key]}
    return {path: name for path, name in footprint.moved(files).items() if path in paths}


def _restore(files: ProjectFiles, path: str, name: str) -> str:
    data = files.read(name)
    if data is not None and (files.read(path) is None or adopt.is_ours(files, path)):
        files.write(path, data, mode=files.mode(name))
        files.remove(name)
        footprint.remember(
            files, "moved", {each: to for each, to in footprint.moved(files).items() if each != path}
        )
        if path != OWN and path in FILES and adopt.is_ours(files, OWN):
            files.remove(OWN)
    return path


def _check_there_is_one(files: ProjectFiles) -> None:
    theirs = [path for path in FILES if _is_theirs(files, path)]
    if not theirs:
        raise BootstrapError(
            "files.compose: overlay needs a Compose file of your own, and there is none",
            'Write one, for example compose.yaml, or keep compose = "own".',
        )


def _settled(
    files: ProjectFiles,
    before: bytes,
    document: dict[str, Any],
    sources: Callable[[bytes], render.Sources],
    left: list[Left],
) -> bytes:
    """The manifest's text with what `document` says; what it refuses is left out and named."""
    document.setdefault("services", {})
    for _ in range(1000):
        data = edited(before, document)
        try:
            render.inputs(sources(data).project, None)
            planned = render.plan(files, sources(data))
        except ManifestError as error:
            if error.key.startswith("files.") or not drop(document, error, left):
                raise
            continue
        own = {change.path for change in planned.changes if change.kind is ChangeKind.FOREIGN}
        foreign = own - {OWN, *(path for paths in workspace_files.PATHS.values() for path in paths)}
        if not foreign:
            return data
        document["files"]["theirs"] = sorted({*document["files"].get("theirs", ()), *foreign})
    raise BootstrapError(f"{MANIFEST}: nothing fits what is there", "Change it by hand.")


def edited(before: bytes, document: Mapping[str, Any]) -> bytes:
    """Change the text so that it says `document`; comments and order stay. Raises ManifestError."""
    try:
        made = tomlkit.parse(before.decode() + _new_tables(decode(before, MANIFEST), document))
        _change(made, document)
        data = tomlkit.dumps(made).encode()
    except (TOMLKitError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise ManifestError(
            "", f"cannot be changed as it is written: {error}", "Change it by hand."
        ) from error
    if _without_empty(decode(data, MANIFEST)) != _without_empty(document):
        raise ManifestError("", "cannot be changed as it is written", "Change it by hand.")
    return data


def _new_tables(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Whole new tables, to be written at the end, where they part no comment from what it is about."""
    new = {
        kind: {
            name: table for name, table in wanted.get(kind, {}).items() if name not in before.get(kind, {})
        }
        for kind in ("services", "secrets")
    }
    return "".join(f"\n{line}" for line in tables(new)) + "\n" if any(new.values()) else ""


def _change(there: Any, wanted: Mapping[str, Any], depth: int = 0) -> None:
    for key in [key for key in there if key not in wanted]:
        del there[key]
    for key, value in wanted.items():
        if key in there and there[key] == value:
            continue
        if isinstance(value, Mapping) and (
            depth == 0 or (depth == 1 and key not in there) or key == "compose"
        ):
            if key not in there or not isinstance(there[key], Mapping):
                there[key] = tomlkit.table(is_super_table=depth == 0 and key in ("services", "secrets"))
            _change(there[key], value, depth + 1)
        elif isinstance(value, Mapping) and depth == 1:
            _change(there[key], value, depth + 1)
        else:
            there[key] = tomlkit.value(value_text(value))


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        made = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in made.items() if item != {}}
    return value

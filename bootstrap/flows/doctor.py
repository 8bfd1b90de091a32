"""What is here, what is missing, and what to type next."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path

from msgspec import Struct

from bootstrap.config import manifest
from bootstrap.config.location import find
from bootstrap.flows import init, render
from bootstrap.flows.environment import Lookup
from bootstrap.flows.stack import engine_for
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Phase
from bootstrap.system import git, ports
from bootstrap.system.files import ProjectFiles
from bootstrap.system.state import State
from bootstrap.workspaces.interface import Workspace

#: set for a whole workspace, they make every service report under one name
_SHARED_NAMES = ("OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME")


class Mark(Enum):
    """How a finding stands."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Finding(Struct, frozen=True):
    """One thing that was looked at; `hint` is what to type where something is to be done."""

    subject: str
    mark: Mark
    text: str
    hint: str = ""


class Place(Struct, frozen=True):
    """Where the doctor was called, and what it may ask."""

    start: Path
    environ: Mapping[str, str]
    workspace: Workspace
    lookup: Lookup
    options: Mapping[str, type]


def examine(place: Place) -> Iterator[Finding]:
    """Look at everything, from the machine to the services; a finding never raises."""
    yield Finding("python", Mark.OK, f"{platform.python_version()} ({sys.executable})")
    yield _guarded("workspace", lambda: _workspace(place))
    yield from _shared_names(place)
    if not git.installed():
        yield Finding(
            "git", Mark.PROBLEM, "is not installed", "Install it, for example: sudo apt-get install git"
        )
        return
    root = git.root_of(place.start)
    if root is None:
        yield Finding("git", Mark.PROBLEM, f"{place.start} is not in a repository", "Make it one: git init")
        return
    yield Finding("git", Mark.OK, f"repository {root}")
    yield from _line_ends(root)
    try:
        path = find(place.start)
        sources = render.Sources(
            manifest.read(path, place.options, local=False),
            manifest.read(path, place.options),
            place.workspace,
        )
    except BootstrapError as error:
        yield Finding("manifest", Mark.PROBLEM, error.message, error.hint)
        return
    yield Finding("manifest", Mark.OK, f"{path}: {_count(len(sources.project.services), 'service')}")
    yield from _project(place, path.parent, sources)


def _project(place: Place, root: Path, sources: render.Sources) -> Iterator[Finding]:
    files = ProjectFiles(root)
    yield _guarded("files", lambda: _rendered(files, sources))
    yield _guarded("ignored", lambda: _ignored(root))
    try:
        state = State(root, place.environ)
        yield Finding("state", Mark.OK, f"kept in {state.directory}")
    except BootstrapError as error:
        yield Finding("state", Mark.PROBLEM, error.message, error.hint)
        return
    running = _running(root, state, place.environ)
    yield from _engine(root, state, place.environ, running)
    for service in sources.here.services.values():
        if service.port is not None and service.name not in running:
            yield _port(service.name, service.port)
    for vendor in init.vendor_states(sources.project, place.lookup):
        yield _vendor(vendor)


def _guarded(subject: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except BootstrapError as error:
        return Finding(subject, Mark.PROBLEM, error.message, error.hint)


def _workspace(place: Place) -> Finding:
    example = place.workspace.url(1234).replace("1234", "PORT")
    return Finding("workspace", Mark.OK, f"{place.workspace.title}; ports are at {example}")


def _shared_names(place: Place) -> Iterator[Finding]:
    for name in _SHARED_NAMES:
        if place.environ.get(name):
            yield Finding(
                "environment",
                Mark.PROBLEM,
                f"{name} is set for the whole workspace: every service would report under one name",
                f"unset {name}" + (f"; gp env -u {name}" if place.workspace.name == "gitpod" else ""),
            )


def _line_ends(root: Path) -> Iterator[Finding]:
    convert = git.setting(root, "core.autocrlf")
    if convert == "true" and not (root / ".gitattributes").exists():
        yield Finding(
            "git",
            Mark.NOTE,
            "core.autocrlf is true, and no .gitattributes keeps generated files and scripts at LF",
            "bootstrap init",
        )


def _rendered(files: ProjectFiles, sources: render.Sources) -> Finding:
    plan = render.check(files, sources) if sources.workspace.prebuild else render.plan(files, sources)
    if not plan.differences:
        return Finding(
            "files", Mark.OK, f"{_count(len(plan.changes), 'generated file')}, all as they should be"
        )
    names = ", ".join(change.path for change in plan.differences)
    return Finding("files", Mark.PROBLEM, f"not as the manifest says: {names}", "bootstrap render")


def _ignored(root: Path) -> Finding:
    paths = (".bootstrap/env/x.env", "bootstrap.local.toml", ".env")
    visible = sorted(set(paths) - git.ignored(root, paths))
    if visible:
        return Finding("ignored", Mark.PROBLEM, f"git would commit {', '.join(visible)}", "bootstrap init")
    return Finding("ignored", Mark.OK, "git ignores what belongs to one workspace")


def _running(root: Path, state: State, environ: Mapping[str, str]) -> set[str]:
    try:
        statuses = engine_for(root, state, environ, None).status()
    except BootstrapError:
        return set()
    return {status.name for status in statuses if status.phase in (Phase.STARTING, Phase.HEALTHY)}


def _engine(root: Path, state: State, environ: Mapping[str, str], running: set[str]) -> Iterator[Finding]:
    try:
        engine = engine_for(root, state, environ, None)
    except BootstrapError as error:
        yield Finding("engine", Mark.PROBLEM, error.message, error.hint)
        return
    if running:
        yield Finding("engine", Mark.OK, f"{engine.name}; running: {', '.join(sorted(running))}")
    else:
        yield Finding("engine", Mark.OK, f"{engine.name}; nothing runs", "bootstrap up")
    docker = shutil.which("docker", path=environ.get("PATH", os.defpath))
    yield Finding(
        "containers",
        Mark.NOTE,
        f"docker is {docker}" if docker else "no docker command; `bootstrap up` needs none",
    )


def _port(service: str, port: int) -> Finding:
    if ports.is_free(port):
        return Finding(f"port {port}", Mark.OK, f"free for {service}")
    return Finding(
        f"port {port}",
        Mark.PROBLEM,
        f"wanted by {service}, taken by {ports.owner(port)}",
        f"Stop that program, or set services.{service}.port in bootstrap.local.toml.",
    )


def _vendor(vendor: init.VendorState) -> Finding:
    if not vendor.missing:
        return Finding(vendor.name, Mark.OK, f"{vendor.title}: its secrets are set")
    return Finding(
        vendor.name,
        Mark.NOTE,
        f"{vendor.title} itself needs {', '.join(vendor.missing)}",
        "; ".join(f"export {name}=..." for name in vendor.missing),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

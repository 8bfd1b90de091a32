"""What is here, what is missing, and what to type next."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from bootstrap.config import manifest
from bootstrap.config.location import find
from bootstrap.flows import engines, init, names, render, routing, workspace_keys
from bootstrap.flows.environment import Lookup
from bootstrap.flows.secrets import health
from bootstrap.flows.stack import running
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project
from bootstrap.model.remark import Mark, Remark
from bootstrap.secrets.interface import Place as SecretsPlace
from bootstrap.stack import ENGINES
from bootstrap.system import git, origin, ports
from bootstrap.system.files import ProjectFiles
from bootstrap.system.state import State
from bootstrap.system.worktree import root_of
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Vendor
from bootstrap.workspaces.interface import Workspace


class Place(Struct, frozen=True):
    """Where the doctor was called, and what it may ask."""

    start: Path
    environ: Mapping[str, str]
    workspace: Workspace
    lookup: Lookup
    options: Mapping[str, type]
    #: what the stores of secrets are told; raises BootstrapError as long as there is no manifest
    secrets: Callable[[], SecretsPlace]


def examine(place: Place) -> Iterator[Remark]:
    """Look at everything, from the machine to the services; what is found never raises."""
    yield Remark("python", Mark.OK, f"{platform.python_version()} ({sys.executable})")
    yield _guarded("workspace", lambda: _workspace(place))
    if not git.installed():
        yield Remark(
            "git", Mark.PROBLEM, "is not installed", "Install it, for example: sudo apt-get install git"
        )
        return
    root = root_of(place.start)
    if root is None:
        yield Remark("git", Mark.PROBLEM, f"{place.start} is not in a repository", "Make it one: git init")
        return
    yield Remark("git", Mark.OK, f"repository {root}")
    yield from _line_ends(root)
    try:
        path = find(place.start)
        sources = render.Sources(
            manifest.read(path, place.options, local=False),
            manifest.read(path, place.options),
            place.workspace,
        )
    except BootstrapError as error:
        yield Remark("manifest", Mark.PROBLEM, error.message, error.hint)
        return
    yield Remark("manifest", Mark.OK, f"{path}: {_count(len(sources.project.services), 'service')}")
    yield from _project(place, path.parent, sources)


def _project(place: Place, root: Path, sources: render.Sources) -> Iterator[Remark]:
    files = ProjectFiles(root)
    yield _guarded("files", lambda: _rendered(files, sources))
    yield from _workspace_files(files, sources.project)
    yield from _install(sources.project)
    yield _guarded("ignored", lambda: _ignored(root))
    yield from names.examine(files, sources.project)
    try:
        state = State(root, place.environ)
        yield Remark("state", Mark.OK, f"kept in {state.directory}")
    except BootstrapError as error:
        yield Remark("state", Mark.PROBLEM, error.message, error.hint)
        return
    running_now = running(root, state, place.environ)
    yield from _engine(root, state, place.environ, running_now)
    for service in sources.here.services.values():
        if service.port is not None and service.name not in running_now:
            yield _port(service.name, service.port)
    yield from health.shared_names(place.secrets, place.workspace.name)
    yield from health.examine(place.secrets)
    try:
        yield from [_vendor(vendor) for vendor in init.vendor_states(sources.project, place.lookup)]
    except BootstrapError as error:
        yield Remark("vendors", Mark.PROBLEM, error.message, error.hint)
    yield from _routed(place, state, sources.project)


def _guarded(subject: str, look: Callable[[], Remark]) -> Remark:
    try:
        return look()
    except BootstrapError as error:
        return Remark(subject, Mark.PROBLEM, error.message, error.hint)


def _workspace(place: Place) -> Remark:
    # A number that stands nowhere else in the URL, which may hold a workspace's id.
    urls = ((str(port), place.workspace.url(port)) for port in range(40000, 50000))
    example = next((url.replace(port, "PORT") for port, url in urls if url.count(port) == 1), "unknown URLs")
    return Remark("workspace", Mark.OK, f"{place.workspace.title}; ports are at {example}")


def _line_ends(root: Path) -> Iterator[Remark]:
    convert = git.setting(root, "core.autocrlf")
    if convert == "true" and not (root / ".gitattributes").exists():
        yield Remark(
            "git",
            Mark.NOTE,
            "core.autocrlf is true, and no .gitattributes keeps generated files and scripts at LF",
            "bootstrap init",
        )


def _rendered(files: ProjectFiles, sources: render.Sources) -> Remark:
    plan = render.check(files, sources) if sources.workspace.prebuild else render.plan(files, sources)
    if not plan.differences:
        return Remark(
            "files", Mark.OK, f"{_count(len(plan.changes), 'generated file')}, all as they should be"
        )
    names = ", ".join(change.path for change in plan.differences)
    return Remark("files", Mark.PROBLEM, f"not as the manifest says: {names}", "bootstrap render")


def _workspace_files(files: ProjectFiles, project: Project) -> Iterator[Remark]:
    """Say what those lack that stay somebody's own."""
    for each in workspace_keys.lacking(files, project):
        if each.problem is not None:
            yield Remark("files", Mark.NOTE, each.problem.message, each.problem.hint)
        elif each.keys:
            yield Remark(
                "files",
                Mark.NOTE,
                f"{each.path} lacks {', '.join(each.keys)}",
                "To see what to paste: bootstrap init",
            )
        else:
            yield Remark("files", Mark.OK, f"{each.path} has all that it needs")


def _install(project: Project) -> Iterator[Remark]:
    """Say where nobody could install this tool: a workspace that opens would stop there."""
    if project.workspace.install is None and {project.files.gitpod, project.files.devcontainer} != {"theirs"}:
        source = origin.installed_from() or "git+https://HOST/OWNER/REPOSITORY@FULL-COMMIT"
        yield Remark(
            "workspace",
            Mark.NOTE,
            "bootstrap.toml does not say where workspaces install this tool from",
            f'Add to it: [workspace] install = "{source}"; then: bootstrap render',
        )


def _ignored(root: Path) -> Remark:
    paths = (".bootstrap/env/x.env", "bootstrap.local.toml", ".env")
    visible = sorted(set(paths) - git.ignored(root, paths))
    if visible:
        return Remark("ignored", Mark.PROBLEM, f"git would commit {', '.join(visible)}", "bootstrap init")
    return Remark("ignored", Mark.OK, "git ignores what belongs to one workspace")


def _engine(root: Path, state: State, environ: Mapping[str, str], active: set[str]) -> Iterator[Remark]:
    try:
        engine = engines.current(root, state, environ, None)
    except BootstrapError as error:
        yield Remark("engine", Mark.PROBLEM, error.message, error.hint)
        return
    if active:
        yield Remark("engine", Mark.OK, f"{engine.name}; running: {', '.join(sorted(active))}")
    else:
        yield Remark("engine", Mark.OK, f"{engine.name}; nothing runs", "bootstrap up")
    docker = shutil.which("docker", path=environ.get("PATH", os.defpath))
    if docker is None:
        yield Remark("containers", Mark.NOTE, "no docker command; `bootstrap up` needs none")
    elif reason := ENGINES["compose"](root, state, environ).unavailable():
        yield Remark("containers", Mark.NOTE, f"{docker}: {reason}; `bootstrap up` needs none")
    else:
        yield Remark("containers", Mark.OK, f"an engine answers {docker}")


def _port(service: str, port: int) -> Remark:
    if ports.is_free(port):
        return Remark(f"port {port}", Mark.OK, f"free for {service}")
    return Remark(
        f"port {port}",
        Mark.PROBLEM,
        f"wanted by {service}, taken by {ports.owner(port)}",
        f"Stop that program, or set services.{service}.port in bootstrap.local.toml.",
    )


def _vendor(vendor: init.VendorState) -> Remark:
    if not vendor.missing:
        return Remark(vendor.name, Mark.OK, f"{vendor.title}: its secrets are set")
    return Remark(
        vendor.name,
        Mark.NOTE,
        f"{vendor.title} itself needs {', '.join(vendor.missing)}",
        f"bootstrap secrets set {' '.join(vendor.missing)}",
    )


def _routed(place: Place, state: State, project: Project) -> Iterator[Remark]:
    """Say where each vendor's telemetry went last, what somebody chose, and how to choose otherwise."""
    try:
        choices = routing.Choices(state, place.secrets().repository).read()
    except BootstrapError:
        return  # what is wrong with the place was said when its stores were looked at
    last = {decision.vendor: decision for decision in routing.recorded(state)}
    for vendor in VENDORS.values():
        if project.reporting_to(vendor.name):
            yield _route(vendor, last.get(vendor.name), choices.get(vendor.name))


def _route(vendor: Vendor, last: routing.Decision | None, chosen: routing.Choice | None) -> Remark:
    went = "not in the last run" if last is None else f"the last run: {last.where} ({last.reason})"
    choice = "nothing is chosen" if chosen is None else f"{chosen} is chosen"
    other = "local" if chosen == "cloud" else "cloud"
    return Remark(
        "telemetry",
        Mark.OK,
        f"{vendor.title}: {choice} on this machine; {went}",
        f"bootstrap up --telemetry {vendor.name}={other}",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

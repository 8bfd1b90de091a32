"""A new service: its block in the manifest, its files, and what is rendered anew."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct

from bootstrap.config.checks import COLLECTOR
from bootstrap.config.errors import known
from bootstrap.config.location import MANIFEST
from bootstrap.config.manifest import SERVICE_NAME
from bootstrap.flows import render
from bootstrap.flows.environment import service_named
from bootstrap.flows.manifest_text import with_service
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.model.project import Project, Service
from bootstrap.rendering.skeletons import SKELETONS, files_of
from bootstrap.system import ports
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS

#: what a service that calls another one finds its URL in
UPSTREAM = "UPSTREAM_URL"
_FIRST_PORT = 4567
_LAST_PORT = 65535


class Wanted(Struct, frozen=True):
    """The service as somebody asks for it."""

    name: str
    #: one of SKELETONS, an image, or neither: then its folder is somebody's to fill
    template: str | None = None
    image: str | None = None
    #: None: the next that is free, but for an image, whose port is its own
    port: int | None = None
    public: bool = False
    #: SERVICE, or SERVICE/PATH
    calls: str | None = None
    #: None: all vendors, but for an image
    telemetry: tuple[str, ...] | None = None


class Added(Struct, frozen=True):
    """What there is now."""

    name: str
    port: int | None
    written: tuple[str, ...]
    rendering: render.Rendering
    #: what is missing before it can run
    missing: str | None = None


def add(files: ProjectFiles, sources: Callable[[bytes], render.Sources], wanted: Wanted) -> Added:
    """Add a service to the project, all of it or nothing.

    `sources` makes a project of the manifest's bytes. Raises UsageError for what cannot be meant,
    BootstrapError where the project does not allow it; then nothing is written.
    """
    before = files.read(MANIFEST) or b""
    made = sources(before)
    table = _table(made, wanted)
    data = with_service(before, wanted.name, table)
    changed = sources(data)
    texts = _skeleton(files, wanted, table.get("port", 0))
    render.plan(files, changed)  # what cannot be rendered is said before anything is written
    _write(files, {**texts, MANIFEST: data}, before)
    rendering = render.write(files, changed)
    return Added(wanted.name, table.get("port"), tuple(texts), rendering, _missing(files, wanted))


def _table(made: render.Sources, wanted: Wanted) -> dict[str, Any]:
    """Make the service's table, in the order in which people write them."""
    _check(made.project, wanted)
    built = wanted.image is None
    table: dict[str, Any] = {"build": wanted.name} if built else {"image": wanted.image}
    skeleton = SKELETONS.get(wanted.template or "")
    if skeleton:
        table |= {"setup": skeleton.setup, "command": skeleton.command}
    if (port := _port((made.project, made.here), wanted)) is not None:
        table["port"] = port
    if wanted.public:
        table["public"] = True
    if skeleton:
        table["health"] = skeleton.health
    telemetry = (tuple(VENDORS) if built else ()) if wanted.telemetry is None else wanted.telemetry
    if telemetry:
        table["telemetry"] = list(telemetry)
    if telemetry and skeleton:
        table["probe"] = list(skeleton.probe_calling if wanted.calls else skeleton.probe)
    return table | _calls(made.project, wanted)


def _check(project: Project, wanted: Wanted) -> None:
    if wanted.template is not None and wanted.image is not None:
        raise UsageError("--template and --image exclude each other", "An image comes with its own files.")
    if not SERVICE_NAME.fullmatch(wanted.name):
        raise UsageError(
            f"{wanted.name!r} is not a usable name for a service",
            "Use lower case letters, digits, - and _, 63 at most, and a letter or digit first.",
        )
    if wanted.name == COLLECTOR:
        raise UsageError(f"{COLLECTOR} is what the telemetry collector is called", "Choose another name.")
    if wanted.name in project.services:
        raise UsageError(
            f"there is a service {wanted.name!r} already", f"Choose another name, or edit {MANIFEST}."
        )
    for vendor in wanted.telemetry or ():
        if vendor not in VENDORS:
            raise UsageError(f"there is no vendor {vendor!r}", known(vendor, VENDORS))


def _port(projects: Sequence[Project], wanted: Wanted) -> int | None:
    """Choose the port. What the manifest gives to others counts, and what other programs have here now."""
    owners = {
        service.port: service.name
        for project in projects
        for service in project.services.values()
        if service.port is not None
    }
    if wanted.port in owners:
        raise UsageError(
            f"{wanted.port} is already the port of {owners[wanted.port]}",
            "Leave --port out, or name another.",
        )
    if wanted.port is not None or wanted.image is not None:
        return wanted.port
    free = (port for port in range(_FIRST_PORT, _LAST_PORT + 1) if port not in owners and ports.is_free(port))
    return next(free, None)


def _calls(project: Project, wanted: Wanted) -> dict[str, Any]:
    if wanted.calls is None:
        return {}
    name, slash, path = wanted.calls.partition("/")
    other = service_named(project, name)
    if other.port is None:
        raise UsageError(f"{name} has no port to call it at", f"Add port = ... to [services.{name}].")
    url = f"http://${{address:{name}}}:${{port:{name}}}"
    return {
        "environment": {UPSTREAM: url + (slash + path or _shown(other))},
        "depends_on": [name],
    }


def _shown(service: Service) -> str:
    """The first path that shows its telemetry, which its health check does not; "/" is only the default."""
    return next((path for path in service.probe if path != "/"), service.health or "/")


def _skeleton(files: ProjectFiles, wanted: Wanted, port: int) -> dict[str, bytes]:
    """Make its files, for a folder that is free."""
    if wanted.template is None:
        return {}
    if files.entries(wanted.name):
        raise BootstrapError(
            f"{wanted.name}: is there already, and not empty",
            f"Move it away, choose another name, or add it as it is: bootstrap service add {wanted.name}",
        )
    texts = files_of(wanted.template, name=wanted.name, port=port)
    return {f"{wanted.name}/{path}": text.encode() for path, text in texts.items()}


def _write(files: ProjectFiles, contents: Mapping[str, bytes], manifest: bytes) -> None:
    """Write everything, the manifest last; when that fails, take back what was written."""
    folders = {str(folder) for path in contents for folder in PurePosixPath(path).parents} - {"."}
    new = sorted((folder for folder in folders if files.entries(folder) is None), key=len, reverse=True)
    try:
        for path, data in contents.items():
            files.write(path, data)
    except BaseException:
        with contextlib.suppress(BootstrapError):
            for path in contents.keys() - {MANIFEST}:
                files.remove(path)
            for folder in new:
                files.remove_folder(folder)
        if files.read(MANIFEST) != manifest:
            files.write(MANIFEST, manifest)
        raise


def _missing(files: ProjectFiles, wanted: Wanted) -> str | None:
    if wanted.image is not None:
        return "a container engine runs it: docker compose up"
    if wanted.template is not None:
        return None
    folder = "" if files.entries(wanted.name) else f"put it and a Dockerfile into {wanted.name}/, then "
    return f'{folder}add command = "..." to [services.{wanted.name}]'

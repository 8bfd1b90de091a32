"""From `bootstrap.toml` to a Project: found, read, checked against itself; every error names its key."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.manifest import (
    FilesTable,
    LocalServiceTable,
    MilestonesTable,
    ProjectTable,
    SecretTable,
    ServiceTable,
    WorkspaceTable,
)
from bootstrap.model.project import Project, SecretSpec, Service

MANIFEST = "bootstrap.toml"
LOCAL_MANIFEST = "bootstrap.local.toml"

_SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_REFERENCE = re.compile(r"\$\{(url|address|port):([^}]*)\}")
_TABLES = ("project", "services", "telemetry", "secrets", "workspace", "milestones", "files")
#: what the manifest itself says, so that `compose = {...}` may not say it a second time
_OWNED_COMPOSE_KEYS = {"environment": "environment", "env_file": "environment", "image": "image"}

T = TypeVar("T")


class ManifestError(BootstrapError):
    """The manifest says something that cannot be; `key` is the whole path of it."""

    def __init__(self, key: str, problem: str, hint: str, *, file: str = MANIFEST) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}", hint)
        self.key = key


def find(start: Path) -> Path:
    """Find the manifest that `start` belongs to: in it or above it, no higher than the git root.

    Raises NotConfiguredError where there is none, BootstrapError where it belongs to somebody else.
    """
    folders = [start, *start.parents]
    ends = next((index for index, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    for folder in folders[: ends + 1]:
        path = folder / MANIFEST
        try:
            status = path.lstat()
        except OSError:
            continue
        _check_owner(path, status)
        return path
    raise NotConfiguredError(f"{start}: there is no {MANIFEST} here", "Create one: bootstrap init")


def _check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse a manifest that another user could have put there for us to find."""
    if not stat.S_ISREG(status.st_mode):
        raise BootstrapError(
            f"{path}: is not a regular file", "Replace it by a file of your own: bootstrap init"
        )
    if status.st_uid != os.geteuid():
        raise BootstrapError(
            f"{path}: belongs to another user (uid {status.st_uid}, you are {os.geteuid()})",
            f"If you trust it, make it yours: sudo chown {os.geteuid()} {path}",
        )


def read(path: Path, vendors: Mapping[str, type[Any]], *, local: bool = True) -> Project:
    """Read the manifest at `path`, and what `bootstrap.local.toml` beside it changes unless `local` is False.

    `vendors` gives the type of each vendor's options. Raises ManifestError.
    """
    project = parse(_load(path), vendors, root=path.parent)
    overlay = path.with_name(LOCAL_MANIFEST)
    if local and overlay.is_file():
        _check_owner(overlay, overlay.lstat())
        project = _overlay(project, _load(overlay))
    return project


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except tomllib.TOMLDecodeError as error:
        raise ManifestError("", f"is not valid TOML: {error}", "Mend that line.", file=path.name) from error
    except UnicodeDecodeError as error:
        raise ManifestError(
            "", f"is not UTF-8 (byte {error.start})", "Save it as UTF-8.", file=path.name
        ) from error
    except OSError as error:
        raise BootstrapError(
            f"{path}: cannot read: {error.strerror}", "Check who may read it (ls -l)."
        ) from error


def parse(data: Mapping[str, Any], vendors: Mapping[str, type[Any]], *, root: Path | None = None) -> Project:
    """Make a Project of decoded TOML; with `root`, paths are also checked on the disk."""
    _check_keys("", data, _TABLES)
    if "project" not in data:
        raise ManifestError("project", "is missing", 'Add it: [project] with name = "..."')
    table = _convert("project", data["project"], ProjectTable)
    services = {name: _service(name, raw) for name, raw in _named("services", data, _SERVICE_NAME).items()}
    project = Project(
        name=table.name,
        region=table.region,
        services=services,
        telemetry=_telemetry(data, vendors),
        secrets={name: _secret(name, raw) for name, raw in _named("secrets", data, _SECRET_NAME).items()},
        workspace=_convert("workspace", data.get("workspace", {}), WorkspaceTable),
        milestones=_convert("milestones", data.get("milestones", {}), MilestonesTable),
        files=_convert("files", data.get("files", {}), FilesTable),
    )
    _check(project, vendors, root)
    return project


def schema(vendors: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Make the JSON Schema (draft 2020-12) of a manifest."""
    telemetry = msgspec.defstruct(
        "TelemetryTable",
        [(name, options, msgspec.field(default_factory=options)) for name, options in vendors.items()],
        frozen=True,
        forbid_unknown_fields=True,
    )
    manifest = msgspec.defstruct(
        "Manifest",
        [
            ("project", ProjectTable),
            ("services", dict[str, ServiceTable], msgspec.field(default_factory=dict)),
            ("telemetry", telemetry, msgspec.field(default_factory=telemetry)),
            ("secrets", dict[str, SecretTable], msgspec.field(default_factory=dict)),
            ("workspace", WorkspaceTable, msgspec.field(default_factory=WorkspaceTable)),
            ("milestones", MilestonesTable, msgspec.field(default_factory=MilestonesTable)),
            ("files", FilesTable, msgspec.field(default_factory=FilesTable)),
        ],
        frozen=True,
        forbid_unknown_fields=True,
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": MANIFEST,
        **msgspec.json.schema(manifest),
    }


def _named(table: str, data: Mapping[str, Any], pattern: re.Pattern[str]) -> dict[str, Any]:
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


def _service(name: str, raw: Any) -> Service:
    key = f"services.{name}"
    table = _convert(key, raw, ServiceTable)
    if (table.build is None) == (table.image is None):
        raise ManifestError(key, "needs either build or image", 'Add build = "FOLDER" or image = "NAME:TAG".')
    for owned, instead in _OWNED_COMPOSE_KEYS.items():
        if owned in table.compose:
            raise ManifestError(
                f"{key}.compose.{owned}", "is not for this table", f"Use {key}.{instead} instead."
            )
    if table.health is not None and table.port is None:
        raise ManifestError(f"{key}.health", "needs a port to be asked on", f"Add port = ... to [{key}].")
    secrets = (
        table.secrets if isinstance(table.secrets, dict) else {secret: secret for secret in table.secrets}
    )
    both = sorted(secrets.keys() & table.environment.keys())
    if both:
        raise ManifestError(
            f"{key}.environment.{both[0]}", "is a secret of the same service", "Remove one of the two."
        )
    return Service(
        name=name,
        otel_service_name=table.otel_service_name or name,
        build=table.build,
        image=table.image,
        setup=table.setup,
        command=table.command,
        port=table.port,
        container_port=table.port,
        public=table.public,
        health=table.health,
        telemetry=tuple(dict.fromkeys(table.telemetry)),
        environment=table.environment,
        secrets=secrets,
        depends_on=tuple(dict.fromkeys(table.depends_on)),
        compose=table.compose,
    )


def _secret(name: str, raw: Any) -> SecretSpec:
    key = f"secrets.{name}"
    table = _convert(key, raw, SecretTable)
    if table.pattern is not None:
        try:
            re.compile(table.pattern)
        except re.error as error:
            raise ManifestError(f"{key}.pattern", f"is no regular expression: {error}", "Mend it.") from error
    return SecretSpec(
        name=name,
        description=table.description,
        documentation=table.documentation,
        pattern=table.pattern,
        required=table.required,
    )


def _telemetry(data: Mapping[str, Any], vendors: Mapping[str, type[Any]]) -> dict[str, Any]:
    raw = data.get("telemetry", {})
    if not isinstance(raw, dict):
        raise ManifestError("telemetry", "must be a table", "Write [telemetry.VENDOR] and its keys below.")
    _check_keys("telemetry", raw, tuple(vendors))
    return {
        name: _convert(f"telemetry.{name}", raw.get(name, {}), options) for name, options in vendors.items()
    }


def _overlay(project: Project, data: Mapping[str, Any]) -> Project:
    """Apply what one machine does differently: ports and environment."""
    if set(data) - {"services"}:
        raise ManifestError(
            min(set(data) - {"services"}),
            "cannot differ from machine to machine",
            "Only services.NAME.port and services.NAME.environment can.",
            file=LOCAL_MANIFEST,
        )
    services = dict(project.services)
    for name, raw in _named("services", data, _SERVICE_NAME).items():
        if name not in services:
            raise ManifestError(
                f"services.{name}", f"is not in {MANIFEST}", _known(name, services), file=LOCAL_MANIFEST
            )
        table = _convert(f"services.{name}", raw, LocalServiceTable, file=LOCAL_MANIFEST)
        services[name] = msgspec.structs.replace(
            services[name],
            port=table.port or services[name].port,
            environment={**services[name].environment, **table.environment},
        )
    changed = msgspec.structs.replace(project, services=services)
    _check_ports(changed, LOCAL_MANIFEST)
    _check_references(changed, LOCAL_MANIFEST)
    return changed


def _check(project: Project, vendors: Mapping[str, type[Any]], root: Path | None) -> None:
    """Check what no table can know alone."""
    for service in project.services.values():
        key = f"services.{service.name}"
        for vendor in service.telemetry:
            if vendor not in vendors:
                raise ManifestError(
                    f"{key}.telemetry", f"there is no vendor {vendor!r}", _known(vendor, vendors)
                )
        for other in service.depends_on:
            if other not in project.services:
                raise ManifestError(
                    f"{key}.depends_on", f"there is no service {other!r}", _known(other, project.services)
                )
        if service.build is not None:
            _check_path(f"{key}.build", service.build, root)
    if project.files.templates is not None:
        _check_path("files.templates", project.files.templates, root)
    _check_cycles(project)
    _check_otel_names(project)
    _check_ports(project, MANIFEST)
    _check_references(project, MANIFEST)


def _check_path(key: str, path: str, root: Path | None) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ManifestError(key, f"{path!r} leads out of the project", "Use a path below the project's root.")
    if root is not None and not (root / path).resolve().is_relative_to(root.resolve()):
        raise ManifestError(key, f"{path!r} is a link that leads out of the project", "Use a real folder.")


def _check_cycles(project: Project) -> None:
    finished: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            raise ManifestError(
                f"services.{name}.depends_on", f"goes in a circle: {circle}", "Remove one of them."
            )
        if name not in finished:
            for other in project.services[name].depends_on:
                visit(other, (*path, name))
            finished.add(name)

    for name in project.services:
        visit(name, ())


def _check_otel_names(project: Project) -> None:
    owners: dict[str, str] = {}
    for service in project.services.values():
        other = owners.setdefault(service.otel_service_name, service.name)
        if other != service.name:
            raise ManifestError(
                f"services.{service.name}.otel_service_name",
                f"{service.otel_service_name!r} is already the name of {other}",
                "Give each service a name of its own, or vendors cannot tell them apart.",
            )


def _check_ports(project: Project, file: str) -> None:
    owners: dict[int, str] = {}
    for service in project.services.values():
        if service.port is None:
            continue
        other = owners.setdefault(service.port, service.name)
        if other != service.name:
            raise ManifestError(
                f"services.{service.name}.port",
                f"{service.port} is already the port of {other}",
                "Give one of them another port.",
                file=file,
            )


def _check_references(project: Project, file: str) -> None:
    """Every ${url:...}, ${address:...} and ${port:...} names a service, with a port where one is needed."""
    for service in project.services.values():
        for name, value in service.environment.items():
            key = f"services.{service.name}.environment.{name}"
            for kind, other in _REFERENCE.findall(value):
                if other not in project.services:
                    raise ManifestError(
                        key, f"there is no service {other!r}", _known(other, project.services), file=file
                    )
                if kind != "address" and project.services[other].port is None:
                    raise ManifestError(
                        key, f"{other} has no port", f"Add port = ... to [services.{other}].", file=file
                    )


def interpolate(value: str, fill: Mapping[str, Any]) -> str:
    """Fill in the references; `fill` maps "url", "address" and "port" to functions of a service's name."""
    return _REFERENCE.sub(lambda match: str(fill[match[1]](match[2])), value)


def refers_to_url(value: str) -> bool:
    """Whether filling in `value` gives something that depends on the workspace."""
    return any(kind == "url" for kind, _ in _REFERENCE.findall(value))


def _convert(key: str, raw: Any, kind: type[T], *, file: str = MANIFEST) -> T:
    """Decode one table; the error names the key below `key` that is wrong."""
    if isinstance(raw, dict):
        known = [item.encode_name for item in msgspec.structs.fields(kind)]  # type: ignore[arg-type]  # T is a Struct
        _check_keys(key, raw, tuple(known), file=file)
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        below = path.removesuffix("`").removeprefix("$").removeprefix("key in ")
        raise ManifestError(
            f"{key}{below}", _plain(problem), f"See the table [{key}] in the README.", file=file
        ) from error


def _plain(problem: str) -> str:
    """Msgspec's sentence in TOML's words."""
    words = {"`str`": "text", "`int`": "a whole number", "`bool`": "true or false", "`object`": "a table"}
    words |= {"`array`": "a list", "`float`": "a number", "Object missing": "is missing"}
    for word, plain in words.items():
        problem = problem.replace(word, plain)
    return problem[:1].lower() + problem[1:]


def _check_keys(key: str, raw: Mapping[str, Any], known: tuple[str, ...], *, file: str = MANIFEST) -> None:
    for name in raw:
        if name not in known:
            whole = f"{key}.{name}" if key else name
            raise ManifestError(whole, "is not a known key", _known(name, known), file=file)


def _known(name: str, known: Any) -> str:
    """Offer the nearest name, or all of them."""
    import difflib  # noqa: PLC0415 - only an error needs it, and every command imports this module

    near = difflib.get_close_matches(name, list(known), n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There are: {', '.join(known)}." if known else "There are none yet."

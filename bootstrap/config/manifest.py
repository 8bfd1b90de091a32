"""From `bootstrap.toml` to a Project."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.config.checks import check_ports, check_project, check_references
from bootstrap.config.decoding import check_keys, check_plain, convert, decode, named, read_bytes
from bootstrap.config.errors import ManifestError, known
from bootstrap.config.location import LOCAL_MANIFEST, MANIFEST, check_owner
from bootstrap.model.manifest import (
    FilesTable,
    LocalServiceTable,
    MilestonesTable,
    ProjectTable,
    ProvisionTable,
    SecretTable,
    ServiceTable,
    WorkspaceTable,
)
from bootstrap.model.project import Project, SecretSpec, Service

SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_TABLES = ("project", "services", "telemetry", "secrets", "workspace", "milestones", "provision", "files")
#: what the manifest itself says, so that `compose = {...}` may not say it a second time
_OWNED_COMPOSE_KEYS = {"environment": "environment", "env_file": "environment", "image": "image"}
#: the keys of a `compose` table whose values are looked into
_COMPOSE_KINDS: dict[str, type | tuple[type, ...]] = {"volumes": list, "networks": (list, dict)}


def read(path: Path, vendors: Mapping[str, type[Any]], *, local: bool = True) -> Project:
    """Read the manifest at `path`, and what `bootstrap.local.toml` beside it changes unless `local` is False.

    `vendors` gives the type of each vendor's options. Raises ManifestError.
    """
    project = loads(read_bytes(path), vendors, root=path.parent)
    return with_local(project, path.parent) if local else project


def loads(data: bytes, vendors: Mapping[str, type[Any]], *, root: Path) -> Project:
    """Make a Project of a manifest's bytes, for the project at `root`. Raises ManifestError."""
    return parse(decode(data, MANIFEST), vendors, root=root)


def with_local(project: Project, root: Path) -> Project:
    """Apply `bootstrap.local.toml`, where there is one."""
    path = root / LOCAL_MANIFEST
    if not path.is_file():
        return project
    check_owner(path, path.lstat())
    return _overlay(project, decode(read_bytes(path), LOCAL_MANIFEST))


def parse(data: Mapping[str, Any], vendors: Mapping[str, type[Any]], *, root: Path | None = None) -> Project:
    """Make a Project of decoded TOML; with `root`, paths are also checked on the disk."""
    check_keys("", data, _TABLES)
    if "project" not in data:
        raise ManifestError("project", "is missing", 'Add it: [project] with name = "..."')
    table = convert("project", data["project"], ProjectTable)
    services = {name: _service(name, raw) for name, raw in named("services", data, SERVICE_NAME).items()}
    project = Project(
        name=table.name,
        region=table.region,
        services=services,
        telemetry=_telemetry(data, vendors),
        secrets={name: _secret(name, raw) for name, raw in named("secrets", data, _SECRET_NAME).items()},
        workspace=_workspace(data.get("workspace", {})),
        milestones=convert("milestones", data.get("milestones", {}), MilestonesTable),
        provision=convert("provision", data.get("provision", {}), ProvisionTable),
        files=convert("files", data.get("files", {}), FilesTable),
    )
    check_project(project, vendors, root)
    return project


def _service(name: str, raw: Any) -> Service:
    key = f"services.{name}"
    table = convert(key, raw, ServiceTable)
    if (table.build is None) == (table.image is None):
        raise ManifestError(key, "needs either build or image", 'Add build = "FOLDER" or image = "NAME:TAG".')
    _check_compose(key, table.compose)
    if table.health is not None and table.port is None:
        raise ManifestError(f"{key}.health", "needs a port to be asked on", f"Add port = ... to [{key}].")
    if table.container_port is not None and table.port is None:
        raise ManifestError(
            f"{key}.container_port", "needs a port that leads to it", f"Add port = ... to [{key}]."
        )
    secrets = (
        table.secrets if isinstance(table.secrets, dict) else {secret: secret for secret in table.secrets}
    )
    for variable, value in table.environment.items():
        # The pattern of names lets a line end pass at the very end, as every "$" does.
        if variable.endswith("\n") or "\0" in value:
            raise ManifestError(
                f"{key}.environment.{variable.strip()}",
                "holds a line end or a NUL character, which no variable can",
                "Remove it.",
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
        container_port=table.container_port or table.port,
        public=table.public,
        health=table.health,
        telemetry=tuple(dict.fromkeys(table.telemetry)),
        probe=tuple(dict.fromkeys(table.probe)),
        environment=table.environment,
        secrets=secrets,
        depends_on=tuple(dict.fromkeys(table.depends_on)),
        compose=table.compose,
    )


def _check_compose(key: str, table: Mapping[str, Any]) -> None:
    """Refuse what a `compose` table must not say, and what could not be merged into what we say."""
    for owned, instead in _OWNED_COMPOSE_KEYS.items():
        if owned in table:
            raise ManifestError(
                f"{key}.compose.{owned}", "is not for this table", f"Use {key}.{instead} instead."
            )
    for name, kinds in _COMPOSE_KINDS.items():
        if not isinstance(table.get(name, []), kinds):
            raise ManifestError(f"{key}.compose.{name}", "is not a list", f"Write {name} = [...].")
    check_plain(f"{key}.compose", table)


def _secret(name: str, raw: Any) -> SecretSpec:
    key = f"secrets.{name}"
    table = convert(key, raw, SecretTable)
    if table.pattern is not None:
        try:
            re.compile(table.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ManifestError(
                f"{key}.pattern", f"is no regular expression: {error}", "Correct it."
            ) from error
    return SecretSpec(
        name=name,
        description=table.description,
        documentation=table.documentation,
        pattern=table.pattern,
        required=table.required,
    )


def _workspace(raw: Any) -> WorkspaceTable:
    table = convert("workspace", raw, WorkspaceTable)
    check_plain("workspace.gitpod", table.gitpod)
    check_plain("workspace.devcontainer", table.devcontainer)
    return table


def _telemetry(data: Mapping[str, Any], vendors: Mapping[str, type[Any]]) -> dict[str, Any]:
    raw = data.get("telemetry", {})
    if not isinstance(raw, dict):
        raise ManifestError("telemetry", "must be a table", "Write [telemetry.VENDOR] and its keys below.")
    check_keys("telemetry", raw, tuple(vendors))
    return {
        name: convert(f"telemetry.{name}", raw.get(name, {}), options) for name, options in vendors.items()
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
    for name, raw in named("services", data, SERVICE_NAME).items():
        if name not in services:
            raise ManifestError(
                f"services.{name}", f"is not in {MANIFEST}", known(name, services), file=LOCAL_MANIFEST
            )
        table = convert(f"services.{name}", raw, LocalServiceTable, file=LOCAL_MANIFEST)
        services[name] = msgspec.structs.replace(
            services[name],
            port=table.port or services[name].port,
            environment={**services[name].environment, **table.environment},
        )
    changed = msgspec.structs.replace(project, services=services)
    check_ports(changed, LOCAL_MANIFEST)
    check_references(changed, LOCAL_MANIFEST)
    return changed

"""What no table of the manifest can know alone."""

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import Any

from bootstrap.config.errors import ManifestError, known
from bootstrap.config.interpolation import references
from bootstrap.config.location import MANIFEST
from bootstrap.model.project import Project

#: what the telemetry collector is called among the services
COLLECTOR = "telemetry"
#: what brings secrets into a `compose` table from elsewhere, and what to do instead
_BROUGHT_IN = {
    "extends": ("brings the secrets of another service along", "Say what it takes in this table itself."),
    "label_file": ("reads a file that may hold secrets, as .env does", "Write labels = { ... } instead."),
}
#: what a run calls its own values: sessions, the collector's token, everything that it masks. A secret of
#: such a name would be one of these wherever Compose fills it in.
_OF_A_RUN = re.compile(r"AWS_\w+__[A-Z]+|BOOTSTRAP_COLLECTOR_\w+|BOOTSTRAP_RUN_ID|TRACE_PROOF_KEY", re.ASCII)


def check_project(project: Project, vendors: Mapping[str, type[Any]], root: Path | None) -> None:
    """Check what no table can know alone."""
    for service in project.services.values():
        key = f"services.{service.name}"
        if service.name == COLLECTOR:
            raise ManifestError(key, "is what the telemetry collector is called", "Give it another name.")
        for vendor in service.telemetry:
            if vendor not in vendors:
                raise ManifestError(
                    f"{key}.telemetry", f"there is no vendor {vendor!r}", known(vendor, vendors)
                )
        for other in service.depends_on:
            if other not in project.services:
                raise ManifestError(
                    f"{key}.depends_on", f"there is no service {other!r}", known(other, project.services)
                )
        _check_compose(f"{key}.compose", service.compose)
        if service.build is not None:
            _check_path(f"{key}.build", service.build, root)
    _check_files(project, root)
    _check_secrets(project)
    _check_cycles(project)
    _check_otel_names(project)
    check_ports(project, MANIFEST)
    check_references(project, MANIFEST)


def _check_files(project: Project, root: Path | None) -> None:
    if project.files.templates is not None:
        _check_path("files.templates", project.files.templates, root)
    for path in project.files.compose_files:
        _check_path("files.compose_files", path, root)
    if "/" in "".join(project.files.compose_files[:1]):
        raise ManifestError(
            "files.compose_files",
            f"{project.files.compose_files[0]!r} is not at the project's root, where paths start",
            "Name a file there first: one with an include of the other will do.",
        )


def _check_secrets(project: Project) -> None:
    for name in project.secrets:
        if _OF_A_RUN.fullmatch(name):
            raise ManifestError(
                f"secrets.{name}", "is what `up` calls a value of its own", "Give it another name."
            )


def _check_compose(key: str, table: Mapping[str, Any]) -> None:
    for name, (problem, instead) in _BROUGHT_IN.items():
        if name in table:
            raise ManifestError(f"{key}.{name}", problem, instead)


def _check_path(key: str, path: str, root: Path | None) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ManifestError(key, f"{path!r} leads out of the project", "Use a path below the project's root.")
    if root is not None and not (root / path).resolve().is_relative_to(root.resolve()):
        raise ManifestError(key, f"{path!r} is a link that leads out of the project", "Use a real folder.")


def _check_cycles(project: Project) -> None:
    try:
        TopologicalSorter(
            {service.name: service.depends_on for service in project.services.values()}
        ).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]  # from each service to what it depends on
        raise ManifestError(
            f"services.{circle[0]}.depends_on",
            f"goes in a circle: {' -> '.join(circle)}",
            "Remove one of them.",
        ) from error


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


def check_ports(project: Project, file: str) -> None:
    """No two services have one port."""
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


def check_references(project: Project, file: str) -> None:
    """Every ${url:...}, ${address:...} and ${port:...} names a service, with a port where one is needed."""
    for service in project.services.values():
        for name, value in service.environment.items():
            key = f"services.{service.name}.environment.{name}"
            for kind, other in references(value):
                if other not in project.services:
                    raise ManifestError(
                        key, f"there is no service {other!r}", known(other, project.services), file=file
                    )
                if kind != "address" and project.services[other].port is None:
                    raise ManifestError(
                        key, f"{other} has no port", f"Add port = ... to [services.{other}].", file=file
                    )

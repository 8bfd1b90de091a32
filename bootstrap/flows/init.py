"""Opening a project: checked before anything is written, then created or completed, then rendered."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from bootstrap.config.location import MANIFEST, check_owner
from bootstrap.flows import footprint, render, scaffold
from bootstrap.flows.environment import OPTIONAL, Lookup
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.project import Project
from bootstrap.system import git
from bootstrap.system.files import ProjectFiles
from bootstrap.system.worktree import root_of
from bootstrap.vendors import VENDORS


class VendorState(Struct, frozen=True):
    """Whether a vendor's own service can be reported to, and what is missing."""

    name: str
    title: str
    services: tuple[str, ...]
    missing: tuple[str, ...]


class Opened(Struct, frozen=True):
    """What `init` did and found."""

    manifest: str | None
    lists: tuple[str, ...]
    rendering: render.Rendering
    urls: tuple[tuple[str, str], ...]
    vendors: tuple[VendorState, ...]
    #: services that cannot run without a container engine until the manifest says how
    without_command: tuple[str, ...] = ()
    #: somebody's own Compose file says how everything runs
    containers_only: bool = False


def root_for(start: Path) -> Path:
    """Find the folder whose manifest `init` creates or completes: the git root. Writes nothing.

    Raises NotConfiguredError without git or a repository, BootstrapError where nothing can be written.
    """
    if not git.installed():
        raise NotConfiguredError("git is not installed", "Install it, for example: sudo apt-get install git")
    root = root_of(start)
    if root is None:
        raise NotConfiguredError(f"{start}: is not in a git repository", "Make it one: git init")
    existing = next((folder for folder in (start, *start.parents) if (folder / MANIFEST).exists()), root)
    chosen = existing if existing.is_relative_to(root) else root
    if (chosen / MANIFEST).exists():
        check_owner(chosen / MANIFEST, (chosen / MANIFEST).lstat())
    if not os.access(chosen, os.W_OK | os.X_OK):
        raise BootstrapError(
            f"{chosen}: cannot be written to", "Check who owns it: ls -ld; then run init again."
        )
    return chosen


def open_project(
    files: ProjectFiles,
    sources: Callable[[bytes], render.Sources],
    lookup: Lookup,
    proposed: bytes | None = None,
) -> Opened:
    """Create or complete the manifest, keep git's lists, render, and say what is on and what is off.

    `sources` makes a project of the manifest's bytes; `proposed` are those where there is none yet, and
    somebody has seen what they would be. Nothing is written unless all of it can be.
    """
    manifest = scaffold.manifest(files) if proposed is None else scaffold.Manifest(proposed, "created")
    made = sources(manifest.data)
    render.plan(files, made)  # what cannot be rendered is said before anything is written
    if manifest.done is not None:
        files.write(MANIFEST, manifest.data)
    if manifest.done == "created":
        footprint.remember_manifest(files, manifest.data)
    lists = scaffold.complete_ignores(files, adopted=made.project.files.adopted)
    rendering = render.write(files, made)
    urls = () if made.workspace.prebuild else tuple(_urls(made))
    return Opened(
        manifest.done,
        tuple(lists),
        rendering,
        urls,
        tuple(vendor_states(made.project, lookup)),
        tuple(item.name for item in made.project.services.values() if item.build and not item.command),
        containers_only=made.project.files.compose != "own",
    )


def _urls(sources: render.Sources) -> Sequence[tuple[str, str]]:
    return [
        (service.name, sources.workspace.url(service.port))
        for service in sources.here.services.values()
        if service.port is not None and service.build is not None
    ]


def vendor_states(project: Project, lookup: Lookup) -> list[VendorState]:
    """Say for each vendor in use which of its secrets are missing."""
    return [
        VendorState(
            name=vendor.name,
            title=vendor.title,
            services=tuple(service.name for service in project.reporting_to(vendor.name)),
            missing=tuple(
                spec.name
                for spec in vendor.secrets
                if spec.audience == "service" and spec.name not in OPTIONAL and lookup(spec.name) is None
            ),
        )
        for vendor in VENDORS.values()
        if project.reporting_to(vendor.name)
    ]

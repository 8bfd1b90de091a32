"""Every generated file: made from the manifest, compared, written."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.flows import theirs
from bootstrap.flows.collector_ports import HTTP_PORT
from bootstrap.flows.environment import resolve, secret_specs
from bootstrap.model.compose import ADDED, OWN
from bootstrap.model.environment import Cloud, Route
from bootstrap.model.files import ChangeKind, FileChange
from bootstrap.model.project import Project, Service
from bootstrap.rendering.context import Inputs, SidecarContainer, build
from bootstrap.rendering.renderer import Renderer
from bootstrap.rendering.templates import built_in, with_own
from bootstrap.rendering.writer import Writer
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS, policies
from bootstrap.vendors.provisioner import planner, provisioner, sessions
from bootstrap.workspaces.interface import Workspace

_INSTANCE = ".bootstrap/workspace"
_PER_WORKSPACE = ".bootstrap/"

#: what git ignores: everything that belongs to one workspace or one machine
IGNORED = ("/.bootstrap/", "/bootstrap.local.toml", ".env")

#: generated files that a project may keep as its own, and their keys below [files]
OWNERS = {
    OWN: "compose",
    ".gitpod.yml": "gitpod",
    ".devcontainer/devcontainer.json": "devcontainer",
}


class Rendering(Struct, frozen=True):
    """What rendering did, or would do."""

    changes: tuple[FileChange, ...]
    #: the workspace that the files were made for before, when this is another one
    moved_from: str | None = None
    #: why nothing that depends on the workspace was made
    without_workspace: str | None = None

    @property
    def differences(self) -> tuple[FileChange, ...]:
        """The files that are not what they would be."""
        return tuple(change for change in self.changes if change.kind is not ChangeKind.SAME)

    @property
    def blocked(self) -> tuple[FileChange, ...]:
        """The files that a person has to decide about."""
        return tuple(change for change in self.changes if change.kind.blocked)


class Sources(Struct, frozen=True):
    """What files are made from: `project` for everybody, `here` with what this machine does differently."""

    project: Project
    here: Project
    workspace: Workspace


def plan(files: ProjectFiles, sources: Sources) -> Rendering:
    """Compare every generated file with the disk; writes nothing."""
    if sources.workspace.prebuild:
        committed = check(files, sources)
        return Rendering(
            committed.changes, without_workspace="this is a prebuild: nobody has a workspace yet"
        )
    texts = _templates(files, sources.project)
    rendered = _renderer(texts, per_workspace=False).render(_committed(files, sources))
    rendered += _renderer(texts, per_workspace=True).render(build(inputs(sources.here, sources.workspace)))
    changes = Writer(files).plan(rendered, possible=_possible(Renderer(texts)))
    return Rendering(tuple(changes), moved_from=_moved_from(files, sources.workspace))


def check(files: ProjectFiles, sources: Sources) -> Rendering:
    """Compare the committed files alone: what depends on a workspace is in no repository."""
    renderer = _renderer(_templates(files, sources.project), per_workspace=False)
    rendered = renderer.render(_committed(files, sources))
    return Rendering(tuple(Writer(files).plan(rendered, possible=_possible(renderer))))


def _committed(files: ProjectFiles, sources: Sources) -> dict[str, Any]:
    """What the committed files are made from."""
    return build(replace(inputs(sources.project, None), theirs=theirs.look(files, sources.project)))


def _possible(renderer: Renderer) -> Callable[[str], bool]:
    """What is laid over their Compose file goes once that is no longer wanted; their own file never does."""
    return lambda path: path == ADDED or renderer.possible(path)


def write(files: ProjectFiles, sources: Sources, *, force: bool = False) -> Rendering:
    """Write what differs, except what is not ours; with `force` keep a `.orig` of what was edited by hand."""
    planned = plan(files, sources)
    done = {change.path for change in Writer(files).apply(planned.changes, force=force)}
    if planned.without_workspace is None:
        instance = _identity(sources.workspace).encode()
        if files.read(_INSTANCE) != instance:
            files.write(_INSTANCE, instance, mode=0o600)
    if not force:
        return planned
    changes = tuple(
        FileChange(change.path, ChangeKind.UPDATE, change.before, change.after)
        if change.kind is ChangeKind.EDITED and change.path in done
        else change
        for change in planned.changes
    )
    return Rendering(changes, planned.moved_from, planned.without_workspace)


def _identity(workspace: Workspace) -> str:
    return f"{workspace.title} {workspace.instance}\n"


def _moved_from(files: ProjectFiles, workspace: Workspace) -> str | None:
    before = (files.read(_INSTANCE) or b"").decode("utf-8", "replace")
    return before.strip() if before not in {"", _identity(workspace)} else None


def _templates(files: ProjectFiles, project: Project) -> dict[str, str]:
    texts = built_in()
    if project.files.templates is not None:
        texts = with_own(texts, files, project.files.templates)
    left = {path for path, key in OWNERS.items() if getattr(project.files, key) != "own"}
    left.update(project.files.theirs)
    if project.files.compose != "overlay":
        left.add(ADDED)
    return {name: text for name, text in texts.items() if name.removesuffix(".j2") not in left}


def _renderer(texts: dict[str, str], *, per_workspace: bool) -> Renderer:
    """Make the renderer of one half of the templates."""
    return Renderer(
        {name: text for name, text in texts.items() if name.startswith(_PER_WORKSPACE) is per_workspace}
    )


def inputs(project: Project, workspace: Workspace | None) -> Inputs:
    """Gather what templates are made from; without a workspace, nothing that depends on one has a value."""
    url = workspace.url if workspace is not None else (lambda _port: "")
    routing: dict[str, Route] = {name: Cloud() for name in VENDORS}
    return Inputs(
        project=project,
        environments={
            name: resolve(project, service, view="container", routing=routing, url=url)
            for name, service in project.services.items()
        },
        project_documents={
            name: vendor.project_document(project)
            for name, vendor in VENDORS.items()
            if project.reporting_to(name)
        },
        documents={name: _documents(project, service) for name, service in project.services.items()},
        sidecars=sidecars(project),
        secrets=tuple(spec for spec in secret_specs(project).values() if spec.audience == "service"),
        collector_port=HTTP_PORT,
        policies=_policies(project),
    )


def _policies(project: Project) -> dict[str, dict[str, Any]]:
    """The same documents as `bootstrap provision` makes policies of, and those of the people who call it."""
    made: dict[str, dict[str, Any]] = {
        purpose: policies.policy(project, purpose) for purpose in policies.purposes(project)
    }
    if made:
        made |= {
            "planner": planner(project),
            "provisioner": provisioner(project),
            "sessions": sessions(project),
        }
        if project.provision.principal is not None:
            made["trust"] = policies.trust(project.provision.principal)
    return made


def _documents(project: Project, service: Service) -> dict[str, object]:
    return {name: VENDORS[name].document(project, service) for name in service.telemetry}


def sidecars(project: Project) -> Sequence[SidecarContainer]:
    """The containers that vendors bring, each with the services that report through it."""
    made = []
    for vendor in VENDORS.values():
        services = project.reporting_to(vendor.name)
        if vendor.sidecar is None or not services:
            continue
        sidecar = vendor.sidecar(project)
        made.append(
            SidecarContainer(
                name=sidecar.name,
                image=sidecar.image,
                command=sidecar.command,
                variables=sidecar.variables,
                services=frozenset(service.name for service in services),
            )
        )
    return made

"""Where a repository's secrets are kept on this machine, as stores are told."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from bootstrap.flows.secrets.layers import Layers
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.secrets.environment import Store as EnvironmentStore
from bootstrap.secrets.interface import Place
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.system import boot
from bootstrap.system.private import PrivateFolder, folder_name, home
from bootstrap.system.state import state_home
from bootstrap.system.worktree import repository, root_of
from bootstrap.workspaces.interface import Workspace


def repository_of(root: Path) -> Repository:
    """Name the repository of the manifest's folder `root`.

    A folder that git ignores is none of its repository's: `node_modules` holds other people's projects.
    """
    above = root_of(root)
    if above is None or (above != root and git_ignores(above, root)):
        return Repository(os.path.realpath(root))
    return repository(above)


def git_ignores(above: Path, folder: Path) -> bool:
    """Whether the repository at `above` ignores the folder."""
    from bootstrap.system import git  # noqa: PLC0415 - only for a manifest below the repository's root

    return bool(git.ignored(above, [str(folder.relative_to(above))]))


def make_place(
    repository: Repository,
    root: Path,
    environ: Mapping[str, str],
    workspace: Workspace,
    *,
    services: Mapping[str, tuple[str, ...]],
    region: str,
    profile: str | None = None,
) -> Place:
    """Say what stores have to know. Writes nothing; raises BootstrapError where HOME is not set."""
    key = folder_name(repository.identity)
    place = Place(
        repository=repository,
        root=root,
        environ=environ,
        folder=PrivateFolder(_durable(workspace, environ) / "repositories" / key),
        # A process without the workspace's variables, such as an editor's commit hook, takes this for no
        # workspace: to it the session file would be an older start's, and it would throw it away.
        session=PrivateFolder(state_home(environ) / "bootstrap" / "sessions" / f"{workspace.name}-{key}"),
        instance=f"{workspace.name} {workspace.instance} {boot.instance(environ)}",
        services=services,
        region=region,
        profile=profile,
        lookup=_nothing,
    )
    outer = Layers(SessionStore(place), EnvironmentStore(place), lambda: None, ()).outer
    return replace(place, lookup=outer)


def before_remote(place: Place) -> Path | None:
    """Where the file store kept the secrets of this work tree while it had no remote, if it did."""
    if place.repository.slug is None:
        return None
    identity = os.path.realpath(root_of(place.root) or place.root)
    path = place.folder.path.parent / folder_name(identity) / "secrets.json"
    return path if path.exists() else None


def _durable(workspace: Workspace, environ: Mapping[str, str]) -> Path:
    """The folder of ours that lives longest here."""
    if workspace.durable is not None and os.access(workspace.durable, os.W_OK | os.X_OK):
        return Path(workspace.durable) / ".bootstrap-data"
    return home(environ, "XDG_DATA_HOME", ".local", "share") / "bootstrap"


def _nothing(_name: str) -> Secret | None:
    return None

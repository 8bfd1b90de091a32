"""The composition root: builds every collaborator once, from the environment and the shared options."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap.config import manifest
from bootstrap.config.location import find
from bootstrap.flows.environment import readers, secret_specs
from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.layers import Layers
from bootstrap.flows.secrets.place import make_place, repository_of
from bootstrap.model.errors import UsageError
from bootstrap.model.project import Project
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.secrets.environment import Store as EnvironmentStore
from bootstrap.secrets.interface import Place
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.system.files import ProjectFiles
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.workspaces import detect
from bootstrap.workspaces.interface import Workspace


class Session:
    """One run of the command line."""

    def __init__(self, directory: str | None, *, as_json: bool) -> None:
        self.environ = dict(os.environ)
        self.as_json = as_json
        #: the AWS profile that was named for this call
        self.profile: str | None = None
        try:
            self.start = Path(directory or ".").absolute()
        except FileNotFoundError:
            raise UsageError("the current folder is gone", "Change to one that exists: cd") from None
        if not self.start.is_dir():
            raise UsageError(f"-C {directory}: is not a folder", "Name a folder of the project.")

    @cached_property
    def manifest(self) -> Path:
        """The manifest's path; raises where there is none."""
        return find(self.start)

    def use_profile(self, profile: str | None) -> None:
        """Work with this AWS profile from now on."""
        self.profile = profile
        if profile is not None:
            for name in ("place", "session_store", "layers"):
                self.__dict__.pop(name, None)

    @property
    def root(self) -> Path:
        """The project's root: the folder of its manifest."""
        return self.manifest.parent

    @cached_property
    def project(self) -> Project:
        """The project as this machine runs it."""
        return manifest.with_local(self.committed_project, self.root)

    @cached_property
    def committed_project(self) -> Project:
        """The project as everybody has it, without `bootstrap.local.toml`."""
        return manifest.read(self.manifest, OPTIONS, local=False)

    @cached_property
    def workspace(self) -> Workspace:
        """Where this runs."""
        return detect(self.environ)

    @cached_property
    def files(self) -> ProjectFiles:
        """The project's files."""
        return ProjectFiles(self.root)

    @cached_property
    def state(self) -> State:
        """What this machine remembers about the project."""
        return State(self.root, self.environ)

    @cached_property
    def repository(self) -> Repository:
        """Whose secrets are read and kept."""
        return repository_of(self.root)

    @cached_property
    def place(self) -> Place:
        """What stores are told."""
        return make_place(
            self.repository,
            self.root,
            self.environ,
            self.workspace,
            services=readers(self.project),
            region=self.project.region,
            profile=self.profile,
        )

    @cached_property
    def session_store(self) -> SessionStore:
        """What was set or unset since the workspace started."""
        return SessionStore(self.place)

    def lookup(self, name: str) -> Secret | None:
        """Read the value in force of one secret."""
        return self.layers(name)

    def anew(self) -> "Session":
        """Make one of the same project that reads the stores anew, as another thread may."""
        other = Session(str(self.start), as_json=self.as_json)
        other.use_profile(self.profile)
        # A manifest that somebody is editing just now says nothing about a run that goes on.
        other.__dict__.update(manifest=self.manifest, project=self.project)
        return other

    @cached_property
    def layers(self) -> Layers:
        """Where secrets are read from."""
        return Layers(
            self.session_store,
            EnvironmentStore(self.place),
            lambda: choice.read_from(self.place),
            secret_specs(self.project),
        )


#: the type of each vendor's table in the manifest
OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}

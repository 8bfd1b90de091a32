"""The composition root: builds every collaborator once, from the environment and the shared options."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap.config import manifest
from bootstrap.config.location import find
from bootstrap.model.errors import UsageError
from bootstrap.model.project import Project
from bootstrap.secrets.environment import EnvironmentStore
from bootstrap.secrets.interface import SecretStore
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
        self.start = Path(directory or ".").absolute()
        if not self.start.is_dir():
            raise UsageError(f"-C {directory}: is not a folder", "Name a folder of the project.")

    @cached_property
    def manifest(self) -> Path:
        """The manifest's path; raises where there is none."""
        return find(self.start)

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
    def stores(self) -> tuple[SecretStore, ...]:
        """The places that secrets are read from, the one that wins first."""
        return (EnvironmentStore(self.environ),)


#: the type of each vendor's table in the manifest
OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}

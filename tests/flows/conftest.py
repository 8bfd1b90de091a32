"""A small project, and what its folder holds."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Repository

MANIFEST = """\
[project]
name = "shop"

[services.web]
build = "web"
port = 8000
telemetry = ["honeycomb", "xray"]
environment = { HERE = "${url:web}" }
"""


@pytest.fixture
def project(repository: Repository) -> Repository:
    """A rendered and committed project with one service, all of its workspace files in place."""
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("web/Dockerfile", "FROM scratch\n")
    repository.write(".gitignore", "/.bootstrap/\n/bootstrap.local.toml\n*.orig\n")
    return repository


class Snapshot(Protocol):
    """What a folder holds: path -> kind, mode and bytes (or where a link leads)."""

    def __call__(self, root: Path) -> dict[str, tuple[str, int, bytes]]: ...


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """Look at everything below a folder, git's own files aside."""

    def look(path: Path) -> tuple[str, int, bytes]:
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            return "link", mode, os.fsencode(path.readlink())
        if stat.S_ISREG(status.st_mode):
            return "file", mode, path.read_bytes()
        return "folder" if path.is_dir() else "other", mode, b""

    def take(root: Path) -> dict[str, tuple[str, int, bytes]]:
        found = {}
        for folder, folders, files in os.walk(root):
            if ".git" in folders:
                folders.remove(".git")
            for name in (*folders, *files):
                path = root / folder / name
                found[path.relative_to(root).as_posix()] = look(path)
        return found

    return take

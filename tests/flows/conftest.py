"""A small project, and what its folder holds."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Repository, Result

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


class Refused(Protocol):
    """Check how a command refused: the exit code, a line that names the thing, a line of what to do."""

    def __call__(self, answer: Result, code: int, names: str, hint: str = "") -> None: ...


@pytest.fixture(scope="session")
def refused() -> Refused:
    """Hold an answer to the contract of expected errors."""

    def check(answer: Result, code: int, names: str, hint: str = "") -> None:
        assert answer.code == code, answer
        first, second = answer.err.splitlines()
        assert first.startswith("bootstrap: ")
        assert names in first
        assert second.startswith("  ")
        assert second.strip()
        assert hint in second

    return check

"""Where tags are made, moved and lost."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.milestones.command import Tool, running_tool
from tests.milestones.http_remote import Host
from tests.milestones.repositories import Clone, Remote
from tests.milestones.steps import Steps


@pytest.fixture(scope="session")
def tool() -> Iterator[Tool]:
    """`bootstrap tag`, ready to be called thousands of times."""
    # The path of a socket has at most 104 bytes on some systems.
    with tempfile.TemporaryDirectory(prefix="tags") as folder, running_tool(Path(folder)) as made:
        yield made


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def clone(tmp_path: Path, remote: Remote) -> Clone:
    """A clone of it, with one commit that is on both sides."""
    return Clone(tmp_path / "clone", remote)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """The git that counts; it is not on PATH."""
    return Steps(tmp_path / "steps")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A server for what is in this test's folder."""
    with Host(tmp_path) as made:
        yield made

"""Somebody's repository, committed, and what its files were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.adoption.repositories import ALL
from tests.containers import ENVIRON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.conftest import Bootstrap, Repository, Result

Adopt = Callable[..., "Adopted"]


class Adopted:
    """A repository of somebody's own, in which this user types commands."""

    def __init__(self, repository: Repository, bootstrap: Bootstrap, files: Mapping[str, str]) -> None:
        self.repository = repository
        self.root = repository.root
        self._bootstrap = bootstrap
        for path, text in files.items():
            repository.write(path, text)
        repository.commit("Begin")
        self.before = self.theirs(files)

    def theirs(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """The bytes of these files."""
        return {
            path: (self.root / path).read_bytes() if (self.root / path).exists() else None for path in paths
        }

    def run(
        self,
        *arguments: str,
        compose: bool = True,
        timeout: float = 120,
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        """Type a command; without `compose` no Docker is there."""
        settings = dict(ENVIRON) if compose else {"DOCKER_CONFIG": str(self.root / "no-such-folder")}
        return self._bootstrap(
            *arguments, cwd=self.root, env={**settings, **(environ or {})}, timeout=timeout
        )

    def untouched(self) -> None:
        """Every file of theirs is what it was, to the byte."""
        assert self.theirs(self.before) == self.before

    def status(self) -> str:
        """What git sees."""
        return self.repository.git("status", "--porcelain", "--ignored")


@pytest.fixture
def adopt(repository: Repository, bootstrap: Bootstrap) -> Adopt:
    """Make one of the repositories, or one of other files: adopt(name) or adopt(files)."""

    def make(files: str | Mapping[str, str]) -> Adopted:
        return Adopted(repository, bootstrap, ALL[files] if isinstance(files, str) else files)

    return make

"""Projects rendered from a scenario, and the real Docker Compose to read what was rendered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Bootstrap, Repository

SCENARIOS = Path(__file__).parent / "scenarios"


class Scenario(Protocol):
    """Render a scenario into a fresh repository, in the workspace that `env` describes."""

    def __call__(self, name: str, env: Mapping[str, str] | None = None) -> Repository: ...


@pytest.fixture
def scenario(repository: Repository, bootstrap: Bootstrap) -> Scenario:
    """Scenarios by the names of their folders."""

    def render(name: str, env: Mapping[str, str] | None = None) -> Repository:
        repository.write("bootstrap.toml", (SCENARIOS / name / "bootstrap.toml").read_text(encoding="utf-8"))
        bootstrap("render", cwd=repository.root, env=env).check(0)
        return repository

    return render


class Compose:
    """The real Docker Compose v2, with nothing of anybody's home but the plugin itself."""

    def __init__(self, settings: Path) -> None:
        self._settings = settings

    def run(
        self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it in `folder`, as a fresh checkout would see it but for `env`."""
        return subprocess.run(
            ["docker", "compose", *arguments],
            cwd=folder,
            env={**os.environ, "DOCKER_CONFIG": str(self._settings), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def services(self, folder: Path, env: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """Every service as Compose understands it, without an engine; a variable that is null is not set."""
        nowhere = {"DOCKER_HOST": f"unix://{self._settings}/no.sock", **(env or {})}
        done = self.run(folder, "config", "--format", "json", env=nowhere)
        assert (done.returncode, done.stderr) == (0, "")
        # What it prints is a Compose file again, so every dollar sign is doubled.
        found: dict[str, dict[str, Any]] = json.loads(done.stdout.replace("$$", "$"))["services"]
        for service in found.values():
            variables: dict[str, str | None] = service.get("environment", {})
            service["environment"] = {name: value for name, value in variables.items() if value is not None}
        return found


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    """Docker Compose v2, or a skip that says why."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command to read Compose files with")
    settings = tmp_path_factory.mktemp("docker")
    (settings / "cli-plugins").symlink_to(Path.home() / ".docker" / "cli-plugins")
    made = Compose(settings)
    if made.run(settings, "version").returncode:
        pytest.skip("docker has no compose plugin")
    return made

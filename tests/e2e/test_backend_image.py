"""The backend's image, as Compose builds and runs it from the generated file."""

import http.client
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
#: for a build that downloads every requirement, in seconds
_PATIENCE = 600.0
# Read before any test gets a home folder of its own: Docker keeps its plugins in the real one.
_ENVIRON = {"PATH": os.environ["PATH"], "HOME": str(Path.home())}
_SECRET = secrets.token_hex(16)
# A free port on loopback only; nothing else of the stack is needed, or can be downloaded everywhere.
_OVERRIDE = 'services:\n  backend-flask:\n    ports: !override ["127.0.0.1::4567"]\n'


def _engine_answers() -> bool:
    """A docker command alone is none: the engine behind it must answer, and have Compose."""
    return shutil.which("docker") is not None and not any(
        subprocess.run(["docker", *arguments], env=_ENVIRON, capture_output=True, check=False).returncode
        for arguments in (("info",), ("compose", "version"))
    )


@dataclass(frozen=True)
class Stack:
    """A copy of what Compose reads, under a project name of its own."""

    folder: Path
    name: str

    @property
    def image(self) -> str:
        return f"{self.name}-backend-flask"

    def compose(self, *arguments: str) -> str:
        return self.docker("compose", "--project-name", self.name, "--progress", "plain", *arguments)

    def docker(self, *arguments: str) -> str:
        environ = {**_ENVIRON, "MADE_UP_SECRET": _SECRET}
        done = subprocess.run(
            ["docker", *arguments],
            cwd=self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not _engine_answers():
        pytest.skip("no container engine with Compose answers")
    folder = tmp_path_factory.mktemp("stack")
    shutil.copytree(REPOSITORY / "backend-flask", folder / "backend-flask")
    shutil.copy(REPOSITORY / "docker-compose.yml", folder)
    (folder / "docker-compose.override.yml").write_text(_OVERRIDE)
    (folder / "backend-flask" / ".env").write_text(f"API_KEY={_SECRET}\n")
    made = Stack(folder, f"image-{secrets.token_hex(4)}")
    try:
        made.compose("build", "backend-flask")
        yield made
    finally:
        made.compose("down", "--rmi", "local", "--volumes")


def test_a_container_becomes_healthy_and_serves(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-deps", "--wait", "--wait-timeout", "90", "backend-flask")
    try:
        port = int(stack.compose("port", "backend-flask", "4567").rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/api/activities/home")
            response = connection.getresponse()
            assert (response.status, len(json.loads(response.read()))) == (200, 3)
        container = stack.compose("ps", "--quiet", "backend-flask").strip()
        assert stack.docker("exec", container, "id", "-u").strip() != "0"
        stack.compose("stop", "backend-flask")
        state: Any = json.loads(stack.docker("inspect", container))[0]["State"]
        assert state["ExitCode"] == 0  # it has stopped by itself, and was not killed
    finally:
        stack.compose("down")


def test_no_secret_and_no_test_is_in_the_image(stack: Stack) -> None:
    assert _SECRET not in stack.docker("history", "--no-trunc", stack.image)
    assert _SECRET not in stack.docker("image", "inspect", stack.image)
    files = stack.docker("run", "--rm", "--network", "none", stack.image, "find", "/backend-flask")
    assert "/backend-flask/app.py" in files
    assert not [line for line in files.splitlines() if "/tests" in line or line.endswith((".env", ".md"))]
    found = stack.docker(
        "run",
        "--rm",
        "--network",
        "none",
        stack.image,
        "sh",
        "-c",
        f"grep -rl {_SECRET} /backend-flask || true",
    )
    assert found == ""


def test_a_changed_source_does_not_install_the_requirements_again(stack: Stack) -> None:
    with (stack.folder / "backend-flask" / "app.py").open("a") as source:
        source.write(f"# changed: {secrets.token_hex(8)}\n")  # the engine may have cached an earlier run's
    steps = stack.compose("build", "backend-flask").splitlines()
    cached = {line.split()[0] for line in steps if line.endswith(" CACHED")}
    named = {number: line for line in steps if (number := line.split(" ")[0]) and "backend-flask " in line}
    assert any("pip install" in named.get(number, "") for number in cached), steps
    assert not any("COPY . ." in named.get(number, "") for number in cached), steps

"""The generated devcontainer.json, executed in order: two phases without secrets, two with."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.evidence import Running
    from tests.e2e.machine import Machine

pytestmark = pytest.mark.slow


class Container:
    """A container made of devcontainer.json, whose files outlive its processes."""

    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self.port = machine.clone()
        text = (machine.root / ".devcontainer" / "devcontainer.json").read_text()
        comment, _, document = text.partition("\n")
        assert comment.startswith("// ")
        self.configuration: dict[str, Any] = json.loads(document)
        known = ("onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand")
        # Every phase that there is runs below.
        assert {name for name in self.configuration if name.endswith("Command")} == set(known)

    def variables(self) -> dict[str, str]:
        """`remoteEnv`, with its variables filled in."""
        values = {
            "containerWorkspaceFolder": str(self.machine.root),
            "containerEnv:PATH": self.machine.path,
        }
        return {
            name: re.sub(r"\$\{([^}]+)\}", lambda match: values[match[1]], value)
            for name, value in self.configuration["remoteEnv"].items()
        }

    def phase(self, name: str, **secrets: str) -> str:
        """Run one lifecycle command, which has to succeed; returns what it printed."""
        return self.machine.run(self.configuration[name], {**self.variables(), **secrets}).ok()

    def shell(self, script: str) -> str:
        """Run a script in a new terminal of the editor."""
        return self.machine.run(script, self.variables()).ok()


@pytest.fixture
def container(machine: "Machine") -> Container:
    return Container(machine)


def test_create_and_start_twice(
    container: Container,
    running: "Callable[[str], Running]",
    made_up: Callable[[str], str],
    stopwatch: Callable[[str], None],
) -> None:
    machine = container.machine
    secrets = {name: made_up(name) for name in container.configuration["secrets"]}
    container.phase("onCreateCommand")
    container.phase("updateContentCommand")
    stopwatch("create, without secrets")
    assert machine.processes() == []

    assert "export" not in container.phase("postCreateCommand", **secrets)  # it has seen all of them
    first = running(container.phase("postStartCommand", **secrets))
    stopwatch("first start")
    assert first.backend == f"http://localhost:{container.port}"
    first.check_home()
    statuses = json.loads(container.shell("bootstrap status --json"))
    assert [status["phase"] for status in statuses] == ["healthy", "healthy"]
    machine.power_off()

    second = running(container.phase("postStartCommand", **secrets))
    stopwatch("second start")
    second.check_home()
    ports = machine.ports()
    assert "backend-flask" in container.shell("bootstrap down")
    machine.check_quiet(ports)

    assert machine.changes() == ""
    for folder in (machine.root, machine.home):
        assert _files_with(folder, secrets.values()) == []


def _files_with(folder: Path, values: Any) -> list[Path]:
    wanted = re.compile(b"|".join(re.escape(value.encode()) for value in values))
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if wanted.search(path.read_bytes())]

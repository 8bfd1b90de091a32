"""The built wheel in an empty environment: it brings its templates, and needs no checkout."""

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.machine import Machine

pytestmark = pytest.mark.slow

GENERATED = (
    "bootstrap.toml",
    "docker-compose.yml",
    ".gitpod.yml",
    ".devcontainer/devcontainer.json",
    ".devcontainer/install.sh",
    ".env.example",
)


def test_an_empty_repository(machine: "Machine") -> None:
    machine.clone()
    machine.run(f"{shlex.quote(sys.executable)} -m build --wheel --outdir ../wheel .").ok()
    machine.run("python3 -m venv ../venv && ../venv/bin/pip install --quiet ../wheel/*.whl").ok()
    machine.run("git init --quiet ../project").ok()
    workspace = machine.root.parent
    machine.run("rm -rf wheel cruddur", below=".").ok()

    def there(command: str) -> str:
        return machine.run(command, below="project").ok()

    where = there("../venv/bin/python -c 'import bootstrap; print(bootstrap.__file__)'")
    assert where.startswith(str(workspace / "venv"))
    there("../venv/bin/bootstrap init --defaults")
    for path in GENERATED:
        assert (workspace / "project" / path).is_file(), path
    there("../venv/bin/bootstrap render --check")
    there("../venv/bin/bootstrap doctor")

"""The real `devcontainer` command hands a secrets file to a lifecycle command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bootstrap.encoding.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONFIGURATION = '{"image": "image", "userEnvProbe": "none", "postCreateCommand": "env -0 >$FOUND"}'

# What it asks of docker: whether the container runs, and to run programs in it, which here is this machine.
DOCKER = f"""#!{sys.executable}
import json, os, sys
verb, *arguments = sys.argv[1:]
if verb == "inspect":
    now = "2026-01-01T00:00:00Z"
    print(json.dumps([{{
        "Id": "made", "Name": "/made", "Created": now, "State": {{"Status": "running", "StartedAt": now}},
        "Config": {{"Image": "image", "User": "", "Env": [], "Labels": {{}}}},
        "Mounts": [], "NetworkSettings": {{"Ports": {{}}}},
    }}]))
    sys.exit()
assert verb == "exec", verb
environment = {{name: os.environ[name] for name in ("PATH", "HOME", "FOUND")}}
while arguments[0].startswith("-"):
    option = arguments.pop(0)
    if option == "-e":
        name, _, value = arguments.pop(0).partition("=")
        environment[name] = value
    elif option != "-i":
        assert option in ("-u", "-w"), option
        arguments.pop(0)
os.execvpe(arguments[1], arguments[1:], environment)
"""


@pytest.fixture
def devcontainer(tmp_path: Path) -> list[str]:
    program = shutil.which("devcontainer")
    if program is None:
        pytest.skip("there is no devcontainer command: npm install --global @devcontainers/cli")
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer" / "devcontainer.json").write_text(CONFIGURATION)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o700)
    return [
        *(program, "run-user-commands", "--docker-path", str(docker), "--container-id", "made"),
        *("--workspace-folder", str(tmp_path), "--user-data-folder", str(tmp_path / "data")),
        *("--container-data-folder", str(tmp_path / "marks")),
        *("--secrets-file", str(tmp_path / "secrets.json")),
    ]


def test_a_lifecycle_command_sees_every_value(
    devcontainer: list[str], corpus: list[str], tmp_path: Path
) -> None:
    secrets = {f"V_{number}": value for number, value in enumerate(corpus[:400])}
    (tmp_path / "secrets.json").write_bytes(FORMATS["devcontainer"](list(secrets.items())).encode())
    found = tmp_path / "found"
    done = subprocess.run(
        devcontainer,
        env={**os.environ, "FOUND": str(found)},
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    pairs = (record.partition("=") for record in found.read_bytes().decode().split("\0"))
    seen = {name: value for name, _, value in pairs if name.startswith("V_")}
    assert [(secrets[name], seen.get(name)) for name in secrets if seen.get(name) != secrets[name]] == []

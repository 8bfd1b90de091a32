"""A fresh checkout in containers: plain Compose, and `bootstrap up`, with the daemon in the path."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers import ENVIRON, docker, remains

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow

_PATIENCE = 500.0


def _get(url: str, patience: float = 60) -> Any:
    """What an address answers, once it does."""
    deadline = time.monotonic() + patience
    while True:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
        assert time.monotonic() < deadline, url
        time.sleep(0.3)


def test_up_in_containers_is_seen_and_leaves_only_volumes(checkout: Checkout, free_port: int) -> None:
    up = checkout.run("up", "--wait", "--engine", "compose").check(0, "Everything is healthy.")
    assert f"http://localhost:{free_port}/api/health-check" in up.err
    project = checkout.project
    verified = checkout.run("verify", "--json")
    verified.check(0)
    findings = json.loads(verified.out)["findings"]
    assert {each["vendor"]: each["state"] for each in findings} == dict.fromkeys(
        ("honeycomb", "xray", "cloudwatch", "rollbar"), "arrived"
    )
    xray = next(each for each in findings if each["vendor"] == "xray")
    assert "Successfully sent batch of" in json.dumps(xray)
    _check_dashboard(up.err, checkout)
    # The host reaches the backend and the collector's page; the daemon, which signs, is reached by nobody.
    published = docker(
        "ps", "--filter", f"label=com.docker.compose.project={project}", "--format", "{{.Ports}}"
    )
    assert ":2000" not in published
    networks = json.loads(docker("network", "inspect", f"{project}_xray-daemon"))[0]["Containers"]
    assert len(networks) == 3
    checkout.run("down").check(0, "Stopped backend-flask, telemetry, xray-daemon.")
    left = remains(project)
    assert (left["containers"], left["networks"]) == ([], [])
    assert len(left["volumes"]) == 1  # the collector's data


#: takes the collector's port when Compose is told to start it, and holds on to it
_RIVAL = """\
#!{python}
import os, re, socket, sys
pid = "{pid}"
if "up" in sys.argv and not os.path.exists(pid):
    files = [sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == "--file"]
    port = int(re.search(r"127\\.0\\.0\\.1:([0-9]+):4318", open(files[-1]).read())[1])
    held = socket.create_server(("127.0.0.1", port))
    if child := os.fork():
        open(pid, "w").write(str(child))
    else:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        held.set_inheritable(True)
        # Without our environment, or it would be a process of this run, and end with it.
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"], {{}})
os.execv("{docker}", ["docker", *sys.argv[1:]])
"""


def test_a_port_that_is_taken_at_the_last_moment_is_exchanged(checkout: Checkout, tmp_path: Path) -> None:
    pid, docker_path = tmp_path / "rival.pid", shutil.which("docker")
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(_RIVAL.format(python=sys.executable, pid=pid, docker=docker_path))
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    try:
        up = checkout.run("up", "--wait", "--engine", "compose", PATH=path)
        up.check(0, "Everything is healthy.")
        assert re.search(r"services\.telemetry: port \d+ is taken by .*: it gets another one\.", up.err)
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def _check_dashboard(announced: str, checkout: Checkout) -> None:
    """The page in the container knows what the run sends where, and the terminal follows what it has."""
    page = re.search(r"dashboard +(http\S+)", announced)
    assert page
    overview = _get(page[1].replace("/?", "/api/overview?"))
    assert {(each["vendor"], each["where"]) for each in overview["expected"]} == {
        (vendor, "local") for vendor in ("honeycomb", "xray", "cloudwatch", "rollbar")
    }
    arrived = {each["vendor"] for each in overview["arrivals"] if each["service"] == "backend-flask"}
    assert arrived == {"honeycomb", "xray", "cloudwatch", "rollbar"}
    with urllib.request.urlopen(page[1], timeout=10) as answer:
        assert "backend-flask" in answer.read().decode()
    following = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "observe", "--follow", "--last", "1", "--only", "errors"],
        cwd=checkout.root,
        env={**os.environ, **ENVIRON},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with following:
        assert following.stdout
        assert "Hello World!" in following.stdout.readline()
        following.terminate()


@pytest.mark.parametrize("with_secrets", [False, True])
def test_plain_compose_starts_on_a_fresh_checkout(
    checkout: Checkout, free_port: int, *, with_secrets: bool
) -> None:
    """Nothing of ours is run: Compose reads what is committed, and the shell's own variables."""
    made_up = {
        "HONEYCOMB_API_KEY": secrets.token_hex(16),
        "AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16,
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "ROLLBAR_ACCESS_TOKEN": secrets.token_hex(16),
    }
    (checkout.root / "docker-compose.override.yml").write_text(
        f'services: {{backend-flask: {{ports: !override ["127.0.0.1:{free_port}:4567"]}}}}\n'
    )
    name = f"plain-{secrets.token_hex(4)}"
    environ = {**os.environ, **ENVIRON, "COMPOSE_PROJECT_NAME": name, **(made_up if with_secrets else {})}

    def compose(*arguments: str) -> None:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=checkout.root,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    try:
        compose("up", "--detach", "--build")
        health = _get(f"http://127.0.0.1:{free_port}/api/health-check")
        on = {vendor for vendor, state in health["telemetry"].items() if state == "on"}
        assert on == ({"honeycomb", "xray", "cloudwatch", "rollbar"} if with_secrets else {"xray"})
        # Without keys the daemon's SDK would take those of the machine that it runs on.
        daemon = f"{name}-xray-daemon-1"
        assert "AWS_EC2_METADATA_DISABLED=true" in docker("inspect", daemon)
    finally:
        compose("down", "--volumes", "--rmi", "local", "--timeout", "0")
    (checkout.root / "docker-compose.override.yml").unlink()

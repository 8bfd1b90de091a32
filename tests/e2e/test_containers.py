"""A fresh checkout in containers: plain Compose, and `bootstrap up`, with the daemon in the path."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers import ENVIRON, docker, remains

if TYPE_CHECKING:
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

"""Keys of AWS that lie around on this machine are nobody's choice: no run uses them by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.containers import docker
from tests.e2e.clouds import made_up_key
from tests.stand_ins.server import Fixed, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow


class Ambient:
    """A home folder with profiles, variables that name one, and a metadata service that gives out keys."""

    def __init__(self, home: Path, metadata: Fixed) -> None:
        self.metadata = metadata
        self.keys = {name: made_up_key() for name in ("default", "work", "role")}
        credentials = home / ".aws" / "credentials"
        credentials.parent.mkdir()
        credentials.write_text(
            "".join(
                f"[{name}]\n"
                + "".join(f"{key.lower()} = {value}\n" for key, value in self.keys[name].items())
                for name in ("default", "work")
            )
        )
        (home / ".aws" / "config").write_text(
            f"[default]\nregion = eu-west-3\nendpoint_url = {metadata.url}\n"
            f"[profile work]\nregion = eu-west-3\nendpoint_url = {metadata.url}\n"
        )
        answer = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "Expiration": "2099-01-01T00:00:00Z",
            "AccessKeyId": self.keys["role"]["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": self.keys["role"]["AWS_SECRET_ACCESS_KEY"],
            "Token": "a-token-of-the-machine-s-role",
        }
        metadata.response = json_response(200, answer)

    def environ(self, profile: str) -> dict[str, str]:
        return {
            "AWS_PROFILE": profile,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.metadata.url}/role",
        }

    def held(self, text: str) -> list[str]:
        """What of all that is in a text."""
        values = {value: name for name, key in self.keys.items() for value in key.values()}
        values |= {self.metadata.url: "the metadata service", "eu-west-3": "the profile's region"}
        return [name for value, name in values.items() if value in text]


@pytest.fixture
def ambient(clean_environment: Path) -> Iterator[Ambient]:
    with Fixed(json_response(200, {})) as metadata:
        yield Ambient(clean_environment, metadata)


def _check_run(checkout: Checkout, engine: str, environ: Mapping[str, str]) -> None:
    """Run with `auto`: everything stays here, and all of it arrives."""
    up = checkout.run("up", "--wait", "--engine", engine, "--json", **environ)
    up.check(0)
    ready = next(each for each in map(json.loads, up.out.splitlines()) if each["event"] == "ready")
    assert {each["where"] for each in ready["telemetry"]} == {"local"}
    found = checkout.findings("--strict", **environ)
    assert {name.split()[1]: each["state"] for name, each in found.items()} == dict.fromkeys(
        ("honeycomb", "xray", "cloudwatch", "rollbar"), "arrived"
    )


def test_in_containers(checkout: Checkout, ambient: Ambient) -> None:
    _check_run(checkout, "compose", ambient.environ("work"))
    for service, container in checkout.containers().items():
        text = docker("inspect", container) + docker("exec", container, "env")
        assert ambient.held(text) == [], service
        assert "AWS_PROFILE" not in text
        assert ("AWS_EC2_METADATA_DISABLED=true" in text) == (service == "xray-daemon")
    assert ambient.metadata.requests == []


@pytest.mark.parametrize("profile", ["work", "one-that-is-not-there"])
def test_as_processes(processes: Checkout, ambient: Ambient, profile: str) -> None:
    _check_run(processes, "process", ambient.environ(profile))
    shown = {each["service"]: each for each in json.loads(processes.run("status", "--json").check(0).out)}
    backend = psutil.Process(shown["backend-flask"]["pid"])
    for process in (backend, *backend.children(recursive=True)):
        environment = process.environ()
        assert ambient.held(str(environment)) == []
        assert "AWS_PROFILE" not in environment
    assert ambient.metadata.requests == []

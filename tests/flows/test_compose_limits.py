"""No file that comes with a clone reaches for the collector, for others' images, or for this machine."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.encoding import yaml
from bootstrap.flows.compose_limits import check_limits
from bootstrap.flows.compose_secrets import check
from bootstrap.model.errors import BootstrapError
from bootstrap.rendering.overlay import MASK, Collector, overlay
from bootstrap.stack.compose.client import Client
from bootstrap.system import process
from bootstrap.system.state import State
from tests.containers import ENVIRON, need_compose

if TYPE_CHECKING:
    from tests.conftest import Repository

_IMAGES = ("python:3.13-slim-trixie", "public.ecr.aws/xray/aws-xray-daemon:3.x")


@pytest.fixture
def client(repository: Repository) -> Client:
    need_compose()
    repository.write("docker-compose.yml", "services: {jobs: {image: python}}\n")
    environ = {**os.environ, **ENVIRON}
    return Client(repository.root, State(repository.root, environ), environ)


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("services: {telemetry: {image: evil, entrypoint: [cat, /run/secrets/mask]}}", "services.telemetry"),
        ("services: {telemetry: {image: evil, profiles: [later]}}", "services.telemetry"),
        ("{services: {jobs: {volumes: ['telemetry:/x']}}, volumes: {telemetry: }}", "volumes.telemetry"),
        (
            """
            services: {jobs: {volumes: ['data:/x']}}
            volumes: {data: {name: '${COMPOSE_PROJECT_NAME}_telemetry'}}
            """,
            "the telemetry collector",
        ),
        (
            "{services: {jobs: {secrets: [&s bootstrap-collector-mask]}}, secrets: {*s : {environment: X}}}",
            "secrets.bootstrap-collector-mask",
        ),
        (
            "services: {jobs: {build: ., image: '${COMPOSE_PROJECT_NAME}-telemetry'}}",
            "the telemetry collector",
        ),
        (
            "services: {jobs: {build: {context: ., tags: ['${COMPOSE_PROJECT_NAME}-telemetry:latest']}}}",
            "the telemetry collector",
        ),
        (
            "services: {jobs: {pid: 'container:${COMPOSE_PROJECT_NAME}-telemetry-1'}}",
            "the telemetry collector",
        ),
        (
            "services: {jobs: {volumes_from: ['container:${COMPOSE_PROJECT_NAME}-telemetry-1:ro']}}",
            "the telemetry collector",
        ),
        ("services: {jobs: {networks: {default: {aliases: [telemetry]}}}}", "calls itself telemetry"),
        ("services: {jobs: {container_name: telemetry}}", "calls itself telemetry"),
        ("services: {jobs: {build: ., image: 'python:3.13-slim-trixie'}}", _IMAGES[0]),
        (
            "services: {jobs: {build: {context: ., tags: ['docker.io/library/python:3.13-slim-trixie']}}}",
            _IMAGES[0],
        ),
        ("services: {jobs: {build: ., image: 'public.ecr.aws/xray/aws-xray-daemon:3.x'}}", _IMAGES[1]),
    ],
)
def test_the_collector_and_what_others_start_from_are_out_of_reach(
    client: Client, repository: Repository, override: str, what: str
) -> None:
    repository.write("docker-compose.override.yml", override)
    with pytest.raises(BootstrapError) as refused:
        check(client, {}, (), {}, images=_IMAGES)
    assert what in refused.value.message


@pytest.mark.parametrize(
    "override",
    [
        "services: {jobs: {build: ., image: 'jobs:dev'}, other: {image: 'jobs:dev'}}",
        "services: {jobs: {image: 'python:3.13-slim-trixie'}}",
        "services: {telemetry-viewer: {image: '${COMPOSE_PROJECT_NAME}-telemetry-viewer'}}",
        "{services: {jobs: {secrets: [mask]}}, secrets: {mask: {environment: X}}}",
    ],
)
def test_what_only_looks_like_it_is_fine(client: Client, repository: Repository, override: str) -> None:
    repository.write("docker-compose.override.yml", override)
    assert "jobs" in check(client, {}, (), {}, images=_IMAGES)


_SIGNER = """
services:
  posts: {image: python, networks: [default, xray-daemon]}
  xray-daemon: {image: daemon, networks: [xray-daemon]}
  jobs: {image: python}
networks: {xray-daemon: }
"""


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("services: {jobs: {networks: [xray-daemon]}}", "services.jobs reaches xray-daemon"),
        ("services: {jobs: {network_mode: 'service:xray-daemon'}}", "services.jobs reaches xray-daemon"),
        (
            "services: {jobs: {network_mode: 'container:${COMPOSE_PROJECT_NAME}-xray-daemon-1'}}",
            "services.jobs reaches xray-daemon",
        ),
        (
            """
            services: {jobs: {networks: [side]}}
            networks: {side: {external: true, name: '${COMPOSE_PROJECT_NAME}_xray-daemon'}}
            """,
            "services.jobs reaches xray-daemon",
        ),
        ("services: {xray-daemon: {ports: ['2000:2000']}}", "services.xray-daemon.ports"),
    ],
)
def test_what_signs_is_reached_by_those_alone_who_report_to_it(
    client: Client, repository: Repository, override: str, what: str
) -> None:
    repository.write("docker-compose.yml", _SIGNER)
    check(client, {}, (), {}, networks={"xray-daemon": ("posts",)})
    repository.write("docker-compose.override.yml", override)
    with pytest.raises(BootstrapError) as refused:
        check(client, {}, (), {}, networks={"xray-daemon": ("posts",)})
    assert what in refused.value.message


def test_a_program_of_this_machine_is_no_container() -> None:
    """Composes before 2.36 refuse it themselves, so that this is what a later one makes of such a file."""
    document = {"name": "p", "services": {"jobs": {"provider": {"type": "./evil"}}}}
    with pytest.raises(BootstrapError, match=r"services\.jobs\.provider"):
        check_limits(document, (), {})


def test_what_nobody_uses_cannot_change_the_collector_either(client: Client, repository: Repository) -> None:
    """Compose leaves out of its view what no service mentions; the overlay then mentions it."""
    repository.write(
        "docker-compose.override.yml",
        "{services: {}, secrets: {bootstrap-collector-mask: {file: ./mine}},"
        " volumes: {telemetry: {driver_opts: {type: none, o: bind, device: /elsewhere}}}}",
    )
    collector = Collector("/context", 4318, ["telemetry:4318"], [], ["default"], "0")
    client.write_overlay(yaml.block(overlay([], [], collector)) + "\n")
    view = _configuration(client, repository)
    assert view["volumes"] == {"telemetry": {"name": f"{client.project}_telemetry"}}
    assert view["secrets"]["bootstrap-collector-mask"]["environment"] == MASK
    assert "file" not in view["secrets"]["bootstrap-collector-mask"]
    (secret,) = view["services"]["telemetry"]["secrets"]
    assert secret["source"] == "bootstrap-collector-mask"
    assert secret["target"].removeprefix("/run/secrets/") == "mask"


def _configuration(client: Client, repository: Repository) -> Any:
    answer = process.run(
        client.argv("config", "--format", "json"),
        environ={**client.environ, MASK: "[]"},
        directory=repository.root,
    )
    assert answer.code == 0, answer.errors
    return json.loads(answer.output)

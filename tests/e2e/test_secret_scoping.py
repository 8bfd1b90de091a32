"""Each container sees the secrets that its service declares and no others, whatever the shell exports."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.containers import ENVIRON, IMAGE, need_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository

#: seconds; a loaded machine
_PATIENCE = 300.0

_MANIFEST = """\
[project]
name = "scoping"

[services.posts]
build = "posts"
telemetry = ["rollbar"]
port = 4567
secrets = ["SECRET_A"]
environment = { OWN_URL = "${url:posts}" }

[services.gateway]
build = "gateway"
telemetry = ["honeycomb"]
environment = { POSTS_URL = "${url:posts}" }

[services.jobs]
build = "jobs"
environment = { POSTS_URL = "${url:posts}" }

[services.cache]
image = "%s"
compose = { command = ["sleep", "infinity"] }

[secrets.SECRET_A]
description = "What only posts may see"
"""
_DOCKERFILE = f'FROM {IMAGE}\nRUN env > /environment-of-the-build\nCMD ["sleep", "infinity"]\n'
# Nothing here listens, and nothing should be published.
_OVERRIDE = "services:\n  posts:\n    ports: !reset []\n"

SERVICES = ("posts", "gateway", "jobs", "cache")
#: who may see which secret; a derived variable counts
SEEN = {"SECRET_A": "posts", "ROLLBAR_ACCESS_TOKEN": "posts", "HONEYCOMB_API_KEY": "gateway"}
#: those of `verify` and `provision`
OTHERS = ("ROLLBAR_READ_TOKEN", "HONEYCOMB_CONFIGURATION_KEY")


@pytest.fixture
def canaries() -> dict[str, str]:
    """A value for each secret that looks like one of its vendor, and exists nowhere else."""
    made = {name: secrets.token_hex(16) for name in (*SEEN, *OTHERS)}
    return made | {"HONEYCOMB_CONFIGURATION_KEY": secrets.token_hex(11)}


@pytest.fixture
def project(repository: Repository, bootstrap: Bootstrap, canaries: Mapping[str, str]) -> Repository:
    """The rendered project, its secrets in the file store, its Compose project under a name of its own."""
    repository.write("bootstrap.toml", _MANIFEST % IMAGE)
    for service in SERVICES[:3]:
        repository.write(f"{service}/Dockerfile", _DOCKERFILE)
    bootstrap("render", cwd=repository.root).check(0)
    bootstrap("secrets", "use", "file", cwd=repository.root).check(0)
    given = json.dumps(dict(canaries))
    bootstrap("secrets", "import", "-", "--format", "json", cwd=repository.root, data=given).check(
        0, *canaries
    )
    repository.write("docker-compose.override.yml", _OVERRIDE)
    return repository


def found(text: str, canaries: Mapping[str, str]) -> set[str]:
    """Which secrets' values are in the text."""
    return {name for name, value in canaries.items() if value in text}


def expected(service: str) -> set[str]:
    return {name for name, reader in SEEN.items() if reader == service}


@dataclass(frozen=True)
class Stack:
    """The project's containers."""

    folder: Path
    name: str

    def shell(self, script: str, *arguments: str) -> str:
        """Run a bash script with the tool as `bootstrap`; returns what it printed, and fails as it fails."""
        tool = f'bootstrap() {{ "{sys.executable}" -m bootstrap "$@"; }}\nset -euo pipefail\n'
        done = subprocess.run(
            ["bash", "-c", tool + script, "bash", *arguments],
            cwd=self.folder,
            env={**os.environ, **ENVIRON, "COMPOSE_PROJECT_NAME": self.name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def docker(self, *arguments: str) -> str:
        return self.shell('docker "$@"', *arguments)

    def container(self, service: str) -> str:
        return self.docker("compose", "ps", "--quiet", service).strip()

    def everything_about(self, service: str) -> dict[str, str]:
        """Whatever could hold a value, by where it is."""
        container = self.container(service)
        image: str = json.loads(self.docker("inspect", container))[0]["Image"]
        env_file = self.folder / ".bootstrap" / "env" / f"{service}.env"
        everywhere = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'"
        return {
            "container": self.docker("inspect", container),
            "environment": self.docker("exec", container, "env"),
            "processes": self.docker("exec", container, "sh", "-c", everywhere),
            "files": self.docker("exec", container, "sh", "-c", "cat /environment-of-the-build || true"),
            "image": self.docker("image", "inspect", image),
            "history": self.docker("history", "--no-trunc", image),
            "env file": env_file.read_text() if env_file.exists() else "",
        }


@pytest.fixture
def stack(project: Repository) -> Iterator[Stack]:
    need_engine()
    made = Stack(project.root, f"scoping-{secrets.token_hex(4)}")
    try:
        yield made
    finally:
        made.docker("compose", "down", "--rmi", "local", "--volumes", "--timeout", "0")


@pytest.mark.slow
def test_containers_see_what_their_service_declares(stack: Stack, canaries: Mapping[str, str]) -> None:
    stack.shell('eval "$(bootstrap secrets export)"; docker compose up --build --detach')
    seen = {service: stack.everything_about(service) for service in SERVICES}
    for service, texts in seen.items():
        by_place = {place: found(text, canaries) for place, text in texts.items()}
        inside = expected(service)
        assert by_place == {
            "container": inside,
            "environment": inside,
            "processes": inside,
            "files": set(),
            "image": set(),
            "history": set(),
            "env file": set(),
        }, service
    variables = seen["gateway"]["environment"].splitlines()
    assert f"OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team={canaries['HONEYCOMB_API_KEY']}" in variables
    assert not [line for line in variables if line.startswith("HONEYCOMB_")]
    assert f"SECRET_A={canaries['SECRET_A']}" in seen["posts"]["environment"].splitlines()
    assert "POSTS_URL=" in seen["gateway"]["env file"]


@pytest.mark.slow
def test_without_exported_values_no_container_sees_one(stack: Stack, canaries: Mapping[str, str]) -> None:
    """A stack that somebody starts in a fresh terminal runs, and has no half of a header."""
    stack.shell("docker compose up --build --detach")
    for service in SERVICES:
        texts = stack.everything_about(service)
        assert {place: found(text, canaries) for place, text in texts.items() if found(text, canaries)} == {}
    environment = stack.docker("exec", stack.container("gateway"), "env")
    assert "x-honeycomb-team" not in environment


def test_what_compose_is_given_holds_no_value(project: Repository, canaries: Mapping[str, str]) -> None:
    texts = {path: path.read_text(errors="replace") for path in project.root.rglob("*") if path.is_file()}
    assert {path: names for path, text in texts.items() if (names := found(text, canaries))} == {}
    assert "SECRET_A" in project.read("docker-compose.yml")


def test_a_process_sees_what_its_service_declares(
    project: Repository, bootstrap: Bootstrap, canaries: Mapping[str, str]
) -> None:
    show = ("--", sys.executable, "-c", "import os; print(dict(os.environ))")
    for service in SERVICES:
        for exported in ({}, canaries):  # from the store, and with everything in the shell besides
            shown = bootstrap("run", service, *show, cwd=project.root, env=exported).check(0)
            assert found(shown.out, canaries) == expected(service), service


def test_what_checks_and_sets_up_is_for_no_service(project: Repository, bootstrap: Bootstrap) -> None:
    text = project.read("bootstrap.toml")
    for name in OTHERS:
        project.write("bootstrap.toml", text.replace('secrets = ["SECRET_A"]', f'secrets = ["{name}"]'))
        for verb, code in (("render",), 1), (("run", "posts", "--", "true"), 125):
            result = bootstrap(*verb, cwd=project.root)
            result.check(code, f"{name} is for `bootstrap", "no service sees it")


def test_what_follows_from_a_key_is_stored_nowhere(
    project: Repository,
    bootstrap: Bootstrap,
    canaries: Mapping[str, str],
    clean_environment: Path,
) -> None:
    header = f"x-honeycomb-team={canaries['HONEYCOMB_API_KEY']}"
    shown = bootstrap("run", "gateway", "--", "printenv", "OTEL_EXPORTER_OTLP_HEADERS", cwd=project.root)
    shown.check(0)
    assert shown.out.strip() == header
    refused = bootstrap("secrets", "set", "OTEL_EXPORTER_OTLP_HEADERS", cwd=project.root, data=header)
    refused.check(2, "is never stored")
    exported = bootstrap("secrets", "export", "--format", "json", cwd=project.root).check(0)
    assert set(json.loads(exported.out)) == set(canaries)
    key = canaries["HONEYCOMB_API_KEY"]
    holding = [
        text
        for folder in (clean_environment, project.root)
        for path in folder.rglob("*")
        if path.is_file() and key in (text := path.read_text(errors="replace"))
    ]
    assert len(holding) == 1  # the store
    assert header not in holding[0]

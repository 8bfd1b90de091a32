"""`doctor` and `init` where something is amiss: in a terminal or not, the same words and exit codes."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pexpect
import pytest

from bootstrap.flows import routing
from bootstrap.flows.secrets.place import repository_of
from bootstrap.system.state import State

GOOD = """\
[project]
name = "small"

[services.api]
build = "api"
command = "exec sleep 60"
port = {port}
"""
SECRETS = """\
secrets = ["ONE", "TWO"]
[secrets.ONE]
description = "What one opens"
[secrets.TWO]
"""


@dataclass(frozen=True)
class Case:
    """What is amiss, which command is typed, and what must come of it."""

    command: tuple[str, ...]
    code: int
    #: every one of these lines, or starts of lines, is printed
    says: tuple[str, ...]
    prepare: Callable[[Any], Any] = str
    env: Mapping[str, str] | None = None
    #: files that must be there afterwards, or must not
    leaves: tuple[str, ...] = ()
    leaves_not: tuple[str, ...] = ()


def good(repository: Any) -> None:
    repository.write("bootstrap.toml", GOOD.format(port=free_port()))
    repository.write("api/Dockerfile", "FROM scratch\n")


def rendered(repository: Any) -> None:
    good(repository)
    call(repository.root, "init", "--defaults")


def no_repository(repository: Any) -> None:
    shutil.rmtree(repository.root / ".git")


def half_manifest(repository: Any) -> None:
    repository.write("bootstrap.toml", "# mine\n[services.api]\nbuild = 'api' # here\n")
    repository.write("api/Dockerfile", "FROM scratch\n")


def broken_manifest(repository: Any) -> None:
    repository.write("bootstrap.toml", "[project\nname = 1\n")


def nameless_manifest(repository: Any) -> None:
    repository.write("bootstrap.toml", '[project]\nregion = "eu-west-1" # Ireland\n')


def autocrlf(repository: Any) -> None:
    rendered(repository)
    (repository.root / ".gitattributes").unlink()
    repository.git("config", "core.autocrlf", "true")


def not_ignored(repository: Any) -> None:
    rendered(repository)
    (repository.root / ".gitignore").unlink()


def stale(repository: Any) -> None:
    rendered(repository)
    text = repository.read("bootstrap.toml")
    repository.write("bootstrap.toml", text.replace('name = "small"', 'name = "renamed"'))


def somebody_elses_compose(repository: Any) -> None:
    good(repository)
    repository.write("docker-compose.yml", "services: {}\n")


CASES = {
    "all is well": Case(
        ("doctor",), 0, ("ok       manifest", "ok       files", "ok       ignored"), rendered
    ),
    "a workspace with digits in its name": Case(
        ("doctor",),
        0,
        ("ok       workspace    Codespaces; ports are at https://name-1234-40000-PORT.app.github.dev",),
        rendered,
        {
            "CODESPACES": "true",
            "CODESPACE_NAME": "name-1234-40000",
            "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev",
        },
    ),
    "no git: doctor": Case(
        ("doctor",),
        5,
        ("problem  git          is not installed", "bootstrap: 1 problem found"),
        good,
        {"PATH": "/nowhere"},
    ),
    "no git: init": Case(
        ("init", "--defaults"),
        3,
        ("bootstrap: git is not installed", "  Install it, for example: sudo apt-get install git"),
        env={"PATH": "/nowhere"},
        leaves_not=("bootstrap.toml",),
    ),
    "not a repository: doctor": Case(
        ("doctor",), 5, ("problem  git ", "  First: Make it one: git init"), no_repository
    ),
    "not a repository: init": Case(
        ("init", "--defaults"),
        3,
        ("bootstrap: ", "  Make it one: git init"),
        no_repository,
        leaves_not=("bootstrap.toml",),
    ),
    "no manifest: doctor": Case(("doctor",), 5, ("problem  manifest", "  First: Create one: bootstrap init")),
    "no manifest: init": Case(
        ("init", "--defaults"),
        0,
        ("bootstrap.toml was created.",),
        leaves=("bootstrap.toml", "docker-compose.yml"),
    ),
    "half a manifest: init": Case(
        ("init", "--defaults"),
        0,
        ("bootstrap.toml was completed with [project].",),
        half_manifest,
        leaves=("docker-compose.yml",),
    ),
    "half a manifest: doctor": Case(
        ("doctor",), 5, ("problem  manifest     bootstrap.toml: project: is missing",), half_manifest
    ),
    "a manifest without a name": Case(
        ("init", "--defaults"), 0, ("bootstrap.toml was completed with project.name.",), nameless_manifest
    ),
    "a broken manifest: init": Case(
        ("init", "--defaults"),
        1,
        ("bootstrap: bootstrap.toml: is not valid TOML:", "  Correct that line."),
        broken_manifest,
        leaves_not=(".gitignore", "docker-compose.yml"),
    ),
    "a broken manifest: doctor": Case(
        ("doctor",), 5, ("problem  manifest     bootstrap.toml: is not valid TOML:",), broken_manifest
    ),
    "autocrlf": Case(("doctor",), 0, ("note     git          core.autocrlf is true",), autocrlf),
    "git would commit secrets": Case(
        ("doctor",), 5, ("problem  ignored      git would commit .bootstrap/env",), not_ignored
    ),
    "files are stale": Case(("doctor",), 5, ("problem  files        not as the manifest says: ",), stale),
    "a file of somebody else's": Case(
        ("init", "--defaults"),
        5,
        ("bootstrap: docker-compose.yml: already there, and not made by this tool: left alone",),
        somebody_elses_compose,
    ),
    "a shared service name": Case(
        ("doctor",),
        5,
        ("problem  environment  OTEL_SERVICE_NAME is set for the whole workspace", "unset OTEL_SERVICE_NAME"),
        rendered,
        {"OTEL_SERVICE_NAME": "Cruddur"},
    ),
    "a shared service name of all of a Gitpod's workspaces": Case(
        ("doctor",),
        5,
        (
            "problem  environment  HONEYCOMB_SERVICE_NAME is set for the whole workspace",
            "unset HONEYCOMB_SERVICE_NAME; gp env -u HONEYCOMB_SERVICE_NAME",
        ),
        rendered,
        {
            "HONEYCOMB_SERVICE_NAME": "Cruddur",
            "GITPOD_WORKSPACE_ID": "shop-abc123",
            "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu1.gitpod.io",
        },
    ),
    "an empty part of the workspace's address: doctor": Case(
        ("doctor",),
        5,
        ("problem  workspace    GITPOD_WORKSPACE_CLUSTER_HOST is empty",),
        rendered,
        {"GITPOD_WORKSPACE_ID": "abc"},
    ),
    "an empty part of the workspace's address: init": Case(
        ("init", "--defaults"),
        3,
        ("bootstrap: GITPOD_WORKSPACE_CLUSTER_HOST is empty, so this Gitpod workspace has no URLs",),
        lambda repository: repository.write(
            "bootstrap.toml", GOOD.format(port=4567) + 'environment = { ME = "${url:api}" }\n'
        ),
        {"GITPOD_WORKSPACE_ID": "abc"},
        leaves_not=(".gitignore", "docker-compose.yml"),
    ),
}


@pytest.mark.parametrize("terminal", [False, True], ids=["no terminal", "terminal"])
@pytest.mark.parametrize("name", CASES)
def test_outcome(repository: Any, name: str, *, terminal: bool) -> None:
    case = CASES[name]
    case.prepare(repository)
    code, text = call(repository.root, *case.command, env=case.env, terminal=terminal)
    lines = text.splitlines()
    missing = [start for start in case.says if not any(start in line for line in lines)]
    assert (code, missing) == (case.code, []), text
    assert "Traceback" not in text
    assert [path for path in case.leaves if not (repository.root / path).exists()] == []
    assert [path for path in case.leaves_not if (repository.root / path).exists()] == []


@pytest.mark.parametrize("terminal", [False, True], ids=["no terminal", "terminal"])
def test_a_taken_port_is_named_with_who_has_it(repository: Any, *, terminal: bool) -> None:
    rendered(repository)
    with listening() as (port, pid):
        repository.write("bootstrap.toml", GOOD.format(port=port))
        call(repository.root, "render")
        for command in (("doctor",), ("up",)):
            code, text = call(repository.root, *command, terminal=terminal)
            assert "taken by python" in text
            assert f"(pid {pid}: " in text
            assert "services.api.port in bootstrap.local.toml" in text
            assert code == (5 if command == ("doctor",) else 1), text


def test_init_asks_before_it_creates_and_takes_no_for_an_answer(repository: Any) -> None:
    with terminal_of(repository.root, "init") as child:
        child.expect_exact("Create one? [Y/n]: ")
        child.sendline("n")
        child.expect_exact("Nothing was written.")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 1
    assert not (repository.root / "bootstrap.toml").exists()
    with terminal_of(repository.root, "init") as child:
        child.expect_exact("Create one? [Y/n]: ")
        child.sendline("")
        child.expect_exact("Look for leaked secrets before every commit? [Y/n]: ")
        child.sendline("n")
        child.expect_exact("Next: bootstrap service add NAME --template flask")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 0
    assert (repository.root / "bootstrap.toml").exists()
    assert not (repository.root / ".git/hooks/pre-commit").exists()


def test_init_offers_to_set_secrets_and_to_scan_before_commits(repository: Any) -> None:
    repository.write("bootstrap.toml", GOOD.format(port=free_port()) + SECRETS)
    with terminal_of(repository.root, "init") as child:
        child.expect_exact("2 secrets are missing. Set some now? (later: bootstrap secrets set) [y/N]: ")
        child.sendline("y")
        child.expect_exact("ONE: What one opens")
        child.expect_exact("ONE: ")
        child.sendline("plainly-fake-value")
        child.expect_exact("TWO: ")
        child.sendline("")
        child.expect_exact("ONE: stored")
        child.expect_exact("Look for leaked secrets before every commit? [Y/n]: ")
        child.sendline("")
        child.expect(pexpect.EOF)
        assert "plainly-fake-value" not in child.before
    assert child.exitstatus == 0
    assert (repository.root / ".git/hooks/pre-commit").exists()
    code, text = call(repository.root, "secrets", "get", "ONE")
    assert (code, text.strip()) == (0, "plainly-fake-value")


def test_init_without_a_terminal_never_waits(repository: Any) -> None:
    code, text = call(repository.root, "init")
    assert (code, "Create one?" in text) == (0, False)
    assert (repository.root / "bootstrap.toml").exists()


def test_init_again_and_again_changes_nothing(repository: Any) -> None:
    rendered(repository)
    repository.commit()
    for _ in range(3):
        code, text = call(repository.root, "init", "--defaults")
        assert (code, repository.git("status", "--short")) == (0, "")
        assert "generated files are what they should be" in text


def test_completing_keeps_comments(repository: Any) -> None:
    half_manifest(repository)
    call(repository.root, "init", "--defaults")
    text = repository.read("bootstrap.toml")
    assert "# mine\n" in text
    assert "build = 'api' # here\n" in text
    nameless_manifest(repository)
    call(repository.root, "init", "--defaults")
    assert 'region = "eu-west-1" # Ireland' in repository.read("bootstrap.toml")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def listening() -> Iterator[tuple[int, int]]:
    """Another program that has a port."""
    script = (
        "import socket; server = socket.create_server(('127.0.0.1', 0));"
        "print(server.getsockname()[1], flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    with child:
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline()), child.pid
        finally:
            child.kill()


@contextmanager
def terminal_of(root: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Any]:
    """The command in a terminal of its own, 200 columns wide."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bootstrap", *arguments],
        cwd=str(root),
        env={**os.environ, "TERM": "xterm", **(env or {})},
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )
    try:
        yield child
    finally:
        child.close()


def call(
    root: Path, *arguments: str, env: Mapping[str, str] | None = None, terminal: bool = False
) -> tuple[int, str]:
    """Run the command and return its exit code and all that it printed."""
    if terminal:
        with terminal_of(root, *arguments, env=env) as child:
            child.expect(pexpect.EOF)
            text = str(child.before)
        return int(child.exitstatus), text
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", *arguments],
        cwd=root,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_doctor_says_where_telemetry_went_and_how_to_change_it(repository: Any) -> None:
    good(repository)
    reporting = 'telemetry = ["honeycomb", "xray"]\n'
    repository.write("bootstrap.toml", repository.read("bootstrap.toml") + reporting)
    state = State(repository.root, os.environ)
    routing.Choices(state, repository_of(repository.root)).record({"honeycomb": "cloud"})
    decision = routing.Decision("honeycomb", "Honeycomb", "local", "HONEYCOMB_API_KEY is not set")
    state.write("routing", {"decisions": msgspec.to_builtins([decision])})
    _, text = call(repository.root, "doctor")
    lines = [line.split(maxsplit=2)[2] for line in text.splitlines() if line.startswith("ok       telemetry")]
    assert lines == [
        "Honeycomb: cloud is chosen on this machine; the last run: local (HONEYCOMB_API_KEY is not set)",
        "X-Ray: nothing is chosen on this machine; not in the last run",
    ]
    assert "bootstrap up --telemetry honeycomb=local" in text
    assert "bootstrap up --telemetry xray=cloud" in text

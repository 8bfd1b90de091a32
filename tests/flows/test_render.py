"""`bootstrap render` against a real disk: killed at any moment, cloned anywhere, moved between workspaces."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Snapshot

RENDER = [sys.executable, "-m", "bootstrap", "render"]
GITPOD = {"GITPOD_WORKSPACE_ID": "shop-abc123", "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu1.gitpod.io"}


def manifest(number: int) -> str:
    """A project of many files, every one of which depends on `number`."""
    head = f'[project]\nname = "shop-{number}"\n'
    xray = f'[telemetry.xray]\ngroup = "shop-{number}"\nsampling = {{ priority = {number} }}\n'
    services = (
        f'[services.web-{index}]\nbuild = "web"\nport = {8000 + index}\ntelemetry = ["honeycomb", "xray"]\n'
        f'environment = {{ NUMBER = "{number}", HERE = "${{url:web-{index}}}/{number}" }}\n'
        for index in range(12)
    )
    secret = f'[secrets.A_KEY]\ndescription = "Number {number}"\n'
    workspace = f'[workspace]\nextensions = ["shop.number-{number}"]\n'
    return "\n".join([head, xray, *services, secret, workspace])


@pytest.mark.slow
@pytest.mark.soak
def test_killed_at_any_moment_every_file_is_the_old_one_or_the_new_one(
    repository: Repository, bootstrap: Bootstrap, snapshot: Snapshot, chance: random.Random, soak: int
) -> None:
    root = repository.root
    repository.write("web/Dockerfile", "FROM scratch\n")
    repository.write("bootstrap.toml", manifest(1))
    bootstrap("render", cwd=root).check(0)
    old = snapshot(root)
    repository.write("bootstrap.toml", manifest(2))
    began = time.monotonic()
    bootstrap("render", cwd=root).check(0)
    whole = time.monotonic() - began
    new = snapshot(root)
    record = root / ".bootstrap" / "written.json"
    generated = new.keys() - {".bootstrap/written.json"}
    changing = {path for path in generated if old[path] != new[path]}
    ends = {"old": 0, "between": 0, "new": 0}

    for _ in range(25 * soak if soak > 1 else 10):
        for path in (*changing, ".bootstrap/written.json"):
            (root / path).write_bytes(old[path][2])
        repository.write("bootstrap.toml", manifest(2))
        run = subprocess.Popen(RENDER, cwd=root, stderr=subprocess.DEVNULL)
        # Most of the time a run only starts Python; the record is the first thing that it writes.
        before = record.stat().st_ino
        while chance.random() > 0.001 and run.poll() is None and record.stat().st_ino == before:
            time.sleep(whole / 200)
        time.sleep(chance.uniform(0, whole / 10))
        run.send_signal(signal.SIGKILL)
        run.wait()

        found = snapshot(root)
        left = {path for path in found if path.endswith(".tmp")}
        assert found.keys() - left == new.keys()
        assert all(found[path] in (old[path], new[path]) for path in generated)
        renewed = sum(found[path] == new[path] for path in changing - {"bootstrap.toml"})
        ends["old" if not renewed else "new" if renewed == len(changing) - 1 else "between"] += 1
        json.loads(record.read_bytes())
        for path in left:
            os.utime(root / path, (0, 0))  # as if it had been left a while ago

        bootstrap("render", cwd=root).check(0)
        finished = snapshot(root)
        assert finished.keys() == new.keys()
        assert all(finished[path] == new[path] for path in generated)
    sys.stdout.write(f"what was killed left {ends}\n")
    assert len(changing) > 25
    assert ends["between"] > 0


def test_a_fresh_clone_is_what_it_should_be_under_any_umask_and_autocrlf(
    project: Repository, bootstrap: Bootstrap, tmp_path: Path
) -> None:
    bootstrap("render", cwd=project.root).check(0)
    project.commit()
    for number, (umask, crlf) in enumerate([(0o022, "false"), (0o002, "false"), (0o077, "true")]):
        clone = tmp_path / f"clone{number}"
        subprocess.run(
            ["git", "-c", f"core.autocrlf={crlf}", "clone", "--quiet", project.root, clone],
            check=True,
            umask=umask,
        )
        assert (b"\r\n" in (clone / "docker-compose.yml").read_bytes()) is (crlf == "true")
        bootstrap("render", "--check", cwd=clone).check(0, "are what they should be")
        bootstrap("render", cwd=clone).check(0)
        (clone / "bootstrap.toml").write_bytes(
            (clone / "bootstrap.toml").read_bytes().replace(b"8000", b"8001")
        )
        bootstrap("render", cwd=clone).check(0)
        assert b"8001:8001" in (clone / "docker-compose.yml").read_bytes()


def test_a_record_that_a_stranger_committed_removes_nothing(
    project: Repository, bootstrap: Bootstrap
) -> None:
    named = {}
    for path in ("README.md", ".env", "web/Dockerfile", ".git/HEAD", "../outside"):
        (project.root / path).write_text("precious\n")
        named[path] = [hashlib.sha256(b"precious\n").hexdigest()]
    project.write(".bootstrap/written.json", json.dumps(named))
    (project.root / ".git/HEAD").write_text("ref: refs/heads/main\n")
    bootstrap("render", cwd=project.root).check(0)
    assert all((project.root / path).exists() for path in named)


def test_another_workspace_is_rendered_anew_and_said(project: Repository, bootstrap: Bootstrap) -> None:
    env = ".bootstrap/env/web.env"
    bootstrap("render", cwd=project.root).check(0)
    assert 'HERE="http://localhost:8000"' in project.read(env)
    assert (project.root / env).stat().st_mode & 0o777 == 0o600
    moved = bootstrap("render", cwd=project.root, env=GITPOD)
    moved.check(0, "This is another workspace than before (local localhost)", env)
    assert 'HERE="https://8000-shop-abc123.ws-eu1.gitpod.io"' in project.read(env)
    again = bootstrap("render", cwd=project.root, env=GITPOD).check(0)
    assert "another workspace" not in again.err


def test_a_prebuild_writes_nothing_of_a_workspace(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root, env={**GITPOD, "GITPOD_HEADLESS": "true"}).check(0)
    assert not (project.root / ".bootstrap/env").exists()
    assert (project.root / "docker-compose.yml").exists()


def test_what_no_service_needs_any_more_goes_away(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root).check(0)
    text = project.read("bootstrap.toml")
    project.write("bootstrap.toml", text.replace("web]", "shop]").replace("url:web", "url:shop"))
    bootstrap("render", cwd=project.root).check(0, "removed", "created")
    assert not (project.root / ".bootstrap/env/web.env").exists()
    assert not (project.root / "aws/json/xray-sampling-rule-web.json").exists()
    assert (project.root / "aws/json/xray-sampling-rule-shop.json").exists()


def test_one_machine_may_differ_without_changing_what_is_committed(
    project: Repository, bootstrap: Bootstrap
) -> None:
    bootstrap("render", cwd=project.root).check(0)
    committed = project.read("docker-compose.yml")
    project.write("bootstrap.local.toml", '[services.web]\nport = 9000\nenvironment = { MORE = "1" }\n')
    bootstrap("render", cwd=project.root).check(0)
    assert project.read("docker-compose.yml") == committed
    assert "localhost:9000" in project.read(".bootstrap/env/web.env")
    shown = bootstrap("env", "web", "--json", cwd=project.root).check(0)
    values = {row["name"]: row["value"] for row in json.loads(shown.out)}
    assert (values["PORT"], values["MORE"], values["HERE"]) == ("9000", "1", "http://localhost:9000")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("compose", "docker-compose.yml"),
        ("gitpod", ".gitpod.yml"),
        ("devcontainer", ".devcontainer/devcontainer.json"),
    ],
)
def test_a_file_that_is_theirs_is_neither_written_nor_checked(
    key: str, path: str, project: Repository, bootstrap: Bootstrap
) -> None:
    project.write("bootstrap.toml", project.read("bootstrap.toml") + f'[files]\n{key} = "theirs"\n')
    bootstrap("render", cwd=project.root).check(0)
    assert not (project.root / path).exists()
    project.write(path, "theirs\n")
    bootstrap("render", cwd=project.root).check(0)
    bootstrap("render", "--check", cwd=project.root).check(0)
    assert project.read(path) == "theirs\n"


def test_a_template_of_ones_own_replaces_the_built_in_one(project: Repository, bootstrap: Bootstrap) -> None:
    project.write("bootstrap.toml", project.read("bootstrap.toml") + '[files]\ntemplates = "own"\n')
    project.write(
        "own/.env.example.j2", "# {{ marker }}\n{% for secret in secrets %}{{ secret.name }}\n{% endfor %}"
    )
    bootstrap("render", cwd=project.root).check(0)
    assert project.read(".env.example").splitlines()[1] == "HONEYCOMB_API_KEY"
    bootstrap("render", "--check", cwd=project.root).check(0)

"""`verify` as people use it: the real backend, the real collector, and what the exit code says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bootstrap.flows.routing import Decision
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from tests.cli.test_up import SERVER, free_port
from tests.stand_ins.honeycomb import Honeycomb, ingest_key

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = Path(__file__).parents[2] / "backend-flask"
MANIFEST = """
[project]
name = "small"

[services.backend]
build = "backend"
command = "exec {python} -m gunicorn 'app:create_app()'"
port = {port}
public = true
health = "/api/health-check"
telemetry = ["honeycomb", "xray", "cloudwatch", "rollbar"]
probe = ["/api/activities/home", "/api/activities/@andrewbrown", "/rollbar/test"]

[services.plain]
build = "plain"
command = "exec {python} server.py"
port = {other}
telemetry = ["honeycomb"]

[services.xray-daemon]
build = "plain"
command = "exec {python} daemon.py"

[services.silent]
build = "plain"
command = "sleep 1000"

[services.portless]
build = "plain"
command = "sleep 1000"
telemetry = ["xray"]
"""


#: says what the daemon says, at the pace of its batches
DAEMON = """
import datetime, time
while True:
    now = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    print(now, "[Info] Successfully sent batch of 3 segments (0.012 seconds)", flush=True)
    time.sleep(0.2)
"""


def routed(root: Path, **where: str) -> None:
    """Change where the run says that it reports to; the services themselves go on as before."""
    state = State(root, os.environ)
    decisions = [
        Decision(name, vendor.title, where.get(name, "local"), "as it is decided")  # type: ignore[arg-type]
        for name, vendor in VENDORS.items()
    ]
    state.write("routing", {"decisions": msgspec.to_builtins(decisions)})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The backend of this repository and a service without telemetry, both of them running."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        for name, value in {"HOME": home, "XDG_STATE_HOME": home / "state", "XDG_DATA_HOME": home}.items():
            patch.setenv(name, str(value))
        yield from _run(tmp_path_factory.mktemp("project"))


def _run(root: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    shutil.copytree(BACKEND, root / "backend", ignore=ignored)
    (root / "plain").mkdir()
    (root / "plain" / "server.py").write_text(SERVER)
    (root / "plain" / "daemon.py").write_text(DAEMON)
    manifest = MANIFEST.format(python=sys.executable, port=free_port(), other=free_port())
    (root / "bootstrap.toml").write_text(manifest)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    command = [sys.executable, "-m", "bootstrap"]
    started = [*command, "up", "--detach", "--engine", "process", "backend", "plain", "xray-daemon"]
    done = subprocess.run(started, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    yield root, {name: os.environ[name] for name in names}
    subprocess.run([*command, "down"], cwd=root, capture_output=True, check=True)


@pytest.fixture
def project(running: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root, environ = running
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    state = State(root, os.environ)
    kept = {subject: state.read(subject) or {} for subject in ("routing", "trace-proof")}
    yield root
    for subject, data in kept.items():
        state.write(subject, data)


def findings(result: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(item["service"], item["vendor"]): item for item in json.loads(result.out)["findings"]}


def test_what_the_backend_reports_is_read_back(project: Path, bootstrap: Any) -> None:
    result = bootstrap("verify", "--service", "backend", "--json", cwd=project).check(0)
    document = json.loads(result.out)
    (probe,) = document["probes"]
    assert [request["status"] for request in probe["requests"]] == [200, 200, 200]
    found = findings(result)
    spans, segments = found["backend", "honeycomb"], found["backend", "xray"]
    assert (spans["state"], segments["state"]) == ("arrived", "arrived")
    assert spans["evidence"]["app.result_length"] == "3"
    assert segments["evidence"]["url"].endswith("/api/activities/@andrewbrown")
    assert "user_activities_nested_subsegment" in segments["detail"]
    assert 'the daemon: "Successfully sent batch of 3 segments' in segments["detail"]
    assert probe["trace_id"] in spans["link"]
    assert 0 <= spans["seconds"] < 30
    lines, items = found["backend", "cloudwatch"], found["backend", "rollbar"]
    assert (lines["state"], items["state"]) == ("arrived", "arrived")
    assert lines["detail"].endswith(" lines: home activities")
    assert items["detail"] == "1 item: Hello World!"
    assert document["problems"] == 0


def test_a_person_sees_a_table_and_what_to_type(project: Path, bootstrap: Any) -> None:
    result = bootstrap("verify", "--timeout", "2", cwd=project)
    result.check(
        5, "backend      Honeycomb", "app.result_length = 3", "bootstrap: Honeycomb of plain: no span"
    )
    assert "the service did not say which trace it used" in result.out
    assert "silent       -                off" in result.out
    assert "telemetry = [" in result.out
    assert "has no port that could be asked" in result.out
    assert "Waiting for Honeycomb of plain (1 s) ..." in result.err


def test_what_is_off_is_no_problem(project: Path, bootstrap: Any) -> None:
    routed(project, honeycomb="off")
    result = bootstrap("verify", "--service", "plain", "--service", "silent", "--json", cwd=project).check(0)
    assert {key: item["state"] for key, item in findings(result).items()} == {
        ("plain", "honeycomb"): "off",
        ("silent", None): "off",
    }
    assert findings(result)["plain", "honeycomb"]["detail"] == "as it is decided"


def test_a_service_that_does_not_believe_us_is_told_apart(project: Path, bootstrap: Any) -> None:
    State(project, os.environ).write("trace-proof", {"key": "another run's"})
    result = bootstrap("verify", "--service", "backend", "--json", cwd=project).check(5)
    item = findings(result)["backend", "xray"]
    assert item["state"] == "not arrived"
    assert "did not take our trace" in item["detail"]
    assert "bootstrap down" in item["hint"]


def test_a_vendor_without_keys_is_named(project: Path, bootstrap: Any) -> None:
    routed(project, honeycomb="cloud", xray="cloud")
    result = bootstrap("verify", "--service", "backend", "--strict", "--json", cwd=project).check(5)
    for vendor, secret in (("honeycomb", "HONEYCOMB_API_KEY"), ("xray", "AWS_ACCESS_KEY_ID")):
        item = findings(result)["backend", vendor]
        assert (item["state"], item["hint"].split()[:4]) == (
            "not arrived",
            ["bootstrap", "secrets", "set", secret],
        )


def test_accepted_is_a_problem_only_when_strict(project: Path, bootstrap: Any) -> None:
    routed(project, honeycomb="cloud")
    with Honeycomb() as honeycomb:
        key = honeycomb.add(ingest_key(), "createDatasets")
        env = {"HONEYCOMB_API_KEY": key, "BOOTSTRAP_HONEYCOMB_ENDPOINT": honeycomb.url}
        result = bootstrap("verify", "--service", "plain", cwd=project, env=env)
        result.check(0, "accepted", "https://ui.honeycomb.io/acme-shops/environments/production/")
        assert key not in result.out + result.err
        bootstrap("verify", "--service", "plain", "--strict", cwd=project, env=env).check(
            5, "bootstrap secrets set HONEYCOMB_CONFIGURATION_KEY"
        )


def test_without_a_run_there_is_nothing_to_verify(repository: Any, bootstrap: Any) -> None:
    manifest = MANIFEST.format(python="python", port=free_port(), other=free_port())
    repository.write("bootstrap.toml", manifest)
    (repository.root / "backend").mkdir()
    (repository.root / "plain").mkdir()
    bootstrap("verify", cwd=repository.root).check(3, "nothing of this project runs", "bootstrap up")
    routed(repository.root)
    bootstrap("verify", cwd=repository.root).check(3, "no service answers at 127.0.0.1:", "bootstrap up")
    bootstrap("verify", "--service", "nope", cwd=repository.root).check(2, "there is no service 'nope'")

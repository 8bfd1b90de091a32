"""`bootstrap run`: one service's environment, the child's own exit code, and nothing of any other service."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stand_ins.sts import PARTS, Known, Sts, key_id, secret_key

MANIFEST = """
[project]
name = "small"

[services.api]
build = "api"
port = 4567
telemetry = ["honeycomb", "cloudwatch"]
secrets = { DATABASE_URL = "API_DATABASE_URL" }

[services.worker]
build = "worker"
secrets = ["WORKER_KEY"]
environment = { DOLLARS = "$HOME ${HOME} $$", GREETING = "it's" }

[secrets.API_DATABASE_URL]
[secrets.WORKER_KEY]
"""
PRINT_ENVIRONMENT = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")


@pytest.fixture
def project(repository: Any) -> Any:
    repository.write("bootstrap.toml", MANIFEST)
    return repository


def environment(bootstrap: Any, project: Any, service: str, **env: str) -> dict[str, str]:
    result = bootstrap("run", service, "--", *PRINT_ENVIRONMENT, cwd=project.root, env=env).check(0)
    loaded: dict[str, str] = json.loads(result.out)
    return loaded


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as server:
        yield server


def user(sts: Sts, *allowed: str, arn: str = "arn:aws:iam::123456789012:user/somebody") -> dict[str, str]:
    """A user's keys in a shell that knows no other STS; by default they may make sessions."""
    values = {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
    may = frozenset(allowed or (Sts.federate, "logs:CreateLogStream", "logs:PutLogEvents"))
    sts.keys[values["AWS_ACCESS_KEY_ID"]] = Known(values["AWS_SECRET_ACCESS_KEY"], arn, allowed=may)
    return {**values, "AWS_ENDPOINT_URL_STS": sts.url}


def test_each_service_sees_its_own_name_and_only_its_own_secrets(
    bootstrap: Any, project: Any, sts: Sts
) -> None:
    shell = {
        **user(sts),
        "API_DATABASE_URL": "postgres://fake",
        "WORKER_KEY": "fake-worker-key",
        "HONEYCOMB_API_KEY": "fakefakefakefakefakef1",
        "OTEL_SERVICE_NAME": "somebody-else",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=stale",
        "AWS_XRAY_DAEMON_ADDRESS": "elsewhere:2000",
        "PORT": "9999",
        "UNRELATED": "kept",
    }
    api = environment(bootstrap, project, "api", **shell)
    assert api["OTEL_SERVICE_NAME"] == "api"
    assert api["PORT"] == "4567"
    assert api["DATABASE_URL"] == "postgres://fake"
    assert api["OTEL_EXPORTER_OTLP_HEADERS"] == "x-honeycomb-team=fakefakefakefakefakef1"
    assert {name: api[name] for name in PARTS} == sts.sessions[0][1]
    assert api["UNRELATED"] == "kept"
    assert not {"API_DATABASE_URL", "WORKER_KEY", "HONEYCOMB_API_KEY", "AWS_XRAY_DAEMON_ADDRESS"} & api.keys()

    worker = environment(bootstrap, project, "worker", **shell)
    assert worker["OTEL_SERVICE_NAME"] == "worker"
    assert worker["WORKER_KEY"] == "fake-worker-key"
    assert worker["DOLLARS"] == "$HOME ${HOME} $$"
    assert worker["GREETING"] == "it's"
    gone = {"PORT", "DATABASE_URL", "API_DATABASE_URL", "HONEYCOMB_API_KEY", "AWS_ACCESS_KEY_ID"}
    assert not gone & worker.keys()
    assert not any(name.startswith("OTEL_EXPORTER") for name in worker)
    assert len(sts.sessions) == 1


@pytest.mark.parametrize("code", [0, 1, 3, 5, 42, 125, 255])
def test_the_exit_code_is_the_child_s_own(bootstrap: Any, project: Any, code: int) -> None:
    bootstrap("run", "api", "--", "sh", "-c", f"exit {code}", cwd=project.root).check(code)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "api", "--", "no-such-command-anywhere"], 127, "command not found"),
        (["run", "api", "--", "/etc"], 126, "cannot be executed"),
        (["run", "nope", "--", "true"], 125, "there is no service"),
    ],
)
def test_its_own_failures_have_codes_that_no_child_is_expected_to_use(
    bootstrap: Any, project: Any, arguments: list[str], code: int, words: str
) -> None:
    bootstrap(*arguments, cwd=project.root).check(code, words)


def test_everything_after_the_service_belongs_to_the_command(bootstrap: Any, project: Any) -> None:
    for separator in ([], ["--"]):
        result = bootstrap("run", "api", *separator, "echo", "--json", "-C", "x", "--help", cwd=project.root)
        assert result.check(0).out == "--json -C x --help\n"
    assert bootstrap("run", "api", "--", "echo", "--", "a", cwd=project.root).check(0).out == "-- a\n"


def test_it_becomes_the_command_and_takes_its_signals(project: Any) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "run", "api", "--", "sh", "-c", "echo $$; exec sleep 60"],
        cwd=project.root,
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        assert int(child.stdout.readline()) == child.pid
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=20) == -signal.SIGTERM


@contextmanager
def observing(project: Any) -> Iterator[dict[str, Any]]:
    """A collector that listens; says where."""
    observer = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "observe", "--json"],
        cwd=project.root,
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert observer.stdout is not None
    with observer.stdout:
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(observer.stdout.readline())
        try:
            yield json.loads("".join(lines))
        finally:
            observer.terminate()
            assert observer.wait(timeout=20) == 0


def test_it_finds_this_project_s_collector_while_one_listens(bootstrap: Any, project: Any) -> None:
    with observing(project) as listening:
        api = environment(bootstrap, project, "api", HONEYCOMB_API_KEY="fakefakefakefakefakef1")
    assert api["OTEL_EXPORTER_OTLP_ENDPOINT"] == listening["url"]
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in api
    after = environment(bootstrap, project, "api", HONEYCOMB_API_KEY="fakefakefakefakefakef1")
    assert after["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://api.honeycomb.io"


#: records as the process of a run does, and lives until it is told to end
HOLDER = """
import os, sys
from pathlib import Path
from bootstrap.flows.routing import Decision, record
from bootstrap.system.state import State
honeycomb, cloudwatch = sys.argv[2:4]
decisions = [Decision("honeycomb", "", honeycomb, ""), Decision("cloudwatch", "", cloudwatch, "")]
record(State(Path(sys.argv[1]), os.environ), decisions)
print("recorded", flush=True)
sys.stdin.read()
"""
HONEYCOMB = {"HONEYCOMB_API_KEY": "fakefakefakefakefakef1"}


@contextmanager
def recorded(project: Any, *where: str) -> Iterator[None]:
    """A run with these decisions, as far as other commands can tell."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(project.root), *where],
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder, holder.stdin, holder.stdout:
        assert holder.stdout.readline() == "recorded\n"
        yield
        holder.kill()


def test_it_reports_to_where_the_run_reports_to(bootstrap: Any, project: Any, sts: Sts) -> None:
    keys = HONEYCOMB | user(sts)
    with recorded(project, "cloud", "local"):
        api = environment(bootstrap, project, "api", **keys)
        assert api["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://api.honeycomb.io"
        assert "CLOUDWATCH_LOG_GROUP" not in api  # no collector listens: off, and never the cloud
    with recorded(project, "local", "cloud"):
        api = environment(bootstrap, project, "api", **keys)
        assert not any(name.startswith("OTEL_EXPORTER") for name in api)
        assert api["CLOUDWATCH_LOG_GROUP"] == "small"
    after = environment(bootstrap, project, "api", **keys)  # however the run ended
    assert after["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://api.honeycomb.io"
    assert after["CLOUDWATCH_LOG_GROUP"] == "small"


def test_half_a_run_in_the_cloud_leaves_the_other_half_here(bootstrap: Any, project: Any, sts: Sts) -> None:
    keys = HONEYCOMB | user(sts)
    with observing(project) as listening, recorded(project, "local", "cloud"):
        api = environment(bootstrap, project, "api", **keys)
    assert api["OTEL_EXPORTER_OTLP_ENDPOINT"] == listening["url"]
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in api
    assert api["CLOUDWATCH_LOG_GROUP"] == "small"


def test_without_a_session_it_runs_and_says_so(bootstrap: Any, project: Any, sts: Sts) -> None:
    for keys, words in (
        (user(sts, "logs:PutLogEvents"), '"Action": "sts:GetFederationToken"'),
        (user(sts, arn="arn:aws:iam::123456789012:root"), "key of the account itself"),
    ):
        for raw in ((), ("--raw-aws-keys",)):
            env = {**keys, "AWS_PROFILE": "with-more"}
            given = bootstrap("run", *raw, "api", "--", *PRINT_ENVIRONMENT, cwd=project.root, env=env)
            api = json.loads(given.check(0).out)
            raw_user = bool(raw) and "root" not in sts.keys[keys["AWS_ACCESS_KEY_ID"]].arn
            assert (words in given.err) is not raw_user
            assert (api.get("AWS_ACCESS_KEY_ID") == keys["AWS_ACCESS_KEY_ID"]) is raw_user
            assert ("CLOUDWATCH_LOG_GROUP" in api) is raw_user
            assert "AWS_PROFILE" not in api
            assert (api.get("AWS_SHARED_CREDENTIALS_FILE") == os.devnull) is not raw_user
    assert sts.sessions == []


def test_env_shows_a_session_and_its_end(bootstrap: Any, project: Any, sts: Sts) -> None:
    keys = user(sts)
    shown = json.loads(bootstrap("--json", "env", "api", "--reveal", cwd=project.root, env=keys).check(0).out)
    found = {each["name"]: each for each in shown}
    (asked, given) = sts.sessions[0]
    assert {name: found[name]["value"] for name in PARTS} == given
    assert {found[name]["origin"].partition(" until ")[0] for name in PARTS} == {
        "vendor cloudwatch (AWS session"
    }
    assert (asked["Name"], asked["DurationSeconds"]) == ("small-logs", "43200")
    (statement,) = json.loads(asked["Policy"])["Statement"]
    assert statement["Resource"] == ["arn:aws:logs:us-east-1:*:log-group:small:*"]
    raw = bootstrap("env", "api", "--raw-aws-keys", "--reveal", cwd=project.root, env=keys).check(0)
    assert keys["AWS_SECRET_ACCESS_KEY"] in raw.out
    assert len(sts.sessions) == 1


def test_a_variable_that_steers_programs_is_refused(bootstrap: Any, project: Any) -> None:
    project.write("bootstrap.toml", MANIFEST.replace("GREETING", "LD_PRELOAD"))
    bootstrap("run", "worker", "--", "true", cwd=project.root).check(125, "LD_PRELOAD", "name of your own")

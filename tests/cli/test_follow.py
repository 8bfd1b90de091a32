"""`bootstrap observe --follow`: what arrives, a line each, at a terminal and for another program."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pexpect
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60
MANIFEST = """
[project]
name = "small"

[services.api]
build = "api"
otel_service_name = "shop-api"
telemetry = ["honeycomb"]

[services.worker]
build = "worker"
telemetry = ["honeycomb"]
"""


@pytest.fixture
def project(repository: Any) -> Any:
    repository.write("bootstrap.toml", MANIFEST)
    return repository


def send(
    url: str, service: str, name: str, *, milliseconds: int = 5, failed: bool = False, **more: Any
) -> str:
    """Send a trace of one span; returns its id."""
    now, trace_id = time.time_ns(), f"{int(time.time()):08x}{secrets.token_hex(12)}"
    span = {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(now - milliseconds * 1_000_000),
        "endTimeUnixNano": str(now),
        "status": {"code": 2 if failed else 0},
        **more,
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    document = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    _post(f"{url}/v1/traces", document)
    return trace_id


def send_item(url: str, service: str, message: str, level: str = "error") -> None:
    data = {
        "environment": "test",
        "level": level,
        "body": {"message": {"body": message}},
        "custom": {"service": service},
    }
    _post(f"{url}/api/1/item/", {"access_token": "a" * 32, "data": data})


def _post(url: str, document: Any) -> None:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(document).encode(), headers), timeout=PATIENCE) as answer:
        assert answer.status == 200


@contextmanager
def observing(project: Any, *arguments: str) -> Iterator[str]:
    """A collector of its own process; yields its address."""
    observer = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "observe", *arguments],
        cwd=project.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert observer.stderr is not None
    with observer.stderr:
        try:
            yield observer.stderr.readline().split()[-1].removesuffix("/v1/traces")
        finally:
            observer.terminate()
            assert observer.wait(timeout=PATIENCE) == 0


@contextmanager
def following(project: Any, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody who follows through a pipe; ends him as Ctrl-C does."""
    follower = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "observe", "--follow", *arguments],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield follower
        follower.send_signal(signal.SIGINT)
        assert follower.wait(timeout=PATIENCE) == 130
    finally:
        follower.kill()
        follower.communicate()


def said(follower: subprocess.Popen[str]) -> str:
    assert follower.stderr is not None
    return follower.stderr.readline().rstrip("\n")


def told(follower: subprocess.Popen[str]) -> str:
    assert follower.stdout is not None
    return follower.stdout.readline().rstrip("\n")


def test_it_follows_the_collector_that_runs_and_prints_what_is_asked_for(project: Any) -> None:
    with observing(project) as url:
        before = send(url, "shop-api", "GET /before")
        wanted = ("--service", "api", "--min", "2.5", "--last", "1", "--json", "--only", "traces")
        with following(project, *wanted) as follower:
            assert said(follower) == f"Following {url}"
            assert said(follower).startswith("Page: http://localhost:")
            assert json.loads(told(follower))["trace_id"] == before
            send(url, "worker", "another service")
            send(url, "shop-api", "too quick", milliseconds=2)
            send_item(url, "shop-api", "no trace")
            trace_id = send(url, "shop-api", "GET /after\x1b[2J", failed=True)
            line = told(follower)
            assert "\x1b" not in line
            view = json.loads(line)
            assert (view["event"], view["trace_id"], view["error"]) == ("trace", trace_id, True)
            assert view["name"] == "GET /after\x1b[2J"


def test_in_a_pipe_it_is_plain_columns_a_line_each(project: Any) -> None:
    with observing(project) as url, following(project) as follower:
        assert said(follower) == f"Following {url}"
        trace_id = send(
            url, "shop-api", "GET /\x1b[2J\n\u2028not a line of ours", milliseconds=20_000, failed=True
        )
        moment, service, *rest = told(follower).split(None, 2)
        assert time.strptime(moment.partition(".")[0], "%H:%M:%S")
        assert service == "shop-api"
        assert rest == [f"trace     20.0 s  {trace_id[-8:]}  ! GET /\\x1b[2J\\n\\x2028not a line of ours"]
        send_item(url, "worker", "It broke", level="warning")
        assert told(follower).split(None, 2)[1:] == [
            "worker",
            "error                         warning: It broke",
        ]


@pytest.mark.slow
def test_it_waits_for_a_collector_that_stops_and_misses_nothing(project: Any) -> None:
    with observing(project) as url:
        follower = following(project)
        watching = follower.__enter__()
        assert said(watching) == f"Following {url}"
        send(url, "api", "first")
        assert "first" in told(watching)
    assert said(watching).startswith("Page: ")
    assert "waiting for it" in said(watching)
    watching.send_signal(signal.SIGSTOP)
    with observing(project) as url:
        send(url, "api", "missed")
        watching.send_signal(signal.SIGCONT)
        assert said(watching) == f"Following {url}"
        assert "missed" in told(watching)
        send(url, "api", "second")
        assert "second" in told(watching)
        follower.__exit__(None, None, None)


def test_where_none_runs_it_starts_one_and_both_end_with_ctrl_c(project: Any) -> None:
    environ: Any = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    del environ["NO_COLOR"]
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bootstrap", "observe", "--follow", "--keep", "2", "--size", "64"],
        env=environ,
        cwd=str(project.root),
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(24, 200),
    )
    child.expect("No collector ran here: this one receives at (http://[0-9.:]+)\r\n")
    assert isinstance(child.match, re.Match)
    url = str(child.match[1])
    child.expect("Page: http://localhost:[0-9]+/[?]token=")
    send(url, "shop-api", "GET /", failed=True)
    child.expect("\x1b\\[3[0-9]mshop-api *\x1b\\[0m")
    child.expect("\x1b\\[31m! GET /\x1b\\[0m")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    with pytest.raises(OSError, match="refused"):
        send(url, "shop-api", "late")


def test_whoever_stops_reading_ends_it(project: Any) -> None:
    with following(project, "--json") as follower:
        url = said(follower).split()[-1]
        assert follower.stdout is not None
        follower.stdout.close()
        send(url, "api", "nobody reads this")
        assert follower.wait(timeout=PATIENCE) == 141
        follower.stdout = None
        follower.returncode = 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--status", "ok"], "--status goes with --follow"),
        (["--last", "0"], "--last goes with --follow"),
        (["--follow", "--only", "traces,bogus"], "'bogus' is not one of traces, logs, errors"),
        (["--follow", "--attribute", "=x"], "'=x' is not NAME=VALUE"),
        (["--follow", "--min", "-1"], "--min"),
        (["--keep", "0"], "--keep"),
    ],
)
def test_what_cannot_be_meant(bootstrap: Any, project: Any, arguments: list[str], words: str) -> None:
    bootstrap("observe", *arguments, cwd=project.root).check(2, words)


def test_options_of_a_collector_that_runs_already_are_refused(bootstrap: Any, project: Any) -> None:
    with observing(project):
        refused = bootstrap("observe", "--follow", "--keep", "3", cwd=project.root)
        refused.check(2, "--keep is for a collector that starts", "bootstrap down")

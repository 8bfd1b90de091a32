"""The app in real server processes."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import ChainMap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from evidence import Counts, settle, tally
from receivers import PATIENCE, AllVendors, OtlpSink, XRayDaemon, sampling_rule
from servers import BACKEND, Serve, Served
from trace_headers import TRUSTED, new_trace_id, sampled, traceparent

AT_THE_END = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}  # milliseconds: no span leaves by itself


def get(server: Served, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=sampled())
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if response.headers.get_content_subtype() == "json" else body
    finally:
        connection.close()


def is_healthy(port: int) -> int:
    command = [sys.executable, "healthcheck.py"]
    return subprocess.run(command, cwd=BACKEND, env={"PORT": str(port)}, check=False).returncode


def test_gunicorn_sends_what_it_has_before_it_stops(serve: Serve, otlp: OtlpSink, xray: XRayDaemon) -> None:
    server = serve("gunicorn", environ={"PORT": "0", **TRUSTED, **otlp.environ, **xray.environ, **AT_THE_END})
    assert get(server, "/api/activities/home")[0] == 200
    assert get(server, "/api/activities/@andrewbrown")[0] == 200
    assert is_healthy(server.port) == 0  # last: it waits three seconds at most, and a worker may boot longer
    assert otlp.inbox.items == []

    assert server.stop() == 0
    names = {span.span.name for span in otlp.inbox.items}
    assert names == {"GET /api/activities/home", "home-activities-mock-data", "GET /api/activities/@<handle>"}
    assert len(otlp.inbox.items) == 3
    assert len(xray.inbox.wait_for(2)) == 2
    assert is_healthy(server.port) == 1


def test_without_vendors_gunicorn_says_nothing_unusual(serve: Serve) -> None:
    server = serve("gunicorn", "app:create_app()", environ={"PORT": "0", "HOST": "", "FLASK_DEBUG": ""})
    assert get(server, "/api/activities/home")[0] == 200
    assert server.stop() == 0
    assert [line for line in server.log() if "[INFO]" not in line] == []


def test_an_app_that_does_not_load_is_the_only_thing_to_read_about(tmp_path: Path) -> None:
    shutil.copytree(BACKEND, tmp_path / "app", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    (tmp_path / "app" / "app.py").write_text("def (\n")
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn"],
        cwd=tmp_path / "app",
        env={"PATH": "", "PORT": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 3
    assert "SyntaxError" in ended.stderr
    assert ended.stderr.count("Traceback") == 1


# What each request is answered with, and leaves: spans, segments, log lines and items.
MIX: list[tuple[str, str, int, Counts]] = [
    ("GET", "/rollbar/test", 200, (1, 1, 1, 1)),
    *[("GET", "/api/activities/home", 200, (2, 1, 2, 0))] * 7,
    *[("GET", "/api/activities/@andrewbrown", 200, (1, 1, 2, 0))] * 5,
    *[("POST", "/api/activities", 200, (1, 1, 2, 0))] * 3,
    *[("GET", "/api/activities/@", 422, (1, 1, 1, 0))] * 2,
    *[("GET", "/nowhere", 404, (1, 1, 1, 0))] * 2,
]
CONNECTIONS, REQUESTS = 8, 1000
BODY = json.dumps({"message": "made up", "ttl": "1-day"})


def ask_many(server: Served, headers: Callable[[], dict[str, str]]) -> dict[str, Counts]:
    """Answer the id of every request, and what it must leave."""

    def client(number: int) -> dict[str, Counts]:
        due = {}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for request in range(number, REQUESTS, CONNECTIONS):
            method, path, status, counts = MIX[request // CONNECTIONS % len(MIX)]
            connection.request(method, path, BODY, {"Content-Type": "application/json", **headers()})
            response = connection.getresponse()
            response.read()
            assert response.status == status
            due[response.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")] = counts
        connection.close()
        return due

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        due = dict(ChainMap(*pool.map(client, range(CONNECTIONS))))
    assert len(due) == REQUESTS
    return due


def check_all_arrived(everything: AllVendors, due: dict[str, Counts]) -> None:
    settle(everything)
    arrived = tally(everything)
    assert {trace_id: arrived.get(trace_id) for trace_id in due} == due
    assert sum(items for *_, items in due.values()) >= 50


def both_headers() -> dict[str, str]:
    trace_id = new_trace_id()
    return traceparent(trace_id) | sampled(trace_id)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_after_a_thousand_requests_everything_arrives(
    serve: Serve, everything: AllVendors, workers: str
) -> None:
    environ = {**everything.environ, **TRUSTED, **AT_THE_END, "PORT": "0", "WEB_CONCURRENCY": workers}
    server = serve("gunicorn", environ=environ)
    due = ask_many(server, both_headers)
    assert everything.honeycomb.inbox.items == []
    assert server.stop() == 0
    check_all_arrived(everything, due)
    assert tally(everything).keys() == due.keys()
    assert not [line for line in server.log() if re.search("Traceback|WARNING|ERROR", line)]


@pytest.mark.slow
def test_a_rule_that_samples_all_leaves_out_none(serve: Serve, everything: AllVendors) -> None:
    everything.xray.rules = [sampling_rule("everything", reservoir=0, rate=1.0)]
    server = serve("gunicorn", environ={"PORT": "0", **everything.environ})
    deadline = time.monotonic() + PATIENCE
    while "everything" not in str(
        everything.xray.inbox.items[-1:]
    ):  # the first ones are faster than the rules
        assert time.monotonic() < deadline
        get(server, "/api/activities/home")
        settle(everything)
    due = ask_many(server, dict)
    assert server.stop() == 0
    check_all_arrived(everything, due)


def copied(folder: Path) -> Path:
    """Copy the service's own files, to be changed."""
    return shutil.copytree(BACKEND, folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))


def test_a_changed_source_reloads_in_development_and_nothing_is_sent_twice(
    serve: Serve, everything: AllVendors, tmp_path: Path
) -> None:
    folder = copied(tmp_path / "copy")
    environ = {**everything.environ, **TRUSTED, **AT_THE_END, "PORT": "0", "FLASK_DEBUG": "1"}
    server = serve("gunicorn", environ=environ, folder=folder)
    assert get(server, "/api/activities/home")[0] == 200

    source = folder / "services" / "home_activities.py"
    changed = source.read_text().replace("The first trace", "The second trace")
    seen = len(server.log())
    deadline = time.monotonic() + PATIENCE
    while len(server.log()) == seen:
        assert time.monotonic() < deadline, server.log()
        source.write_text(changed)  # again and again: a change before the first look is none
        time.sleep(0.1)
    server.wait_for_log("Booting worker", after=seen)
    assert len(everything.honeycomb.inbox.wait_for(2)) == 2
    assert get(server, "/api/activities/home")[1][0]["message"] == "The second trace has arrived!"
    assert server.stop() == 0
    settle(everything)
    assert list(tally(everything).values()) == [(2, 1, 2, 0)] * 2


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_flask_run_sends_everything_once(serve: Serve, everything: AllVendors, debug: list[str]) -> None:
    environ = {**everything.environ, **TRUSTED}
    server = serve("flask", "--app", "app", "run", "--port", "0", *debug, environ=environ)
    assert get(server, "/api/activities/home")[0] == 200
    assert get(server, "/rollbar/test")[0] == 200
    if debug:  # the reloader kills the process that serves
        for receiver, count in zip(everything.by_name.values(), (3, 2, 3, 1), strict=True):
            receiver.inbox.wait_for(count)
    server.stop(signal.SIGINT)
    settle(everything)
    assert sorted(tally(everything).values()) == [(1, 1, 1, 1), (2, 1, 2, 0)]


def test_a_client_that_stalls_does_not_keep_telemetry_back(serve: Serve, otlp: OtlpSink) -> None:
    held = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}  # nothing leaves before the end
    server = serve("gunicorn", environ={"PORT": "0", **otlp.environ, **held})
    assert get(server, "/api/activities/home")[0] == 200
    with socket.create_connection(("127.0.0.1", server.port)) as stalling:
        stalling.sendall(b"GET /api/activities/home HTTP/1.1\r\nHost: a\r\n")
        assert get(server, "/api/activities/home")[0] == 200  # by then a thread waits for the other client
        started = time.monotonic()
        server.stop()
    assert time.monotonic() - started < 10  # then Compose kills
    assert otlp.inbox.count == 4

"""The app in real server processes."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from receivers import PATIENCE, OtlpSink, XRayDaemon
from servers import BACKEND, Serve, Served
from trace_headers import TRUSTED, sampled


def get(server: Served, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=sampled())
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def is_healthy(port: int) -> int:
    command = [sys.executable, "healthcheck.py"]
    return subprocess.run(command, cwd=BACKEND, env={"PORT": str(port)}, check=False).returncode


def test_gunicorn_sends_what_it_has_before_it_stops(serve: Serve, otlp: OtlpSink, xray: XRayDaemon) -> None:
    slow = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}  # nothing leaves before the end
    server = serve("gunicorn", environ={"PORT": "0", **TRUSTED, **otlp.environ, **xray.environ, **slow})
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


def test_a_changed_source_reloads_in_development_and_loses_no_span(
    serve: Serve, otlp: OtlpSink, tmp_path: Path
) -> None:
    folder = shutil.copytree(
        BACKEND, tmp_path / "copy", ignore=shutil.ignore_patterns("tests", "__pycache__")
    )
    environ = {"PORT": "0", "FLASK_DEBUG": "1", "OTEL_BSP_SCHEDULE_DELAY": "600000", **otlp.environ}
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
    assert len(otlp.inbox.wait_for(2)) == 2
    assert get(server, "/api/activities/home")[1][0]["message"] == "The second trace has arrived!"
    assert server.stop() == 0


def test_flask_run_works_too(serve: Serve, otlp: OtlpSink) -> None:
    server = serve("flask", "--app", "app", "run", "--port", "0", environ=otlp.environ)
    assert get(server, "/api/activities/home")[0] == 200
    server.stop(signal.SIGINT)
    assert len(otlp.inbox.items) == 2

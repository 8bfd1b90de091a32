"""Two services made by the installed wheel, one calling the other: a request leaves one trace of both."""

import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.evidence import browse
from tests.e2e.machine import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.evidence import Running, Traces
    from tests.e2e.machine import Machine

pytestmark = pytest.mark.slow

#: seconds until both services have reported
_PATIENCE = 30.0


@pytest.fixture
def project(machine: "Machine") -> "Machine":
    """An empty repository, and beside it an environment with nothing but the wheel."""
    machine.clone()
    machine.run(f"{shlex.quote(sys.executable)} -m build --wheel --outdir ../wheel .").ok()
    machine.run("python3 -m venv ../venv && ../venv/bin/pip install --quiet ../wheel/*.whl").ok()
    machine.run("rm -rf cruddur && git init --quiet cruddur", below=".").ok()
    return machine


def test_a_trace_goes_through_both(
    project: "Machine", running: "Callable[[str], Running]", stopwatch: "Callable[[str], None]"
) -> None:
    public, private = free_port(), free_port()

    def bootstrap(command: str) -> str:
        return project.run(f"../venv/bin/bootstrap {command}").ok()

    bootstrap("init --defaults")
    for name, options, port in (
        ("backend-flask", "--public", public),
        ("gateway", "--calls backend-flask", private),
    ):
        said = bootstrap(f"service add {name} --template flask --port {port} {options}")
        assert said.endswith("Next: bootstrap up\n")
    bootstrap("render --check")
    stopwatch("two services made")
    traces = running(bootstrap("up --detach")).traces
    stopwatch("up --detach")
    assert traces.latest() == []  # health checks leave none

    answer = browse(f"http://localhost:{private}/api/upstream")
    assert answer.status == 200, answer
    assert answer.json()["message"] == "Hello from backend-flask!"
    _check_trace(_only_trace(traces))
    stopwatch("one request, and its trace")
    bootstrap("verify")
    stopwatch("verify")
    bootstrap("down")


def _only_trace(traces: "Traces") -> dict[str, Any]:
    """Wait until everything has arrived, or not; there is one trace and no other."""
    deadline = time.monotonic() + _PATIENCE
    whole: dict[str, Any] = {}
    while time.monotonic() < deadline:
        if found := traces.latest():
            (trace,) = found
            whole = traces.read(trace["trace_id"])
            if [len(whole[kind]) for kind in ("spans", "segments", "logs")] == [4, 2, 4]:
                break
        time.sleep(0.2)
    return whole


def _check_trace(trace: dict[str, Any]) -> None:
    """Whose parent is whose: the same chain in OpenTelemetry and in X-Ray; and what both said meanwhile."""
    spans = {(span["service"], span["kind"]): span for span in trace["spans"]}
    request, call = spans["gateway", "server"], spans["gateway", "client"]
    callee, own = spans["backend-flask", "server"], spans["backend-flask", "internal"]
    assert [span["name"] for span in (request, callee, own)] == [
        "GET /api/upstream",
        "GET /api/hello",
        "hello",
    ]
    assert [span["parent_span_id"] for span in (request, call, callee, own)] == [
        None,
        *(span["span_id"] for span in (request, call, callee)),
    ]
    segments = {segment["name"]: segment for segment in trace["segments"]}
    assert len(segments) == len(trace["segments"]) == 2, trace
    assert "parent_id" not in segments["gateway"]
    (remote,) = segments["gateway"]["subsegments"]
    assert (remote["namespace"], remote["http"]["response"]["status"]) == ("remote", 200)
    assert segments["backend-flask"]["parent_id"] == remote["id"]
    lines = sorted((line["service"], line["fields"]["message"]) for line in trace["logs"])
    assert lines == [
        ("backend-flask", "GET /api/hello 200"),
        ("backend-flask", "hello"),
        ("gateway", "GET /api/upstream 200"),
        ("gateway", "upstream answered"),
    ]
    (hello,) = segments["backend-flask"]["subsegments"]
    assert (hello["name"], hello["annotations"]) == ("hello", {"message_length": 25})

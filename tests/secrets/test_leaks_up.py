"""Nothing leaks from what runs: one service has the secrets, the other, the logs, the collector have none."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.secrets.leak_probe import Probe
from tests.secrets.leak_sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = f"""
[project]
name = "shop"

[services.api]
build = "api"
command = "exec {sys.executable} main.py"
telemetry = ["honeycomb"]
secrets = ["DATABASE_URL", "WORKER_KEY"]

[services.worker]
build = "worker"
command = "exec {sys.executable} main.py"
telemetry = ["honeycomb"]

[secrets.DATABASE_URL]
[secrets.WORKER_KEY]
"""
# It prints and reports what it must keep to itself, as a careless service would.
CARELESS = """
import json, os, pathlib, time, urllib.request
values = {name: os.environ.get(name, "not here") for name in ("DATABASE_URL", "WORKER_KEY")}
print("starting with", values["WORKER_KEY"], "and", repr(values), flush=True)
print(values["DATABASE_URL"], flush=True)
span = {
    "traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": "careless", "kind": 1,
    "startTimeUnixNano": str(time.time_ns()), "endTimeUnixNano": str(time.time_ns() + 1),
    "attributes": [{"key": name, "value": {"stringValue": value}} for name, value in values.items()],
}
body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
request = urllib.request.Request(
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
    json.dumps(body).encode(), {"Content-Type": "application/json"},
)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read()
# Beside its folder: what changes in there starts it again.
pathlib.Path(f"../{pathlib.Path.cwd().name}.pid").write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    made = Sweep(tmp_path)
    for service in ("api", "worker"):
        made.shop.write(f"{service}/main.py", CARELESS)
    made.shop.write("bootstrap.toml", MANIFEST)
    made.shop.choose("file", **made.values)
    yield made
    made.shop("down", timeout=120)


def holding(probe: Probe) -> set[int]:
    """The processes that have a value in their environment now."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if probe.finds(path.read_bytes()):
                found.add(int(path.parent.name))
    return found


def pid(sweep: Sweep, service: str) -> int:
    """The process of a service, once it has reported what it knows."""
    file = sweep.shop.root / f"{service}.pid"
    deadline = time.monotonic() + 60
    while not file.exists() or not file.read_text("utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(file.read_text("utf-8"))


def fetch(url: str) -> str:
    """Get a page of the collector's as a program does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return text


def stored(url: str) -> tuple[str, list[Any]]:
    """Everything that the collector shows, once both services' spans are in it."""
    deadline = time.monotonic() + 60
    while len(traces := json.loads(fetch(url.replace("/?", "/api/traces?")))["traces"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    each = [f"/{kind}/{trace['trace_id']}" for kind in ("api/traces", "traces") for trace in traces]
    paths = ["/api/traces", *each, "/", "/traces", "/latency", "/logs", "/errors"]
    return "".join(fetch(url.replace("/?", f"{path}?")) for path in paths), traces


def test_nothing_leaks_from_what_runs(sweep: Sweep) -> None:
    provision = "pr0visi0n" + secrets.token_hex(8)
    sweep.shop.keep("file", HONEYCOMB_CONFIGURATION_KEY=provision)
    for_provision = Probe([provision], [provision])
    with for_provision.watching() as seen, sweep.probe.watching() as seen_too:
        running = sweep.step("up", "--detach", code=0, timeout=240)
        api, worker = pid(sweep, "api"), pid(sweep, "worker")
        found = re.search(r"http://\S+/\?token=\S+", running.err)
        assert found is not None, running.err
        shown, _ = stored(found[0])

    listed = json.loads(sweep.step("status", "--json", code=0).out)
    collector = next(item["pid"] for item in listed if item["service"] == "telemetry")
    # Who declares them has them, and who masks them; not even the one that has started all of them.
    assert worker not in (holders := holding(sweep.probe))
    assert holders == {api, collector}
    assert seen == set()
    assert {what for what in seen_too if what.startswith("arguments")} == set()

    assert "careless" in shown
    assert "[masked]" in shown
    assert not sweep.probe.finds(shown.encode())
    assert not for_provision.finds(shown.encode())

    logs = sweep.step("logs", code=0).out
    assert "starting with [masked] and" in logs
    assert "starting with not here and" in logs
    sweep.look_everywhere()
    sweep.step("down", code=0, timeout=120)
    sweep.look_everywhere()
    assert for_provision.in_files(sweep.shop.home, but=[sweep.shop.place.folder.path / "secrets.json"]) == []

"""What one request to the real backend leaves at the collector, by every vendor's own variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.config.manifest import parse
from bootstrap.model.environment import CollectorAddress, Text
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from tests.collector.conftest import Collector

BACKEND = Path(__file__).parents[2] / "backend-flask"
OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
SERVICE = {"build": ".", "telemetry": list(VENDORS)}

ASK = """
import os, json
from app import create_app
from observability import shut_down
from settings import Settings

app = create_app(Settings.from_environ(os.environ))
ids = {}
for path in ("/api/activities/home", "/rollbar/test"):
    root = app.test_client().get(path).headers["X-Amzn-Trace-Id"]
    ids[path] = root.partition("=")[2]
print(json.dumps([app.extensions["telemetry"], ids]))
shut_down(app, 20)
print(json.dumps({name: vendor.report() for name, vendor in app.extensions["telemetry_running"].items()}))
"""


def environment(collector: Collector, home: Path) -> dict[str, str]:
    address = CollectorAddress(otlp=collector.url, daemon=collector.daemon)
    project = parse({"project": {"name": "cruddur"}, "services": {"web": SERVICE}}, OPTIONS)
    made = {"PATH": os.environ["PATH"], "HOME": str(home), "OTEL_SERVICE_NAME": "web"}
    for vendor in VENDORS.values():
        assert vendor.local is not None
        for variable in vendor.local(project, project.services["web"], address):
            assert isinstance(variable.value, Text)
            made[variable.name] = variable.value.text
    return made


def test_one_id_leads_to_all_that_a_request_has_left(collector: Collector, tmp_path: Path) -> None:
    # What somebody's own shell says is not what counts.
    foreign = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=BACKEND,
        env={**foreign, **environment(collector, tmp_path)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (states, ids), report = map(json.loads, done.stdout.splitlines())
    assert states == dict.fromkeys(VENDORS, "on")
    assert {name: counts["dropped"] for name, counts in report.items()} == dict.fromkeys(report, 0)

    home = collector.trace(ids["/api/activities/home"], spans=2, segments=1, logs=2)
    assert {span["service"] for span in home["spans"]} == {"web"}
    assert [segment["name"] for segment in home["segments"]] == ["web"]
    assert {line["service"] for line in home["logs"]} == {"web"}
    assert {line["group"] for line in home["logs"]} == {"cruddur"}
    assert home["items"] == []

    greeting = collector.trace(ids["/rollbar/test"], spans=1, logs=1, items=1)
    [item] = greeting["items"]
    assert (item["title"], item["level"], item["service"]) == ("Hello World!", "warning", "web")

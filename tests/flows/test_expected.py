"""What the collector is told about where this run sends what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bootstrap.collector.asking.questions import Expected
from bootstrap.config.manifest import parse
from bootstrap.encoding import yaml
from bootstrap.flows import routing
from bootstrap.flows.expected import expected, from_decisions
from bootstrap.flows.routing import Decision
from bootstrap.rendering.overlay import Collector, overlay
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.model.project import Project

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
DECISIONS = [
    Decision("honeycomb", "Honeycomb", "cloud", "it costs $1; to keep it here: type that"),
    Decision("xray", "AWS X-Ray", "local", "chosen"),
    Decision("rollbar", "Rollbar", "off", "nobody takes it"),
]


def project() -> Project:
    services = {
        "web": {"build": ".", "telemetry": ["xray", "honeycomb"], "otel_service_name": "shop-web"},
        "db": {"image": "postgres:17"},
        "api": {"build": ".", "telemetry": ["rollbar"]},
    }
    return parse({"project": {"name": "shop"}, "services": services}, OPTIONS)


def test_each_service_is_listed_with_whom_it_reports_to_and_nobody_else() -> None:
    assert from_decisions(project(), DECISIONS) == (
        Expected("shop-web", "honeycomb", "Honeycomb", "cloud", DECISIONS[0].reason),
        Expected("shop-web", "xray", "AWS X-Ray", "local", "chosen"),
        Expected("api", "rollbar", "Rollbar", "off", "nobody takes it"),
    )


def test_without_a_run_everything_stays_here(tmp_path: Path) -> None:
    state = State(tmp_path, {"XDG_STATE_HOME": str(tmp_path)})
    found = expected(project(), state)
    assert [(each.service, each.vendor, each.where) for each in found] == [
        ("shop-web", "honeycomb", "local"),
        ("shop-web", "xray", "local"),
        ("api", "rollbar", "local"),
    ]
    assert all(f"--telemetry {each.vendor}=cloud" in each.reason for each in found)
    routing.record(state, DECISIONS)
    assert expected(project(), state) == from_decisions(project(), DECISIONS)


def test_a_container_is_told_in_its_environment_as_it_is_read() -> None:
    told = msgspec.json.encode(from_decisions(project(), DECISIONS)).decode()
    collector = Collector("/context", 4318, ["telemetry:4318"], [], ["default"], "0", told)
    written = yaml.block(overlay([], [], collector))
    # Compose makes one of two.
    assert "$$1" in written
    document = overlay([], [], collector)["services"]["telemetry"]["environment"]
    text = document["BOOTSTRAP_COLLECTOR_EXPECTED"].replace("$$", "$")
    assert msgspec.json.decode(text, type=tuple[Expected, ...]) == from_decisions(project(), DECISIONS)

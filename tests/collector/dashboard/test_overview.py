from __future__ import annotations

from typing import Literal

import pytest

from bootstrap.collector.asking.questions import Arrival, Expected
from bootstrap.collector.dashboard.overview import overview


def expected(
    service: str, vendor: str, where: Literal["local", "cloud", "off"], reason: str = ""
) -> Expected:
    return Expected(service, vendor, vendor.title(), where, reason)


def test_what_is_to_arrive_and_what_has() -> None:
    plans = [
        expected("web", "honeycomb", "local"),
        expected("web", "xray", "cloud", "You agreed. Keep it here: bootstrap up --telemetry xray=local"),
        expected("web", "cloudwatch", "off", "Turn it on: bootstrap up"),
        expected("web", "rollbar", "local"),
    ]
    arrivals = [
        Arrival("web", "honeycomb", 1, 5, 3),
        Arrival("", "xray", 1, 2, 1),
        Arrival("api", "xray", 1, 2, 1),
    ]
    seen = overview(plans, arrivals)
    assert [column.title for column in seen.columns] == ["Honeycomb", "Xray", "Cloudwatch", "Rollbar"]
    assert [row.service for row in seen.rows] == ["web", "api", ""]
    cells = seen.rows[0].cells
    assert [cell.state for cell in cells] == ["arrived", "cloud", "off", "waiting"]
    assert (cells[0].last_ns, cells[0].count) == (5, 3)
    assert (cells[2].reason, cells[2].command) == ("Turn it on:", "bootstrap up")
    assert [cell.state for cell in seen.rows[1].cells] == ["none", "arrived", "none", "none"]


@pytest.mark.parametrize(
    ("reason", "words", "command"),
    [
        ("nobody knows", "nobody knows", ""),
        (
            "KEY is not set: bootstrap secrets set KEY (not received here)",
            "KEY is not set (not received here):",
            "bootstrap secrets set KEY",
        ),
    ],
)
def test_what_to_type_stands_apart(reason: str, words: str, command: str) -> None:
    [row] = overview([expected("web", "xray", "off", reason)], []).rows
    assert [(cell.reason, cell.command) for cell in row.cells if cell.state == "off"] == [(words, command)]


def test_whether_anything_is_to_come_here() -> None:
    cloud, off, here = (expected("web", "xray", where) for where in ("cloud", "off", "local"))
    assert overview([cloud], []).elsewhere
    assert not overview([off], []).elsewhere
    assert not overview([here], []).elsewhere
    assert not overview([cloud], [Arrival("api", "xray", 1, 2, 3)]).elsewhere


def test_whether_a_first_request_is_still_to_come() -> None:
    here, cloud = expected("web", "xray", "local"), expected("web", "xray", "cloud")
    logs = expected("web", "cloudwatch", "local")
    line, segment = Arrival("web", "cloudwatch", 1, 2, 3), Arrival("web", "xray", 1, 2, 3)
    assert overview([], []).begins
    assert overview([here, logs], [line]).begins
    assert not overview([here, logs], [line, segment]).begins
    assert not overview([cloud, logs], [line]).begins
    assert not overview([], [line]).begins


def test_a_vendor_of_later_days_has_its_column() -> None:
    seen = overview([], [Arrival("web", "new", 1, 2, 3)])
    assert [column.vendor for column in seen.columns][-1] == "new"
    assert seen.rows[0].cells[-1].count == 3


def test_of_very_many_services_some() -> None:
    seen = overview([], [Arrival(f"s{n:04}", "xray", 1, 2, 3) for n in range(60)])
    assert (len(seen.rows), seen.left_out) == (50, 10)

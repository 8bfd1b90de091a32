"""Bad environments: every route answers, quickly, whatever the vendors' settings are."""

import logging
import socket
import time
from typing import Any

import pytest

from servers import MakeApp

SAMPLED = {"X-Amzn-Trace-Id": "Sampled=1"}
DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


ENVIRONMENTS: dict[str, tuple[dict[str, str], str, str]] = {
    "unset": ({}, "off: ", "off: "),
    "empty": ({OTLP: "", DAEMON: ""}, "off: ", "off: "),
    "garbage": ({OTLP: "http:/nowhere", DAEMON: "no address"}, "off: ", "off: "),
    "no key": ({OTLP: "https://api.honeycomb.io"}, "off: ", "off: "),
    "unresolvable": (
        {OTLP: "http://no.such.host.invalid", DAEMON: "no.such.host.invalid:2000"},
        "on",
        "off: the host",
    ),
    "impossible name": ({DAEMON: f"{70 * 'x'}.invalid:2000"}, "off: ", "off: the host"),
    "closed port": ({OTLP: "http://127.0.0.1:{port}", DAEMON: "127.0.0.1:{port}"}, "on", "on"),
}


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_every_route_answers(make_app: MakeApp, case: str, caplog: pytest.LogCaptureFixture) -> None:
    template, honeycomb, xray = ENVIRONMENTS[case]
    port = closed_port()
    app = make_app({name: value.format(port=port) for name, value in template.items()})
    client = app.test_client()
    health: Any = client.get("/api/health-check").json
    assert health["telemetry"]["honeycomb"].startswith(honeycomb)
    assert health["telemetry"]["xray"].startswith(xray)

    started = time.monotonic()
    for path in ("/api/activities/home", "/api/activities/@andrewbrown", "/api/health-check"):
        for _ in range(10):
            assert client.get(path, headers=SAMPLED).status_code == 200
    assert time.monotonic() - started < 5  # one wait for a vendor in each request would take far longer
    assert not [record for record in caplog.records if record.exc_info]


def test_the_whole_network_name_service_being_away_does_not_stop_the_start(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        app = make_app({DAEMON: "no.such.host.invalid:2000"})
    reason = "the host in AWS_XRAY_DAEMON_ADDRESS cannot be resolved"
    assert app.extensions["telemetry"]["xray"] == f"off: {reason}"
    assert [record.getMessage() for record in caplog.records if record.name == "app"] == [
        f"xray is off: {reason}"
    ]


def test_a_vendor_that_cannot_start_is_off_and_says_so(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "made-up-profile-that-is-nowhere")
    app = make_app({DAEMON: f"127.0.0.1:{closed_port()}"})
    telemetry: Any = app.test_client().get("/api/health-check").json
    expected = "off: it could not start (ProfileNotFound); the log says more"
    assert telemetry["telemetry"]["xray"] == expected
    assert "xray is off: it could not start" in caplog.text
    assert app.test_client().get("/api/activities/@andrewbrown").status_code == 200

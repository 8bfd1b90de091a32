"""Bad environments: every route answers, quickly, whatever the vendors' settings are."""

import socket
import time
from typing import Any

import pytest

from servers import MakeApp

PATHS = (
    *("/api/activities/home", "/api/activities/notifications", "/api/activities/@andrewbrown"),
    *("/rollbar/test", "/api/health-check"),
)
HONEYCOMB, XRAY, ROLLBAR = "OTEL_EXPORTER_OTLP_ENDPOINT", "AWS_XRAY_DAEMON_ADDRESS", "ROLLBAR_ENDPOINT"
CLOUDWATCH = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"
ALL_ON = {
    "TRACE_HEADERS": "trusted",
    "CLOUDWATCH_LOG_GROUP": "cruddur",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "ROLLBAR_ACCESS_TOKEN": "made-up",
}


def everywhere(host: str) -> dict[str, str]:
    url = f"http://{host}"
    return {**ALL_ON, HONEYCOMB: url, XRAY: host, CLOUDWATCH: url, ROLLBAR: f"{url}/api/1/"}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


NOTHING: set[str] = set()
OVER_TCP = {"honeycomb", "cloudwatch", "rollbar"}
IMPOSSIBLE = f"{70 * 'x'}.invalid:2000"
# The environment, and which vendors are on then.
ENVIRONMENTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "unset": ({}, NOTHING),
    "empty": (dict.fromkeys(everywhere(""), ""), NOTHING),
    "garbage": (
        {**ALL_ON, HONEYCOMB: "http:/nowhere", XRAY: "no address", ROLLBAR: "?", "CLOUDWATCH_LOG_GROUP": "?"},
        NOTHING,
    ),
    "unresolvable": (everywhere("no.such.host.invalid:2000"), OVER_TCP | {"xray"}),
    "impossible name": ({**everywhere(IMPOSSIBLE), XRAY: ""}, OVER_TCP),
    "closed port": (everywhere("127.0.0.1:{port}"), OVER_TCP | {"xray"}),
}


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_every_route_answers(make_app: MakeApp, case: str, caplog: pytest.LogCaptureFixture) -> None:
    template, on = ENVIRONMENTS[case]
    port = closed_port()
    app = make_app({name: value.format(port=port) for name, value in template.items()})
    client = app.test_client()
    health: Any = client.get("/api/health-check").json
    assert {vendor for vendor, state in health["telemetry"].items() if state == "on"} == on
    assert all(state.startswith("off: ") for state in health["telemetry"].values() if state != "on")

    trace = f"1-{int(time.time()):08x}-{24 * 'a'}"
    started = time.monotonic()
    for path in PATHS:
        for _ in range(10):
            assert client.get(path, headers={"X-Amzn-Trace-Id": f"Root={trace};Sampled=1"}).status_code == 200
    assert time.monotonic() - started < 10  # one wait for a vendor in each request would take far longer
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_a_name_that_nobody_knows_is_said_once(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app({XRAY: "no.such.host.invalid:2000"})
    assert app.extensions["telemetry"]["xray"] == "on"  # the daemon may come later
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("observability.xray")]
    assert ours == ["the host in AWS_XRAY_DAEMON_ADDRESS cannot be resolved; trying again"]


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({XRAY: "127.0.0.1:2000", "AWS_PROFILE": "made-up-profile-that-is-nowhere"}, "ProfileNotFound"),
        ({XRAY: IMPOSSIBLE}, "ValueError"),
    ],
)
def test_a_vendor_that_cannot_start_is_off_and_says_so(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, environ: dict[str, str], error: str
) -> None:
    app = make_app(environ)
    telemetry: Any = app.test_client().get("/api/health-check").json
    assert telemetry["telemetry"]["xray"] == f"off: it could not start ({error}); the log says more"
    assert "xray is off: it could not start" in caplog.text
    assert app.test_client().get("/api/activities/@andrewbrown").status_code == 200

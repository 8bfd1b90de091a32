"""What the health check says about telemetry."""

import json
from typing import Any

import pytest

import observability
from receivers import PATIENCE, UNAUTHORIZED, AllVendors
from servers import MakeApp
from trace_headers import TRUSTED, sampled

HEALTH = "/api/health-check"


def test_without_settings_it_says_what_is_missing(make_app: MakeApp) -> None:
    response = make_app({}).test_client().get(HEALTH)
    assert response.status_code == 200
    assert response.json == {
        "success": True,
        "service": "backend-flask",
        "telemetry": {
            "honeycomb": "off: OTEL_EXPORTER_OTLP_ENDPOINT is not set",
            "xray": "off: AWS_XRAY_DAEMON_ADDRESS is not set",
            "cloudwatch": "off: CLOUDWATCH_LOG_GROUP is not set",
            "rollbar": "off: ROLLBAR_ACCESS_TOKEN is not set",
        },
        "delivery": {},
        "cors": "off: FRONTEND_URL is not set and BACKEND_URL is not set",
    }
    assert "X-Amzn-Trace-Id" not in response.headers


def test_with_all_settings_it_counts_what_arrives(make_app: MakeApp, everything: AllVendors) -> None:
    app = make_app(
        {**everything.environ, **TRUSTED, "OTEL_SERVICE_NAME": "posts", "FRONTEND_URL": "http://f"}
    )
    client = app.test_client()
    client.get("/api/activities/home", headers=sampled())
    client.get("/rollbar/test", headers=sampled())
    observability.shut_down(app, PATIENCE)

    health: Any = client.get(HEALTH).json
    assert health["service"] == "posts"
    assert health["cors"] == "on, but BACKEND_URL is not set"
    assert health["telemetry"] == dict.fromkeys(everything.by_name, "on")
    sent = {vendor: report["sent"] for vendor, report in health["delivery"].items()}
    assert sent == {"honeycomb": 3, "xray": 2, "cloudwatch": 3, "rollbar": 1}
    assert sent == {vendor: receiver.inbox.count for vendor, receiver in everything.by_name.items()}


def test_it_says_why_something_was_dropped(make_app: MakeApp, everything: AllVendors) -> None:
    everything.set_fault(UNAUTHORIZED)
    app = make_app({**everything.environ, **TRUSTED})
    client = app.test_client()
    client.get("/rollbar/test", headers=sampled())
    observability.shut_down(app, PATIENCE)
    health: Any = client.get(HEALTH).json
    failures = {vendor: report["last_failure"] for vendor, report in health["delivery"].items()}
    assert failures == {
        "honeycomb": "HTTP 401",
        "xray": None,  # over UDP nobody answers
        "cloudwatch": "UnrecognizedClientException",
        "rollbar": "HTTP 403",
    }
    assert health["delivery"]["honeycomb"]["dropped"] == 1


@pytest.mark.parametrize("broken", [False, True])
def test_no_value_is_ever_shown(make_app: MakeApp, everything: AllVendors, *, broken: bool) -> None:
    environ = {
        **everything.environ,
        "TRACE_PROOF_KEY": "made-up-key",
        "ROLLBAR_CODE_VERSION": "made-up-version",
    }
    if broken:
        environ = {name: f'"{value} \xe4' for name, value in environ.items()}
    app = make_app(environ)
    health = json.loads(app.test_client().get(HEALTH).data)
    shown = json.dumps({**health, "service": ""})
    assert set(map(str, health["telemetry"].values())) != {"on"} or not broken
    for value in environ.values():
        assert value not in shown

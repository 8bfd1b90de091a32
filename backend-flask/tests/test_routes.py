"""What a caller sees, with all telemetry off."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from servers import MakeApp

POST = {"uuid", "handle", "message", "created_at", "expires_at"}
COUNTS = {"likes_count", "replies_count", "reposts_count"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app({})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def timestamps(value: Any) -> Iterator[datetime]:
    for activity in value:
        yield from (datetime.fromisoformat(text) for key, text in activity.items() if key.endswith("_at"))
        yield from timestamps(activity.get("replies", []))


def test_home(client: FlaskClient) -> None:
    response = client.get("/api/activities/home")
    assert response.status_code == 200
    first, second, third = response.json or []
    assert first.keys() == POST | COUNTS | {"replies"}
    assert second.keys() == third.keys() == POST | {"likes", "replies"}
    (reply,) = first["replies"]
    assert reply.keys() == POST - {"expires_at"} | COUNTS | {"reply_to_activity_uuid"}
    assert reply["reply_to_activity_uuid"] == first["uuid"]


def test_user_activities(client: FlaskClient) -> None:
    response = client.get("/api/activities/@andrewbrown")
    assert response.status_code == 200
    (activity,) = response.json or []
    assert activity.keys() == POST
    assert activity["handle"] == "andrewbrown"


@pytest.mark.parametrize("path", ["home", "@andrewbrown"])
def test_every_time_has_the_same_zone(client: FlaskClient, path: str) -> None:
    found = list(timestamps(client.get(f"/api/activities/{path}").json))
    assert {time.utcoffset() for time in found} == {timedelta(0)}


@pytest.mark.parametrize("path", ["@", "@%20", "@%09%0A"])
def test_a_blank_handle_is_refused(client: FlaskClient, path: str) -> None:
    response = client.get(f"/api/activities/{path}")
    assert (response.status_code, response.json) == (422, ["blank_user_handle"])


def test_health_says_what_is_off_and_why(client: FlaskClient) -> None:
    response = client.get("/api/health-check")
    assert response.status_code == 200
    assert response.json == {
        "success": True,
        "service": "backend-flask",
        "telemetry": {
            "honeycomb": "off: OTEL_EXPORTER_OTLP_ENDPOINT is not set",
            "xray": "off: AWS_XRAY_DAEMON_ADDRESS is not set",
        },
    }


def test_unknown_paths_and_methods_are_json_errors(client: FlaskClient) -> None:
    response = client.get("/nowhere")
    assert (response.status_code, response.json) == (404, ["not_found"])
    response = client.post("/api/activities/home")
    assert (response.status_code, response.json) == (405, ["method_not_allowed"])
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("debug", [False, True])
def test_an_unhandled_exception_is_a_json_error_that_says_nothing_more(app: Flask, *, debug: bool) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("made-up-secret")

    app.debug = debug
    response = app.test_client().get("/broken")
    assert (response.status_code, response.json) == (500, ["internal_server_error"])


def run_python(code: str) -> str:
    backend = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=backend, check=True, capture_output=True, text=True).stdout


def test_services_know_no_flask() -> None:
    code = "import sys, services.home_activities, services.user_activities; print('flask' in sys.modules)"
    assert run_python(code) == "False\n"


def test_a_vendor_that_is_off_is_not_imported() -> None:
    code = """if True:
        import sys, app, settings
        app.create_app(settings.Settings.from_environ({}))
        vendors = {"opentelemetry.sdk", "requests", "aws_xray_sdk", "botocore"}
        print(vendors & sys.modules.keys())
    """
    assert run_python(code) == "set()\n"

"""The items that arrive at Rollbar, and what they do not hold."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

import observability
from receivers import HEALTHY, PATIENCE, THROTTLED, UNAUTHORIZED, RollbarApi
from servers import MakeApp
from trace_headers import proven

SECRET = "made-up-and-private"
# Whose values nobody shall read: what pyrollbar knows by itself, and what it does not.
NAMES = [
    *["pw", "passwd", "password", "secret", "confirm_password", "confirmPassword", "password_confirmation"],
    *["passwordConfirmation", "access_token", "accessToken", "auth", "authentication", "authorization"],
    *["api_key", "apikey", "apiKey", "api-key", "x-api-key", "auth_token", "aws_access_key_id", "id_token"],
    *["aws_secret_access_key", "aws_session_token", "client_secret", "cookie", "csrf_token", "X-Auth-Token"],
    *["honeycomb_api_key", "HONEYCOMB_API_KEY", "otel_exporter_otlp_headers", "proxy-authorization"],
    *["private_key", "refresh_token", "refreshToken", "rollbar_access_token", "secret_key", "session"],
    *["set-cookie", "token", "x-amz-security-token", "x-csrf-token", "x-honeycomb-team", "X-Honeycomb-Team"],
    *["x-rollbar-access-token", "x-trace-proof", "Cookie"],
]


@pytest.fixture
def app(make_app: MakeApp, rollbar_api: RollbarApi) -> Flask:
    app = make_app({**rollbar_api.environ, "ROLLBAR_CODE_VERSION": "1a2b3c"})

    @app.route("/broken/<int:number>", methods=["GET", "POST"])
    def broken(number: int) -> str:
        raise ZeroDivisionError(f"no posts to share: {number}")

    return app


def flush(app: Flask) -> dict[str, Any]:
    """End the app's telemetry, and answer the account of it."""
    observability.shut_down(app, PATIENCE)
    report: dict[str, Any] = app.extensions["telemetry_running"]["rollbar"].report()
    return report


def test_the_greeting_is_a_warning(app: Flask, rollbar_api: RollbarApi) -> None:
    response = app.test_client().get("/rollbar/test")
    assert response.text == "Hello World!"
    flush(app)
    (item,) = rollbar_api.inbox.items
    assert item["body"] == {"message": {"body": "Hello World!"}}
    assert (item["level"], item["context"]) == ("warning", "/rollbar/test")
    assert item["request"]["url"] == "http://localhost/rollbar/test"
    assert item["environment"] == "testing"
    assert item["custom"].keys() == {"service", "trace_id"}


def test_an_item_outside_of_a_request_names_the_service(app: Flask, rollbar_api: RollbarApi) -> None:
    app.extensions["rollbar_report"]("by a timer", "info")
    flush(app)
    (item,) = rollbar_api.inbox.items
    assert item["custom"] == {"service": "backend-flask"}


def test_an_unhandled_exception_is_an_error_with_its_stack(app: Flask, rollbar_api: RollbarApi) -> None:
    response = app.test_client().get("/broken/7", headers={"User-Agent": "made-up"})
    assert (response.status_code, response.json) == (500, ["internal_server_error"])
    assert flush(app) == {"sent": 1, "dropped": 0, "last_failure": None, "waiting": 0}
    (item,) = rollbar_api.inbox.items
    trace = item["body"]["trace"]
    assert trace["exception"]["class"] == "ZeroDivisionError"
    assert trace["exception"]["message"] == "no posts to share: 7"
    last = trace["frames"][-1]
    assert (Path(last["filename"]).name, last["method"]) == ("test_rollbar.py", "broken")
    assert last["code"].startswith("raise ZeroDivisionError")
    assert last["locals"]["number"] == 7
    assert len(trace["frames"]) > 1

    assert (item["level"], item["framework"], item["context"]) == ("error", "flask", "/broken/<int:number>")
    assert (item["environment"], item["code_version"]) == ("testing", "1a2b3c")
    assert item["server"]["root"] == app.root_path
    assert item["request"]["method"] == "GET"
    assert item["request"]["url"] == "http://localhost/broken/7"
    assert item["request"]["headers"]["User-Agent"] == "made-up"
    assert item["request"]["user_ip"] == "127.0.0.0"  # of the address only the network
    assert response.headers["X-Amzn-Trace-Id"].replace("-", "") == f"Root=1{item['custom']['trace_id']}"


@pytest.mark.parametrize(
    ("path", "status"), [("/api/activities/home", 200), ("/api/messages/@", 422), ("/nowhere", 404)]
)
def test_what_is_answered_is_no_item(app: Flask, rollbar_api: RollbarApi, path: str, status: int) -> None:
    assert app.test_client().get(path).status_code == status
    assert flush(app)["sent"] == 0
    assert rollbar_api.inbox.items == []


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_leaves(app: Flask, rollbar_api: RollbarApi, name: str) -> None:
    @app.post("/login")
    def login() -> str:
        wsgi = f"HTTP_{name.upper().replace('-', '_')}"
        local = {"deep": [{name: SECRET, wsgi: SECRET}], **request.headers, **request.args, **request.form}
        raise ZeroDivisionError(len(local))

    client = app.test_client()
    client.post("/login", query_string={name: SECRET, "a": "visible"}, headers={name: SECRET})
    client.post(
        "/login", data={name: SECRET, "a": "visible"}, headers={"Referer": f"http://h/?{name}={SECRET}"}
    )
    client.post("/login", json={"message": SECRET, name: SECRET})
    client.post(f"/login?{name}={SECRET}&{name}={SECRET}")
    flush(app)
    assert len(rollbar_api.inbox.items) == 4
    for item in rollbar_api.inbox.items:
        last = item["body"]["trace"]["frames"][-1]
        assert "deep" in last["locals"]["local"]
        assert SECRET not in json.dumps(item)
    first, second, *_ = rollbar_api.inbox.items
    assert first["request"]["GET"]["a"] == second["request"]["POST"]["a"] == "*"


def test_a_proof_does_not_leave(app: Flask, rollbar_api: RollbarApi) -> None:
    header = proven("made-up", 32 * "a")
    app.test_client().get("/broken/1", headers=header)
    flush(app)
    (item,) = rollbar_api.inbox.items
    assert header["X-Trace-Proof"] not in json.dumps(item)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_no_body_can_keep_an_item_back(app: Flask, content_type: str) -> None:
    client = app.test_client()
    assert client.post("/broken/1", data=b"\xff" * 1_000_000, content_type=content_type).status_code == 500
    assert client.post("/broken/2", data=b"--x\r\n\r\n\xff", content_type=content_type).status_code == 500
    assert flush(app)["sent"] == 2


@pytest.mark.parametrize("fault", [THROTTLED, UNAUTHORIZED])
def test_the_access_token_is_in_no_log(
    app: Flask, rollbar_api: RollbarApi, caplog: pytest.LogCaptureFixture, fault: Any
) -> None:
    rollbar_api.fault = fault
    with caplog.at_level(logging.DEBUG):
        app.test_client().get("/broken/7")
        report = flush(app)
    assert (report["sent"], report["dropped"]) == (0, 1)
    assert report["last_failure"] == {THROTTLED: "HTTP 429", UNAUTHORIZED: "HTTP 403"}[fault]
    assert rollbar_api.token not in caplog.text + str(report)
    assert "rollbar: 1 items dropped so far, last because HTTP 4" in caplog.text


def test_an_item_is_sent_again_when_rollbar_was_busy(app: Flask, rollbar_api: RollbarApi) -> None:
    rollbar_api.fault = THROTTLED
    app.test_client().get("/broken/7")
    rollbar_api.spoilt.wait_for(1)
    rollbar_api.fault = HEALTHY
    rollbar_api.inbox.wait_for(1)
    assert flush(app)["sent"] == 1


def test_a_client_cannot_make_items_large(app: Flask, rollbar_api: RollbarApi) -> None:
    headers = {f"X-{number}": 8_000 * "\xff" for number in range(90)}
    app.test_client().get("/rollbar/test", headers={**headers, "User-Agent": 8_000 * "a"})
    app.test_client().get(f"/broken/7?{'a' * 8_000}={'b' * 8_000}", headers=headers)
    assert flush(app)["sent"] == 2
    assert all(len(json.dumps(item)) < 30_000 for item in rollbar_api.inbox.items)


def test_an_item_that_is_too_large_is_dropped_and_counted(app: Flask, rollbar_api: RollbarApi) -> None:
    with app.app_context():
        app.extensions["rollbar_report"](200_000 * "a", "error")
    report = flush(app)
    assert (report["sent"], report["dropped"]) == (0, 1)
    assert report["last_failure"] == "an item was too large"
    assert rollbar_api.inbox.items == []

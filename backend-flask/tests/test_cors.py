"""Which pages may call the service from a browser."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import cors
from servers import MakeApp

FRONTEND = "https://3000-made-up.example.org"
BACKEND = "http://localhost:4567"
HOME = "/api/activities/home"
TRACING = "content-type, if-modified-since, traceparent, tracestate, x-amzn-trace-id"


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app({"FRONTEND_URL": FRONTEND, "BACKEND_URL": BACKEND}).test_client()


def preflight(
    client: FlaskClient, origin: str, *, path: str = HOME, headers: str = TRACING, method: str = "GET"
) -> TestResponse:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return client.options(path, headers=asked)


def granted(response: TestResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers if name.startswith("Access-Control-")}


@pytest.mark.parametrize("origin", [FRONTEND, BACKEND])
def test_both_origins_may_call_with_tracing_headers(client: FlaskClient, origin: str) -> None:
    response = preflight(client, origin)
    assert response.status_code == 200
    assert response.access_control_allow_origin == origin
    assert set(response.access_control_allow_methods or ()) == {"OPTIONS", "GET", "HEAD", "POST"}
    assert set(response.access_control_allow_headers or ()) == set(TRACING.split(", "))
    assert response.access_control_allow_credentials is False

    response = client.get(HOME, headers={"Origin": origin})
    assert granted(response) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Link, Location, X-Amzn-Trace-Id",
    }
    assert "Origin" in response.vary


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("GET", "/api/messages", 405),
        ("POST", "/api/messages", 400),
        ("GET", "/api/activities/search", 422),
        ("GET", "/api/broken", 500),
    ],
)
def test_a_page_can_read_errors_too(make_app: MakeApp, method: str, path: str, status: int) -> None:
    app = make_app({"FRONTEND_URL": FRONTEND})

    @app.get("/api/broken")
    def broken() -> str:
        raise ZeroDivisionError

    response = app.test_client().open(path, method=method, headers={"Origin": FRONTEND})
    assert (response.status_code, response.access_control_allow_origin) == (status, FRONTEND)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "https://elsewhere.example.org",
        f"{FRONTEND}.elsewhere.org",
        f"{FRONTEND}:3000",
        f"{FRONTEND}/",
        FRONTEND.replace("https", "http"),
        FRONTEND.replace("made-up.", "made-upx"),
        f"https://elsewhere.example.org,{FRONTEND}",
        f"{FRONTEND}\t",
    ],
)
def test_no_other_origin_may(client: FlaskClient, origin: str) -> None:
    assert granted(preflight(client, origin)) == {}
    assert granted(client.get(HOME, headers={"Origin": origin})) == {}


def test_no_other_header_method_or_path_is_granted(client: FlaskClient) -> None:
    asked = preflight(client, FRONTEND, headers="authorization, baggage, traceparent")
    assert set(asked.access_control_allow_headers or ()) == {"traceparent"}
    assert "Access-Control-Allow-Methods" not in granted(preflight(client, FRONTEND, method="DELETE"))
    assert granted(preflight(client, FRONTEND, path="/rollbar/test")) == {}


def test_who_sends_no_origin_is_told_nothing(client: FlaskClient) -> None:
    assert granted(client.get(HOME)) == {}


@pytest.mark.parametrize("frontend", ["", "*", "https://3000-.", "https://*.example.org", "made-up"])
def test_without_a_usable_origin_nobody_may(make_app: MakeApp, frontend: str) -> None:
    client = make_app({"FRONTEND_URL": frontend}).test_client()
    for origin in ("https://3000-.", "https://elsewhere.example.org", frontend):
        assert granted(preflight(client, origin)) == {}


def test_an_asterisk_is_a_text_like_any_other() -> None:
    app = Flask(__name__)
    cors.register(app, ["*", "https://.*"])
    response = app.test_client().get("/api/", headers={"Origin": FRONTEND})
    assert granted(response) == {}

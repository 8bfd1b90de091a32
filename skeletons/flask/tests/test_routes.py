"""What a caller sees. Needs pytest: python -m pip install pytest && python -m pytest."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server


@pytest.fixture
def other() -> Iterator[str]:
    """Another service on this machine; returns its URL."""
    served = Flask("other")
    served.add_url_rule("/ok", view_func=lambda: {"said": "hello"})
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_healthy_without_telemetry(client: FlaskClient) -> None:
    answer = client.get("/api/health-check")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["service"] == "backend-flask"
    assert set(answer.json["telemetry"].values()) == {"off: not configured"}


def test_it_says_hello(client: FlaskClient) -> None:
    answer = client.get("/api/hello")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["message"] == "Hello from backend-flask!"


def test_it_says_what_another_service_says(app: Flask, client: FlaskClient, other: str) -> None:
    app.config["UPSTREAM_URL"] = f"{other}/ok"
    answer = client.get("/api/upstream")
    assert (answer.status_code, answer.json) == (200, {"said": "hello"})
    app.config["UPSTREAM_URL"] = f"{other}/nothing-here"
    answer = client.get("/api/upstream")
    assert (answer.status_code, answer.json) == (502, ["upstream_failed"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "no URL", "http://[/"])
def test_another_service_that_cannot_be_asked_is_a_bad_gateway(
    app: Flask, client: FlaskClient, url: str
) -> None:
    app.config["UPSTREAM_URL"] = url
    answer = client.get("/api/upstream")
    assert (answer.status_code, answer.json) == (502, ["upstream_failed"])


def test_without_another_service_there_is_nothing_to_ask(client: FlaskClient) -> None:
    answer = client.get("/api/upstream")
    assert (answer.status_code, answer.json) == (404, ["upstream_not_configured"])


def test_an_error_is_reported_only_when_somebody_listens(client: FlaskClient) -> None:
    assert client.get("/api/error-test").json == {"reported": False}


def test_errors_are_json(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json) == (404, ["not_found"])

"""What a caller sees, with all telemetry off."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import pytest
from flask import Flask
from flask.testing import FlaskClient

from examples import LISTS, POSTS
from servers import MakeApp

FOUND = {"uuid", "handle", "message", "created_at"}
POST = FOUND | {"expires_at"}
COUNTS = {"likes_count", "replies_count", "reposts_count"}
NAMED = FOUND | {"display_name"}
TTLS = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app({})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def get(client: FlaskClient, path: str) -> Any:
    response = client.get(path)
    assert (response.status_code, response.content_type) == (200, "application/json")
    return response.json


def post(client: FlaskClient, path: str, body: object) -> Any:
    response = client.post(path, json=body)
    assert (response.status_code, response.content_type) == (200, "application/json")
    return response.json


def times(value: Any) -> Iterator[datetime]:
    if isinstance(value, list):
        for item in value:
            yield from times(item)
    elif isinstance(value, dict):
        yield from (datetime.fromisoformat(text) for key, text in value.items() if key.endswith("_at"))
        yield from times(list(value.values()))


def test_home(client: FlaskClient) -> None:
    first, second, third = get(client, "/api/activities/home")
    assert first.keys() == POST | COUNTS | {"replies"}
    assert second.keys() == third.keys() == POST | {"likes", "replies"}
    (reply,) = first["replies"]
    assert reply.keys() == FOUND | COUNTS | {"reply_to_activity_uuid"}
    assert reply["reply_to_activity_uuid"] == first["uuid"]


def test_notifications(client: FlaskClient) -> None:
    (activity,) = get(client, "/api/activities/notifications")
    assert activity.keys() == POST | COUNTS | {"replies"}
    assert activity["handle"] == "coco"
    (reply,) = activity["replies"]
    assert reply.keys() == FOUND | COUNTS | {"reply_to_activity_uuid"}
    assert reply["reply_to_activity_uuid"] == activity["uuid"]


def test_user_activities(client: FlaskClient) -> None:
    (activity,) = get(client, "/api/activities/@andrewbrown")
    assert activity.keys() == POST
    assert activity["handle"] == "andrewbrown"


def test_search(client: FlaskClient) -> None:
    (activity,) = get(client, "/api/activities/search?term=cloud")
    assert activity.keys() == FOUND


def test_show_activity(client: FlaskClient) -> None:
    (activity,) = get(client, "/api/activities/made-up")
    assert activity.keys() == POST | {"replies"}
    assert activity["uuid"] == "made-up"
    assert activity["replies"].keys() == FOUND


def test_message_groups(client: FlaskClient) -> None:
    for group in get(client, "/api/message_groups"):
        assert group.keys() == NAMED - {"message"}


@pytest.mark.parametrize(
    ("path", "receiver"),
    [
        ("@worf", "worf"),
        ("@worf?user_receiver_handle=", "worf"),
        ("@worf?user_receiver_handle=bayko", "bayko"),
        ("@worf?user_reciever_handle=bayko", "bayko"),
        ("@worf?user_reciever_handle=coco&user_receiver_handle=bayko", "bayko"),
        ("@worf?user_reciever_handle=bayko&user_receiver_handle=%20", "bayko"),
    ],
)
def test_messages(client: FlaskClient, path: str, receiver: str) -> None:
    messages = get(client, f"/api/messages/{path}")
    assert [message.keys() for message in messages] == [NAMED, NAMED]
    assert [message["handle"] for message in messages] == [receiver, "andrewbrown"]


@pytest.mark.parametrize("ttl", TTLS)
def test_create_activity(client: FlaskClient, ttl: str) -> None:
    activity = post(client, "/api/activities", {"message": "x" * 280, "ttl": ttl})
    assert activity.keys() == NAMED | {"expires_at"}
    assert (activity["handle"], activity["display_name"]) == ("andrewbrown", "Andrew Brown")
    assert activity["message"] == "x" * 280
    created, expires = times(activity)
    assert expires - created == TTLS[ttl]
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


def test_create_reply(client: FlaskClient) -> None:
    reply = post(client, "/api/activities/made-up/reply", {"message": "é" * 1024})
    assert reply.keys() == NAMED | {"reply_to_activity_uuid"}
    assert reply["reply_to_activity_uuid"] == "made-up"
    assert reply["message"] == "é" * 1024


@pytest.mark.parametrize(
    "receiver",
    [
        {"user_receiver_handle": "worf"},
        {"user_reciever_handle": "worf"},
        {"user_receiver_handle": None, "user_reciever_handle": "worf"},
        {"user_receiver_handle": "worf", "user_reciever_handle": 5},
    ],
)
def test_create_message(client: FlaskClient, receiver: dict[str, object]) -> None:
    message = post(client, "/api/messages", {"message": "x" * 1024, **receiver})
    assert message.keys() == NAMED
    assert message["handle"] == "andrewbrown"


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_what_is_created_gets_an_id_of_its_own(
    client: FlaskClient, path: str, body: dict[str, object]
) -> None:
    assert len({post(client, path, body)["uuid"] for _ in range(3)}) == 3


def test_every_time_has_the_same_zone(client: FlaskClient) -> None:
    answers = [get(client, path) for path, _ in LISTS] + [post(client, *posted) for posted in POSTS]
    found = [list(times(answer)) for answer in answers]
    assert all(found)
    assert {time.utcoffset() for answer in found for time in answer} == {timedelta(0)}


def test_the_greeting_is_reported_when_somebody_listens(app: Flask) -> None:
    reported: list[tuple[str, str]] = []
    for _ in range(2):  # first nobody listens
        response = app.test_client().get("/rollbar/test")
        assert (response.status_code, response.text, response.mimetype) == (200, "Hello World!", "text/plain")
        app.extensions["rollbar_report"] = lambda message, level: reported.append((message, level))
    assert reported == [("Hello World!", "warning")]


def test_health_says_what_is_off_and_why(client: FlaskClient) -> None:
    health = get(client, "/api/health-check")
    assert health["success"] is True
    assert health["service"] == "backend-flask"
    assert health["telemetry"]["honeycomb"] == "off: OTEL_EXPORTER_OTLP_ENDPOINT is not set"
    assert health["telemetry"]["xray"] == "off: AWS_XRAY_DAEMON_ADDRESS is not set"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/", "/api//activities/home", "/api/activities/@a/b"])
def test_an_unknown_path_is_a_json_error(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json) == (404, ["not_found"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/messages", {"POST", "OPTIONS"}),
        ("GET", "/api/activities", {"POST", "OPTIONS"}),
        ("GET", "/api/activities/made-up/reply", {"POST", "OPTIONS"}),
        ("POST", "/api/activities/home", {"GET", "HEAD", "OPTIONS"}),
        ("BREW", "/api/message_groups", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_a_json_error(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, response.json) == (405, ["method_not_allowed"])
    assert set(response.allow) == allowed


@pytest.mark.parametrize(("path", "_count"), LISTS)
def test_head_and_options_are_answered_without_a_body(client: FlaskClient, path: str, _count: int) -> None:
    for method in ("HEAD", "OPTIONS"):
        response = client.open(path, method=method)
        assert (response.status_code, response.data) == (200, b"")


@pytest.mark.parametrize("debug", [False, True])
def test_an_unhandled_exception_is_a_json_error_that_says_nothing_more(app: Flask, *, debug: bool) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("made-up-secret")

    app.debug = debug
    seen: list[Exception] = []
    with flask.got_request_exception.connected_to(lambda _, exception: seen.append(exception), app):
        response = app.test_client().get("/broken")
    assert (response.status_code, response.json) == (500, ["internal_server_error"])
    assert [type(error) for error in seen] == [ZeroDivisionError]  # whoever reports exceptions hears of it

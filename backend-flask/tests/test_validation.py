"""What the routes refuse, and how every fault is named."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from examples import POSTS
from servers import MakeApp


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app({}).test_client()


def faults(client: FlaskClient, path: str, body: object) -> Any:
    response = client.post(path, json=body)
    assert (response.status_code, response.content_type) == (422, "application/json")
    return response.json


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        ("/api/activities/@", ["blank_user_handle"]),
        ("/api/activities/@%20", ["blank_user_handle"]),
        ("/api/activities/@%09%0A", ["blank_user_handle"]),
        ("/api/activities/%20", ["activity_uuid_blank"]),
        ("/api/activities/search", ["search_term_blank"]),
        ("/api/activities/search?term=%20", ["search_term_blank"]),
        ("/api/messages/@", ["user_reciever_handle_blank"]),
        ("/api/messages/@%20?user_receiver_handle=worf", ["user_reciever_handle_blank"]),
    ],
)
def test_what_is_blank_is_refused(client: FlaskClient, path: str, faults: list[str]) -> None:
    response = client.get(path)
    assert (response.status_code, response.json) == (422, faults)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("", "message_blank"),
        (" \t\n\u2003", "message_blank"),
        (None, "message_blank"),
        (0, "message_not_a_string"),
        (True, "message_not_a_string"),
        ([], "message_not_a_string"),
        ({"message": "x"}, "message_not_a_string"),
        ("x" * 1025, "message_exceed_max_chars"),
        ("half a pair: \ud800", "message_not_unicode"),
    ],
)
@pytest.mark.parametrize(("path", "body"), POSTS)
def test_a_bad_message_is_refused(
    client: FlaskClient, path: str, body: dict[str, object], message: object, fault: str
) -> None:
    assert faults(client, path, body | {"message": message}) == [fault]


def test_an_activity_is_shorter_than_a_message(client: FlaskClient) -> None:
    assert faults(client, "/api/activities", {"ttl": "1-day", "message": "x" * 281}) == [
        "message_exceed_max_chars"
    ]


@pytest.mark.parametrize(
    ("ttl", "fault"),
    [
        ("", "ttl_blank"),
        (None, "ttl_blank"),
        ("2-days", "ttl_blank"),
        (1, "ttl_not_a_string"),
        (["1-day"], "ttl_not_a_string"),
    ],
)
def test_a_bad_ttl_is_refused(client: FlaskClient, ttl: object, fault: str) -> None:
    assert faults(client, "/api/activities", {"message": "made up", "ttl": ttl}) == [fault]


@pytest.mark.parametrize("name", ["user_receiver_handle", "user_reciever_handle"])
@pytest.mark.parametrize(
    ("receiver", "fault"),
    [
        ("", "user_reciever_handle_blank"),
        (None, "user_reciever_handle_blank"),
        (7, "user_reciever_handle_not_a_string"),
        ("\udfff", "user_reciever_handle_not_unicode"),
    ],
)
def test_a_bad_receiver_is_refused(client: FlaskClient, name: str, receiver: object, fault: str) -> None:
    assert faults(client, "/api/messages", {"message": "made up", name: receiver}) == [fault]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/activities", ["ttl_blank", "message_blank"]),
        ("/api/activities/%20/reply", ["activity_uuid_blank", "message_blank"]),
        ("/api/messages", ["user_reciever_handle_blank", "message_blank"]),
    ],
)
def test_every_fault_is_listed(client: FlaskClient, path: str, expected: list[str]) -> None:
    assert faults(client, path, {}) == expected

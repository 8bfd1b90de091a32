"""Whatever is sent, the answer is a client error in JSON or a clean answer, and never a 500."""

import json
import re
import socket
from http.client import HTTPResponse
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from receivers import PATIENCE, AllVendors
from servers import MakeApp, Serve
from settings import Settings

LIMIT = 64 * 1024
GOOD = b'{"message": "made up", "ttl": "1-day"}'
FIELDS = b'{"ttl": "1-day", "message": %s}'


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app({}).test_client()


NOT_JSON = {
    "nothing": b"",
    "not JSON": b"made up",
    "cut": GOOD[:-1],
    "more after it": GOOD + b"}",
    "a form": b"message=made+up&ttl=1-day",
    "invalid UTF-8": FIELDS % b'"\xff"',
    "UTF-8 of half a pair": FIELDS % b'"\xed\xa0\x80"',
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "NULs": GOOD.replace(b" ", b"\0"),
    "a NUL in a text": FIELDS % b'"\0"',
    "a line feed in a text": FIELDS % b'"\n"',
    "NaN": FIELDS % b"NaN",
    "Infinity": FIELDS % b"-Infinity",
    "digits": FIELDS % (b"1" * 50_000),
    "deep arrays": b"[" * LIMIT,
    "deep arrays, closed": FIELDS % (b"[" * 30_000 + b"]" * 30_000),
    "deep objects": b'{"a":' * 10_000,
}


@pytest.mark.parametrize("path", ["/api/activities", "/api/activities/made-up/reply", "/api/messages"])
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_a_400(client: FlaskClient, path: str, body: bytes) -> None:
    response = client.post(path, data=body, content_type="application/json")
    assert (response.status_code, response.json) == (400, ["body_not_json"])


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "\xff"],
)
def test_what_is_not_said_to_be_json_is_a_400(client: FlaskClient, content_type: str | None) -> None:
    response = client.post("/api/activities", data=GOOD, content_type=content_type)
    assert (response.status_code, response.json) == (400, ["body_not_json"])


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"]
)
def test_every_way_to_say_json_is_understood(client: FlaskClient, content_type: str) -> None:
    assert client.post("/api/activities", data=GOOD, content_type=content_type).status_code == 200


@pytest.mark.parametrize("body", [b"null", b"[]", b'"message"', b"5", b"1e999", b"true"])
def test_json_that_is_no_object_is_a_422(client: FlaskClient, body: bytes) -> None:
    response = client.post("/api/activities", data=body, content_type="application/json")
    assert (response.status_code, response.json) == (422, ["body_not_an_object"])


USABLE = {
    "an escaped NUL": (rb'"\u0000"', "\0"),
    "an escaped pair": (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
    "a name twice": (b'"first", "message": "last"', "last"),
    "a name nobody knows": (b'"made up", "admin": true', "made up"),
}


@pytest.mark.parametrize(("text", "message"), USABLE.values(), ids=USABLE)
def test_what_is_odd_but_json_is_taken(client: FlaskClient, text: bytes, message: str) -> None:
    response = client.post("/api/activities", data=FIELDS % text, content_type="application/json")
    created: Any = response.json
    assert (response.status_code, created["message"]) == (200, message)


def test_a_body_may_be_so_long_and_no_longer(client: FlaskClient) -> None:
    body = GOOD.ljust(LIMIT)
    assert client.post("/api/activities", data=body, content_type="application/json").status_code == 200
    response = client.post("/api/activities", data=body + b" ", content_type="application/json")
    assert (response.status_code, response.json) == (413, ["request_entity_too_large"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/activities/@%ff", 200),
        ("/api/activities/@%zz%", 200),
        ("/api/activities/@%00", 200),
        ("/api/activities/@%F0%9F%98%80", 200),
        ("/api/activities/@" + "a" * 100_000, 200),
        ("/api/activities/@..", 200),
        ("/api/activities/@%2e%2e%2f%2e%2e", 404),
        ("/api/activities/@@", 200),
        ("/api/activities/search?term=%ff%zz&term", 200),
        ("/api/activities/search?term=%00", 200),
        ("/api/activities/search?%ff=%ff&&&==", 422),
        ("/api/messages/@%ff?user_reciever_handle=%ff", 200),
        ("/api/messages/%40worf", 200),
        ("/api/messages/worf", 404),
    ],
)
def test_odd_paths_and_queries(client: FlaskClient, path: str, status: int) -> None:
    response = client.get(path)
    assert (response.status_code, response.content_type) == (status, "application/json")


SHARED = create_app(Settings())


@given(st.binary(max_size=300), st.text(st.characters(max_codepoint=255), max_size=30))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_body_of_any_type_gets_an_answer(body: bytes, content_type: str) -> None:
    for kind in (content_type.replace("\r", "").replace("\n", ""), "application/json"):
        response = SHARED.test_client().post("/api/messages", data=body, content_type=kind)
        assert response.status_code in {200, 400, 422}
        assert isinstance(response.json, list | dict)


def head(first_line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([first_line, b"Host: localhost", b"Connection: close", *headers, b"", b""])


def posted(body: bytes, *headers: bytes) -> bytes:
    return head(b"POST /api/activities HTTP/1.1", b"Content-Type: application/json", *headers) + body


def sized(body: bytes) -> bytes:
    return posted(body, b"Content-Length: %d" % len(body))


def in_chunks(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return posted(body + end, b"Transfer-Encoding: chunked")


# Each with the status that the application answers with, always in JSON.
ANSWERED = {
    "a good body": (sized(GOOD), 200),
    "1 MB": (sized(b"x" * 1_000_000), 413),
    "1 MB where none is read": (
        head(b"GET /api/message_groups HTTP/1.1", b"Content-Length: 1000000") + b"x" * 1_000_000,
        200,
    ),
    "no length": (posted(b""), 400),
    "invalid UTF-8": (sized(FIELDS % b'"\xff"'), 400),
    "NULs": (sized(bytes(1000)), 400),
    "deep JSON": (sized(b"[" * 60_000), 400),
    "a wrong type": (sized(FIELDS % b"{}"), 422),
    "half a pair": (sized(FIELDS % rb'"\ud800"'), 422),
    "chunks": (in_chunks(GOOD[:9], GOOD[9:]), 200),
    "1 MB in chunks": (in_chunks(*[b"x" * 10_000] * 100), 413),
    "a chunk without a size": (in_chunks(GOOD, end=b"size\r\n\r\n"), 400),
    "a chunk of negative size": (in_chunks(end=b"-1\r\n\r\n"), 400),
    "chunks without an end": (in_chunks(GOOD, end=b""), 400),
    "a cut body": (posted(b"{", b"Content-Length: 9"), 400),
    "bytes in a path": (head(b"GET /api/activities/@%ff%00%zz HTTP/1.1"), 200),
    "bytes in a header": (head(b"GET /api/activities/@a HTTP/1.1", b"User-Agent: \xff\xfe\xf0\x9f"), 200),
    "bytes in a type": (head(b"POST /api/activities HTTP/1.1", b"Content-Type: \xff"), 400),
    "an odd host": (b"GET /api/activities/@a HTTP/1.0\r\nHost: a b<>:\xff\r\n\r\n", 200),
    "no host": (b"GET /api/activities/@a HTTP/1.0\r\n\r\n", 200),
    "an 8 KB header": (head(b"GET /api/activities/@a HTTP/1.1", b"X-Odd: " + b"a" * 8000), 200),
    "a 3 KB handle": (head(b"GET /api/activities/@%s HTTP/1.1" % (b"a" * 3000)), 200),
    "an odd method": (head(b"BREW /api/activities/@a HTTP/1.1"), 405),
    "OPTIONS *": (head(b"OPTIONS * HTTP/1.1"), 404),
    "a whole URL": (head(b"GET http://elsewhere.example.org/api/activities/@a HTTP/1.1"), 200),
}
# What is not HTTP never reaches the application: gunicorn answers, and knows no format but HTML.
REFUSED_BY_GUNICORN = {
    "noise": (b"\0\xff\r\n\r\n", 400),
    "a 100 KB header": (head(b"GET / HTTP/1.1", b"X-Odd: " + b"a" * 100_000), 431),
    "5000 headers": (head(b"GET / HTTP/1.1", *(b"X-%d: a" % n for n in range(5000))), 431),
    "a 100 KB path": (head(b"GET /%s HTTP/1.1" % (b"a" * 100_000)), 414),
    "a NUL in the path": (head(b"GET /api/activities/@\0 HTTP/1.1"), 400),
    "a negative length": (posted(b"", b"Content-Length: -1"), 400),
    "two lengths": (posted(GOOD, b"Content-Length: 1", b"Transfer-Encoding: chunked"), 400),
    "two content types": (posted(b"", b"Content-Type: text/plain"), 400),
    "HTTP 9": (head(b"GET / HTTP/9.9"), 400),
}


def answer(port: int, request: bytes) -> tuple[int, str, bytes]:
    """Send these bytes and no more."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has answered already, and hung up
        with HTTPResponse(connection) as response:
            response.begin()
            return response.status, response.headers.get_content_type(), response.read()


def test_over_a_real_socket_with_all_telemetry_on(serve: Serve, everything: AllVendors) -> None:
    server = serve("gunicorn", environ={"PORT": "0", **everything.environ})
    for name, (request, status) in ANSWERED.items():
        found, content_type, body = answer(server.port, request)
        assert (name, found, content_type) == (name, status, "application/json"), body
        assert isinstance(json.loads(body), list | dict)
    for name, (request, status) in REFUSED_BY_GUNICORN.items():
        assert (name, answer(server.port, request)[0]) == (name, status)
    assert answer(server.port, sized(GOOD))[0] == 200
    server.stop()
    assert not [line for line in server.log() if re.search(r"Traceback|\[ERROR\]", line)]

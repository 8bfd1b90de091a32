"""One call of Honeycomb's API: when it is tried again, how long that waits, and what a refusal says."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import RemoteRefusedError, UnreachableError
from bootstrap.model.secret import Secret
from bootstrap.provisioning.honeycomb.client import (
    Client,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    Patience,
)
from tests.stand_ins.server import HangUpError, Request, Response, StandIn, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "a-key-that-nobody-may-see"


class Scripted(StandIn):
    """Gives one answer after the other, and the last one for ever; None hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[Response | None] = []

    def answer(self, _request: Request) -> Response:
        response = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if response is None:
            raise HangUpError
        return response


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def server(running: Scripted) -> Scripted:
    running.requests.clear()
    return running


@pytest.fixture
def told() -> list[str]:
    return []


def client(server: Scripted, told: list[str], attempts: int = 3) -> Client:
    return Client(server.url, Secret(KEY, "file"), Patience(attempts, 5.0, 0.0, told.append))


def busy(headers: Mapping[str, str], status: int = 429) -> Response:
    return Response(status, b'{"error": "rate limited"}', headers)


OK = json_response(200, {"id": "a"})


def test_the_key_goes_in_its_header_and_a_document_as_json(server: Scripted, told: list[str]) -> None:
    server.script = [OK]
    assert client(server, told).call("PUT", "/1/boards/a", {"name": "é"}) == {"id": "a"}
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", "/1/boards/a")
    assert (request.headers["X-Honeycomb-Team"], request.headers["Content-Type"]) == (KEY, "application/json")
    assert json.loads(request.body) == {"name": "é"}
    assert told == []


@pytest.mark.parametrize(
    ("headers", "pause", "seconds"),
    [
        ({"Retry-After": "0"}, 50.0, 0),
        ({"Retry-After": formatdate(time() - 30, usegmt=True)}, 50.0, 0),
        ({"RateLimit": "limit=100, remaining=0, reset=0"}, 50.0, 0),
        ({"RateLimit": "limit=10, remaining=0, reset=50", "Retry-After": "0"}, 50.0, 0),
        ({"RateLimit": "limit=10, remaining=0, reset=1"}, 0.0, 1),
        ({"Retry-After": "soon"}, 0.0, 0),
        ({}, 0.0, 0),
    ],
)
def test_too_many_calls_wait_as_long_as_honeycomb_says(
    headers: dict[str, str], pause: float, seconds: int, server: Scripted, told: list[str]
) -> None:
    server.script = [busy(headers), OK]
    asking = Client(server.url, Secret(KEY, "file"), Patience(3, 5.0, pause, told.append))
    assert asking.call("POST", "/1/boards", {}, repeatable=False) == {"id": "a"}
    assert len(server.requests) == 2
    assert told == [f"Honeycomb asks for fewer calls: try 2 of 3 in {seconds} s"]


@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"RateLimit": "reset=3600"}])
def test_nobody_waits_for_an_hour(headers: dict[str, str], server: Scripted, told: list[str]) -> None:
    server.script = [busy(headers)]
    with pytest.raises(UnreachableError, match="rate limited") as caught:
        client(server, told).read("/1/boards")
    assert caught.value.hint == "Wait for 3600 seconds, then type the same again."
    assert (len(server.requests), told) == (1, [])


@pytest.mark.parametrize("answer", [None, busy({}, 500), busy({}, 503), busy({"Retry-After": "0"}, 503)])
def test_what_does_no_harm_is_tried_again(answer: Response | None, server: Scripted, told: list[str]) -> None:
    server.script = [answer, answer, OK]
    assert client(server, told).read("/1/boards") == {"id": "a"}
    assert len(server.requests) == 3
    assert [text.partition(": ")[2] for text in told] == ["try 2 of 3 in 0 s", "try 3 of 3 in 0 s"]


@pytest.mark.parametrize("answer", [None, busy({}, 500)])
def test_what_could_be_there_twice_is_not(answer: Response | None, server: Scripted, told: list[str]) -> None:
    server.script = [answer, OK]
    with pytest.raises(UnreachableError) as caught:
        client(server, told).call("POST", "/1/boards", {}, repeatable=False)
    assert caught.value.hint
    assert (len(server.requests), told) == (1, [])


@pytest.mark.parametrize("answer", [None, busy({"Retry-After": "0"}), busy({}, 502)])
def test_the_last_try_is_the_last(answer: Response | None, server: Scripted, told: list[str]) -> None:
    server.script = [answer]
    with pytest.raises(UnreachableError) as caught:
        client(server, told).read("/1/boards")
    assert KEY not in f"{caught.value.message} {caught.value.hint}"
    assert (len(server.requests), len(told)) == (3, 2)


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/1/datasets", "Create Datasets"),
        ("/1/columns/a", "Manage Queries and Columns"),
        ("/1/queries/a", "Manage Queries and Columns"),
        ("/1/query_annotations/a/b", "Manage Queries and Columns"),
        ("/1/boards/b", "Manage Public Boards"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_permission(
    status: int, path: str, permission: str, server: Scripted, told: list[str]
) -> None:
    server.script = [json_response(status, {"error": "not allowed"})]
    with pytest.raises(NotAllowedError) as caught:
        client(server, told).call("POST", path, {})
    assert caught.value.message == f"Honeycomb refused POST {path} (HTTP {status}: not allowed)"
    assert caught.value.hint == f"Allow it to the key at Environment > API keys: {permission}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RemoteRefusedError), (404, NotFoundError), (409, ConflictError)]
)
def test_other_refusals_are_told_apart(
    status: int, kind: type[RemoteRefusedError], server: Scripted, told: list[str]
) -> None:
    server.script = [json_response(status, {"error": "no"})]
    with pytest.raises(RemoteRefusedError) as caught:
        client(server, told).read("/1/boards/b")
    assert type(caught.value) is kind
    assert caught.value.hint


_PROBLEM = {
    "error": "The provided input is invalid.",
    "status": 422,
    "title": "The provided input is invalid.",
    "detail": "A field\nis wrong.",
    "type_detail": [{"field": "name", "code": "missing", "description": "cannot be blank"}],
}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            _PROBLEM,
            ": The provided input is invalid.; A field is wrong.; name: cannot be blank",
        ),
        ({"errors": 1}, ""),
        ([], ""),
        ({"error": None, "type_detail": [1, {}]}, ": :"),
        ({"error": "x" * 5000}, ": " + "x" * 300),
    ],
)
def test_honeycombs_own_words_are_passed_on(
    document: Any, words: str, server: Scripted, told: list[str]
) -> None:
    server.script = [json_response(422, document)]
    with pytest.raises(RemoteRefusedError) as caught:
        client(server, told).call("POST", "/1/boards", {})
    assert caught.value.message == f"Honeycomb refused POST /1/boards (HTTP 422{words})"

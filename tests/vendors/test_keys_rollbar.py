"""Rollbar's tokens, as a strict stand-in answers about them; not one item comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors.keys import rollbar
from bootstrap.vendors.keys.rollbar import POSTS, READS
from tests.stand_ins.rollbar import Rollbar, long_token, token
from tests.stand_ins.server import Fixed, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Rollbar]:
    with Rollbar() as server:
        yield server
    assert server.items == []
    assert {request.method for request in server.requests} <= {"GET"}


def asked(server: Rollbar | Fixed, name: str, value: str) -> Remark:
    (remark,) = rollbar.ask({name: value}, {rollbar.ENDPOINT: server.url})
    assert remark.subject == name
    assert value not in f"{remark.text}{remark.hint}"
    return remark


@pytest.mark.parametrize(
    ("name", "scopes", "mark", "words"),
    [
        (POSTS, ("post_server_item",), Mark.OK, "post_server_item"),
        (POSTS, ("post_server_item", "post_client_item"), Mark.OK, "post_server_item, post_client_item"),
        (POSTS, ("post_client_item",), Mark.PROBLEM, "its scope is post_client_item"),
        (POSTS, ("write",), Mark.PROBLEM, "its scope is write"),
        (POSTS, ("read",), Mark.NOTE, "only an item would show"),
        (POSTS, ("read", "post_server_item"), Mark.NOTE, "only an item would show"),
        (READS, ("read",), Mark.OK, "may read"),
        (READS, ("post_server_item",), Mark.PROBLEM, "has to be read"),
    ],
)
def test_each_scope_is_told(
    server: Rollbar, name: str, scopes: tuple[str, ...], mark: Mark, words: str
) -> None:
    for value in (token(), long_token()):
        remark = asked(server, name, server.add(value, *scopes))
        assert remark.mark is mark
        assert words in remark.text


def test_a_token_that_nobody_knows(server: Rollbar) -> None:
    remark = asked(server, POSTS, token())
    assert (remark.mark, "does not know this token" in remark.text) == (Mark.PROBLEM, True)
    assert "post_server_item" in remark.hint


def test_a_refusal_that_quotes_the_token_is_not_passed_on() -> None:
    with Rollbar(echoes=True) as server:
        assert asked(server, READS, token()).mark is Mark.PROBLEM


def test_a_quoted_token_is_never_taken_for_a_scope() -> None:
    value = "read" * 24
    words = f"read scope is required but the access token {value} only has no scopes"
    with Fixed(json_response(403, {"err": 1, "message": words})) as server:
        assert "does not know" in asked(server, POSTS, value).text


@pytest.mark.parametrize(
    "response",
    [
        json_response(429, {"err": 1, "message": "over the limit"}),
        json_response(500, {"err": 1}),
        Response(200, b"pong"),
        Response(301, b"", {"Location": "http://127.0.0.1:9/"}),
    ],
)
def test_no_answer_is_no_verdict(response: Response) -> None:
    with Fixed(response) as server:
        assert asked(server, POSTS, token()).mark is Mark.UNKNOWN


@pytest.mark.parametrize("document", [None, [], {"message": None}, {"message": ["only has read"]}])
def test_a_refusal_of_any_form_is_survived(document: object) -> None:
    with Fixed(json_response(403, document)) as server:
        assert asked(server, POSTS, token()).mark is Mark.PROBLEM


@pytest.mark.parametrize("value", ["", "a" * 64, "0" * 31, "G" * 32])
def test_what_is_no_token_is_sent_nowhere(server: Rollbar, value: str) -> None:
    assert list(rollbar.ask({POSTS: value}, {rollbar.ENDPOINT: server.url})) == []
    assert server.requests == []


def test_nobody_there_is_no_verdict() -> None:
    with Rollbar() as gone:
        pass
    assert asked(gone, POSTS, token()).mark is Mark.UNKNOWN


def test_one_token_for_both_is_noticed() -> None:
    value = token()
    marks = [(remark.subject, remark.mark) for remark in rollbar.inspect({POSTS: value, READS: value})]
    assert marks == [(POSTS, Mark.OK), (READS, Mark.OK), (READS, Mark.NOTE)]
    other = [remark.mark for remark in rollbar.inspect({POSTS: value, READS: long_token()})]
    assert other == [Mark.OK, Mark.OK]

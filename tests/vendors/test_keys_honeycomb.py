"""Honeycomb's keys: told apart by their looks, and by what two strict regions say about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors.honeycomb import ENDPOINTS
from bootstrap.vendors.keys import honeycomb
from bootstrap.vendors.keys.honeycomb import MANAGES, SENDS
from tests.stand_ins.honeycomb import (
    Honeycomb,
    classic_key,
    configuration_key,
    ingest_key,
    letters,
    management_key,
)
from tests.stand_ins.server import Fixed, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def inspected(name: str, key: str) -> Remark:
    (remark,) = honeycomb.inspect({name: key})
    assert remark.subject == name
    assert key not in f"{remark.text}{remark.hint}"
    return remark


@pytest.mark.parametrize(
    ("name", "make", "mark", "words"),
    [
        (SENDS, ingest_key, Mark.OK, "an ingest key"),
        (SENDS, configuration_key, Mark.NOTE, "a configuration key"),
        (SENDS, lambda: letters(20), Mark.NOTE, "a configuration key"),
        (SENDS, lambda: letters(23), Mark.NOTE, "a configuration key"),
        (SENDS, classic_key, Mark.PROBLEM, "dataset header"),
        (SENDS, lambda: ingest_key("ic"), Mark.PROBLEM, "dataset header"),
        (SENDS, lambda: f"hcalk_{letters(26)}", Mark.PROBLEM, "id of a configuration key"),
        (SENDS, lambda: f"hcaik_{letters(26)}", Mark.PROBLEM, "part of an ingest key"),
        (SENDS, management_key, Mark.PROBLEM, "a management key"),
        (SENDS, lambda: management_key().partition(":")[0], Mark.PROBLEM, "id of a management key"),
        (MANAGES, configuration_key, Mark.OK, "a configuration key"),
        (MANAGES, ingest_key, Mark.PROBLEM, "no boards"),
        (MANAGES, classic_key, Mark.PROBLEM, "Classic"),
        (MANAGES, management_key, Mark.PROBLEM, "a management key"),
        (MANAGES, lambda: f"hcblk_{letters(26)}", Mark.PROBLEM, "id of a configuration key"),
    ],
)
def test_each_kind_is_known_by_its_looks(name: str, make: Callable[[], str], mark: Mark, words: str) -> None:
    remark = inspected(name, make())
    assert remark.mark is mark
    assert words in remark.text
    assert (f"bootstrap secrets set {name}" in remark.hint) == (mark is not Mark.OK)


@pytest.mark.parametrize("value", ["", "a b", "a1" * 12, "a" * 19, "hcaik", "HCAIK_" + "a" * 58])
def test_what_is_no_key_is_left_to_others(value: str) -> None:
    assert list(honeycomb.inspect({SENDS: value, "OTHER": value})) == []


@pytest.fixture
def us() -> Iterator[Honeycomb]:
    with Honeycomb() as server:
        yield server


@pytest.fixture
def eu() -> Iterator[Honeycomb]:
    with Honeycomb() as server:
        yield server


def asked(name: str, key: str, us: Honeycomb, eu: Honeycomb | None = None) -> Remark:
    environ = {honeycomb.HERE: us.url} | ({honeycomb.THERE: eu.url} if eu else {})
    (remark,) = honeycomb.ask(ENDPOINTS, "us", {name: key}, environ)
    assert remark.subject == name
    assert key not in f"{remark.text}{remark.hint}"
    return remark


def test_an_ingest_key_that_works(us: Honeycomb, eu: Honeycomb) -> None:
    remark = asked(SENDS, us.add(ingest_key(), "createDatasets"), us, eu)
    assert remark.mark is Mark.OK
    assert (
        remark.text == "works (team acme-shops, environment production); it may: Send Events, Create Datasets"
    )
    assert [request.path for request in us.requests] == ["/1/auth"]
    assert eu.requests == []


def test_an_ingest_key_that_makes_no_datasets(us: Honeycomb) -> None:
    remark = asked(SENDS, us.add(ingest_key()), us)
    assert remark.mark is Mark.NOTE
    assert "lacks: Create Datasets" in remark.text
    assert "new to Honeycomb" in remark.hint


def test_a_configuration_key_that_may_not_send(us: Honeycomb) -> None:
    remark = asked(SENDS, us.add(configuration_key(), "boards", "queries", "columns"), us)
    assert remark.mark is Mark.PROBLEM
    assert "lacks: Send Events" in remark.text
    remark = asked(SENDS, us.add(configuration_key(), "events", "createDatasets"), us)
    assert (remark.mark, remark.text.partition("; ")[2]) == (Mark.OK, "it may: Send Events, Create Datasets")


@pytest.mark.parametrize(
    ("permissions", "mark", "words"),
    [
        ((), Mark.PROBLEM, "lacks: Manage Queries and Columns, Manage Public Boards"),
        (("queries", "boards", "createDatasets"), Mark.PROBLEM, "lacks: Manage Queries and Columns"),
        (("columns", "createDatasets", "privateBoards"), Mark.PROBLEM, "lacks: Manage Public Boards"),
        (("columns", "boards"), Mark.NOTE, "lacks: Create Datasets"),
        (
            ("columns", "boards", "createDatasets"),
            Mark.OK,
            "Manage Queries and Columns, Manage Public Boards",
        ),
    ],
)
def test_what_a_configuration_key_needs(
    us: Honeycomb, permissions: tuple[str, ...], mark: Mark, words: str
) -> None:
    remark = asked(MANAGES, us.add(configuration_key(), *permissions), us)
    assert remark.mark is mark
    assert words in remark.text


def test_an_ingest_key_manages_nothing(us: Honeycomb) -> None:
    assert asked(MANAGES, us.add(ingest_key(), "createDatasets"), us).mark is Mark.PROBLEM


def test_a_key_of_the_other_region(us: Honeycomb, eu: Honeycomb) -> None:
    remark = asked(SENDS, eu.add(ingest_key(), "createDatasets"), us, eu)
    assert remark.mark is Mark.PROBLEM
    assert "the region 'eu'" in remark.text
    assert 'region = "eu"' in remark.hint
    assert (len(us.requests), len(eu.requests)) == (1, 1)


def test_a_key_that_nobody_knows(us: Honeycomb, eu: Honeycomb) -> None:
    remark = asked(SENDS, ingest_key(), us, eu)
    assert remark.mark is Mark.PROBLEM
    assert "does not know this key" in remark.text
    assert (len(us.requests), len(eu.requests)) == (1, 1)


def test_who_chose_another_address_is_asked_nowhere_else(us: Honeycomb) -> None:
    # The other region would be the real one, and the key that of somebody's own proxy.
    assert asked(SENDS, ingest_key(), us).mark is Mark.PROBLEM
    assert len(us.requests) == 1


def test_a_region_that_is_gone_does_not_hide_the_answer_of_the_other(us: Honeycomb) -> None:
    with Honeycomb() as eu:
        pass
    assert asked(SENDS, ingest_key(), us, eu).mark is Mark.PROBLEM


def test_a_classic_key_is_told_by_its_environment(us: Honeycomb) -> None:
    remark = asked(SENDS, us.add(classic_key(), "events", "createDatasets", environment=""), us)
    assert remark.mark is Mark.PROBLEM
    assert "Classic (team acme-shops)" in remark.text


def test_a_management_key_is_asked_in_its_own_way(us: Honeycomb, eu: Honeycomb) -> None:
    remark = asked(SENDS, us.add_management(management_key(), "environments:read", "api-keys:write"), us, eu)
    assert remark.mark is Mark.PROBLEM
    assert "works, as a management key (scopes: environments:read, api-keys:write)" in remark.text
    (request,) = us.requests
    assert request.path == "/2/auth"
    assert "X-Honeycomb-Team" not in request.headers
    assert "does not know" in asked(SENDS, management_key(), us, eu).text


@pytest.mark.parametrize("value", ["hcalk_" + "a" * 26, "not a key", "", "hcaik_" + "a" * 20])
def test_what_is_no_whole_key_is_sent_nowhere(us: Honeycomb, value: str) -> None:
    assert list(honeycomb.ask(ENDPOINTS, "us", {SENDS: value}, {honeycomb.HERE: us.url})) == []
    assert us.requests == []


@pytest.mark.parametrize(
    "response",
    [
        json_response(429, {"error": "Rate Limited"}),
        json_response(500, {"error": "internal"}),
        Response(302, b"", {"Location": "http://127.0.0.1:9/"}),
        Response(200, b"<html>Log in to the network</html>"),
        json_response(200, []),
    ],
)
def test_no_answer_is_no_verdict(response: Response) -> None:
    with Fixed(response) as server:
        (remark,) = honeycomb.ask(ENDPOINTS, "us", {SENDS: ingest_key()}, {honeycomb.HERE: server.url})
    assert remark.mark is Mark.UNKNOWN


@pytest.mark.parametrize(
    "document",
    [{}, {"api_key_access": 1, "environment": "x", "team": []}, {"environment": {"slug": ["e"]}}],
)
def test_an_answer_of_any_form_is_survived(document: object) -> None:
    with Fixed(json_response(200, document)) as server:
        (remark,) = honeycomb.ask(ENDPOINTS, "us", {SENDS: ingest_key()}, {honeycomb.HERE: server.url})
    assert remark.mark in (Mark.NOTE, Mark.PROBLEM)


def test_nobody_there_is_no_verdict() -> None:
    with Honeycomb() as gone:
        pass
    (remark,) = honeycomb.ask(ENDPOINTS, "us", {SENDS: ingest_key()}, {honeycomb.HERE: gone.url})
    assert remark.mark is Mark.UNKNOWN
    assert "cannot be reached" in remark.text


def test_no_repository_chooses_where_a_key_goes() -> None:
    environ = {honeycomb.HERE: "https://honeycomb.example.com"}
    (remark,) = honeycomb.ask(ENDPOINTS, "us", {SENDS: ingest_key()}, environ)
    assert remark.mark is Mark.UNKNOWN
    assert "does not lead to this machine" in remark.text

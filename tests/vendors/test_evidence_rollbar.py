"""What Rollbar shows of an item to each kind of token, and the cause where it shows nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.vendors.keys.rollbar import ENDPOINT, POSTS, READS
from bootstrap.verification.interface import Arrival
from tests.stand_ins.rollbar import Rollbar, long_token, token
from tests.stand_ins.server import Fixed, json_response
from tests.vendors.asking import PAGE, asking, found_in, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.verification.interface import Asking


@pytest.fixture
def rollbar() -> Iterator[Rollbar]:
    with Rollbar(echoes=True) as server:
        yield server


def both(rollbar: Rollbar, *scopes: str) -> Asking:
    posts = rollbar.add(token(), "post_server_item")
    reads = rollbar.add(long_token(), *(scopes or ("read",)))
    return asking({POSTS: posts, READS: reads}, {ENDPOINT: rollbar.url})


def test_an_item_is_read_back(rollbar: Rollbar) -> None:
    given = both(rollbar)
    look = look_at("rollbar", given)
    rollbar.occur("another trace")
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "services.web.probe" in reading.hint
    message = {"message": {"body": "Hello World!"}}
    rollbar.occur(given.probe.trace_id, uuid="u" * 32, level="warning", environment="dev", body=message)
    for _ in range(25):  # more than a page
        rollbar.occur("somebody else's")
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, True)
    assert reading.detail == "an item: Hello World!"
    assert reading.link == f"https://rollbar.com/occurrence/uuid/?uuid={'u' * 32}"
    assert dict(reading.evidence) == {"level": "warning", "environment": "dev", "uuid": "u" * 32}
    assert rollbar.items == []  # what can be read back needs no item of ours


def test_what_came_before_the_probe_is_not_read(rollbar: Rollbar) -> None:
    given = both(rollbar)
    for _ in range(60):
        rollbar.occur("old", ago=3600)
    assert look_at("rollbar", given)().state is Arrival.MISSING
    pages = [request.path for request in rollbar.requests if "instances" in request.path]
    assert pages == ["/api/1/instances/?page=1"]


def test_a_token_that_only_posts_shows_that_items_are_taken_and_no_more(rollbar: Rollbar) -> None:
    given = asking({POSTS: rollbar.add(token(), "post_server_item")}, {ENDPOINT: rollbar.url})
    reading = look_at("rollbar", given)()
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert "bootstrap secrets set ROLLBAR_READ_TOKEN" in reading.hint
    (item,) = rollbar.items
    data = json.loads(item)["data"]
    assert reading.link == f"https://rollbar.com/occurrence/uuid/?uuid={data['uuid']}"
    assert data["custom"] == {"trace_id": given.probe.trace_id}
    assert data["environment"] == "development"


@pytest.mark.parametrize(
    ("name", "scopes", "state", "words"),
    [
        (POSTS, None, Arrival.MISSING, "ROLLBAR_ACCESS_TOKEN Rollbar does not know this token"),
        (POSTS, ("post_client_item",), Arrival.MISSING, "its scope is post_client_item"),
        (READS, None, Arrival.ACCEPTED, "ROLLBAR_READ_TOKEN Rollbar does not know this token"),
        (READS, ("write",), Arrival.ACCEPTED, "its scope is write: it has to be read"),
    ],
)
def test_a_wrong_token_or_scope_is_named(
    rollbar: Rollbar, name: str, scopes: tuple[str, ...] | None, state: Arrival, words: str
) -> None:
    given = both(rollbar)
    wrong = token() if scopes is None else rollbar.add(token(), *scopes)
    reading = look_at("rollbar", asking({**given.values, name: wrong}, given.environ))()
    assert (reading.state, reading.settled) == (state, True)
    assert words in reading.detail
    assert name in reading.hint


def test_who_does_not_answer_is_asked_again() -> None:
    with Fixed(json_response(503, {"err": 1})) as server:
        reading = look_at("rollbar", asking({POSTS: token()}, {ENDPOINT: server.url}))()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert look_at("rollbar", asking({}, {}))().settled


def test_the_collector_s_items_are_found() -> None:
    given = asking({}, {})
    item = {"uuid": "u1", "level": "error", "title": "ValueError: no", "service": None, "environment": "dev"}
    reading = found_in("rollbar", given, {"items": [item, {**item, "service": "another"}]})
    assert (reading.state, reading.link) == (Arrival.ARRIVED, PAGE)
    assert reading.detail == "1 item: ValueError: no"
    assert found_in("rollbar", given, {"items": None}).state is Arrival.MISSING

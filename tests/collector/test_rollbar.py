"""Rollbar's item API as its real client sees it, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.collector.receiving.rollbar import MAX_PAYLOAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.conftest import Collector, Made, Starter

TOKEN = "0123456789abcdef" * 2

CLIENT = """
import sys
import rollbar

rollbar.init(sys.argv[2], "testing", endpoint=sys.argv[1], handler="blocking")
custom = {"custom": {"trace_id": sys.argv[3], "service": "backend-flask"}}
print(rollbar.report_message("Hello World!", "warning", payload_data=custom))
try:
    held = sys.argv[2]
    raise ZeroDivisionError("no posts to share")
except ZeroDivisionError:
    print(rollbar.report_exc_info(payload_data=custom))
try:
    raise KeyError("inner")
except KeyError as inner:
    try:
        raise ValueError("outer") from inner
    except ValueError:
        print(rollbar.report_exc_info(extra_data={"trace_id": sys.argv[3]}))
print(rollbar.report_message("again", extra_data={"trace_id": sys.argv[3]}))
rollbar.wait()
"""


def run_client(collector: Collector, home: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, f"{collector.url}/api/1/", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split()


def data(**more: Any) -> dict[str, Any]:
    return {"environment": "testing", "body": {"message": {"body": "Hello"}}, **more}


def payload(**more: Any) -> dict[str, Any]:
    return {"access_token": TOKEN, "data": data(**more)}


def test_what_the_real_client_sends_is_joined_with_its_trace(
    start_collector: Starter, made: Made, tmp_path: Path
) -> None:
    collector, trace_id = start_collector(), made.trace_id()
    uuids = run_client(collector, tmp_path, TOKEN, trace_id)
    items = collector.trace(trace_id, items=4)["items"]
    assert [item["uuid"] for item in items] == uuids
    assert [item["title"] for item in items] == [
        "Hello World!",
        "ZeroDivisionError: no posts to share",
        "ValueError: outer",
        "again",
    ]
    assert [item["level"] for item in items] == ["warning", "error", "error", "error"]
    assert [item["service"] for item in items] == ["backend-flask", "backend-flask", None, None]
    assert {item["environment"] for item in items} == {"testing"}
    assert items[1]["body"]["body"]["trace"]["exception"]["class"] == "ZeroDivisionError"
    assert items[0]["timestamp"].endswith("Z")
    # A frame's variables held the token, too.
    collector.stop()
    stored = b"".join(path.read_bytes() for path in collector.database.parent.iterdir())
    assert TOKEN.encode() not in stored
    assert b"no posts to share" in stored


def test_a_ping(collector: Collector) -> None:
    answer = collector.request("GET", "/api/1/status/ping")
    assert (answer.status, answer.body) == (200, b"pong")


def test_an_item_sent_twice_is_stored_once(collector: Collector, made: Made) -> None:
    own, trace_id = str(uuid.uuid4()), made.trace_id()
    for _ in range(2):
        answer = collector.item(payload(uuid=own, custom={"trace_id": trace_id}))
        assert answer.json() == {"err": 0, "result": {"id": None, "uuid": own}}
    trace = collector.read(f"/api/traces/{trace_id}").json()
    assert (trace["spans"], trace["segments"], trace["logs"]) == ([], [], [])
    [item] = trace["items"]
    assert item["body"] == data(uuid=own, custom={"trace_id": trace_id})


def test_an_item_gets_an_id_and_a_time_where_it_has_none(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    answer = collector.item(payload(custom={"trace_id": trace_id}, timestamp="yesterday"))
    [item] = collector.read(f"/api/items?trace_id={trace_id}").json()["items"]
    assert item["uuid"] == answer.json()["result"]["uuid"]
    assert item["timestamp"] > "2025"


def test_the_latest_items_of_one_service_and_trace(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    for seconds in (1_700_000_000, 1_700_000_002, 1_700_000_001):
        custom = {"trace_id": trace_id, "service": f"s{trace_id}"}
        collector.item(payload(custom=custom, timestamp=seconds, title=f"at {seconds}"))

    def titles(query: str) -> list[str]:
        return [item["title"] for item in collector.read(f"/api/items?{query}").json()["items"]]

    newest_first = ["at 1700000002", "at 1700000001", "at 1700000000"]
    assert titles(f"service=s{trace_id}") == newest_first
    assert titles(f"trace_id={trace_id}&limit=1") == newest_first[:1]
    assert titles(f"trace_id={trace_id}&service=other") == []
    [first, *_] = collector.read(f"/api/items?trace_id={trace_id}").json()["items"]
    assert (first["timestamp"], first["trace_id"]) == ("2023-11-14T22:13:22.000000Z", trace_id)
    for bad in ("limit=0", "trace_id=nonsense"):
        assert collector.read(f"/api/items?{bad}").status == 400
    assert collector.request("GET", "/api/items").status == 401


def test_the_token_may_come_in_the_header_alone(collector: Collector) -> None:
    assert collector.item({"data": data()}, X_Rollbar_Access_Token=TOKEN).status == 200


TRACE = {"frames": [], "exception": {"class": "E"}}
WRONG: dict[str, tuple[Any, int]] = {
    "no token": ({"data": data()}, 401),
    "an empty token": ({"access_token": "", "data": data()}, 401),
    "not JSON": (b"{", 400),
    "not UTF-8": (b"\xff", 400),
    "nothing": (b"", 400),
    "a list": ([], 400),
    "nested without end": (b"[" * 100_000, 400),
    "no data": ({"access_token": TOKEN}, 422),
    "data as text": ({"access_token": TOKEN, "data": "text"}, 422),
    "no environment": ({"access_token": TOKEN, "data": {"body": data()["body"]}}, 422),
    "a long environment": (payload(environment="e" * 256), 422),
    "an unknown level": (payload(level="fatal"), 422),
    "a level as a list": (payload(level=[]), 422),
    "a long id": (payload(uuid="u" * 37), 422),
    "no body": (payload(body=None), 422),
    "an empty body": (payload(body={}), 422),
    "two bodies": (payload(body={"message": {"body": "a"}, "trace": TRACE}), 422),
    "a message without text": (payload(body={"message": {"body": None}}), 422),
    "an exception without class": (payload(body={"trace": {"frames": [], "exception": {}}}), 422),
    "an empty chain": (payload(body={"trace_chain": []}), 422),
    "nested too deep": (
        json.dumps(payload(custom="deep")).replace('"deep"', "[" * 200 + "]" * 200).encode(),
        422,
    ),
    "too large": (payload(custom={"a": "x" * MAX_PAYLOAD}), 413),
}


@pytest.mark.parametrize(("sent", "status"), WRONG.values(), ids=WRONG.keys())
def test_an_item_that_rollbar_refuses(collector: Collector, sent: Any, status: int) -> None:
    answer = collector.item(sent)
    assert answer.status == status
    assert (answer.json()["err"], TOKEN in answer.json()["message"]) == (1, False)


items = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "environment",
                    "body",
                    "message",
                    "trace",
                    "frames",
                    "exception",
                    "class",
                    "custom",
                    "timestamp",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=50) | st.builds(json.dumps, items).map(str.encode), items)
def test_any_body_is_answered_or_refused(collector: Collector, body: bytes, made_up: Any) -> None:
    assert collector.item(body, X_Rollbar_Access_Token=TOKEN).status in {400, 422}
    assert collector.item({"access_token": TOKEN, "data": made_up}).status in {200, 400, 422}


BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "a stack": ({"trace": TRACE}, "E"),
    "a chain": ({"trace_chain": [TRACE | {"exception": {"class": "A", "message": "b"}}, TRACE]}, "A: b"),
    "a crash": ({"crash_report": {"raw": "first\nsecond"}}, "first"),
    "a long text": ({"message": {"body": "t" * 999}}, "t" * 200),
    "odd characters": ({"message": {"body": "\x00\x1b<script>\ud800"}}, "\x00\x1b<script>?"),
    "a telemetry besides": ({"message": {"body": "a"}, "telemetry": []}, "a"),
}


@pytest.mark.parametrize(("body", "title"), BODIES.values(), ids=BODIES.keys())
def test_every_kind_of_body_has_a_title(
    collector: Collector, made: Made, body: dict[str, Any], title: str
) -> None:
    trace_id = made.trace_id()
    assert collector.item(payload(body=body, custom={"trace_id": trace_id})).status == 200
    [item] = collector.read(f"/api/traces/{trace_id}").json()["items"]
    assert item["title"] == title


def test_a_secret_where_a_title_is_cut_is_masked_whole(start_collector: Starter, made: Made) -> None:
    secret, trace_id = "made-up-hidden-value", made.trace_id()
    collector = start_collector(hidden=(secret,))
    body = {"message": {"body": f"{secret} " * 13}}
    assert collector.item(payload(body=body, custom={"trace_id": trace_id})).status == 200
    [item] = collector.read(f"/api/traces/{trace_id}").json()["items"]
    assert item["title"] == "[masked] " * 13


def test_an_id_is_what_its_sender_likes(collector: Collector, made: Made) -> None:
    uuid = f"a/{made.trace_id()}?#"
    assert collector.item(payload(uuid=uuid)).status == 200
    assert collector.read(f"/api/items/{quote(uuid, safe='')}").json()["uuid"] == uuid


def test_secrets_are_masked_in_items(start_collector: Starter, made: Made) -> None:
    secret = "made-up-hidden-value"
    collector, trace_id = start_collector(hidden=(secret,)), made.trace_id()
    sent = payload(
        environment=secret,
        custom={"trace_id": trace_id, "service": secret, "held": [secret]},
        request={"headers": {"Cookie": "a=b", "X-Rollbar-Access-Token": "short"}},
        body={"message": {"body": f"before {secret}"}},
    )
    assert collector.item(sent).status == 200
    [item] = collector.read(f"/api/traces/{trace_id}").json()["items"]
    assert (item["title"], item["service"], item["environment"]) == (
        "before [masked]",
        "[masked]",
        "[masked]",
    )
    assert item["body"]["custom"]["held"] == ["[masked]"]
    assert set(item["body"]["request"]["headers"].values()) == {"[masked]"}
    collector.stop()
    stored = b"".join(path.read_bytes() for path in collector.database.parent.iterdir())
    assert secret.encode() not in stored

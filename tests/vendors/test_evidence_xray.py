"""Segments read back from a strict X-Ray, and the cause where that is refused."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.verification.interface import Arrival
from tests.stand_ins.sts import Known, key_id, secret_key
from tests.stand_ins.xray import XRay
from tests.vendors.asking import NAME, PAGE, asking, found_in, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.verification.interface import Asking, Reading

ID, SECRET = key_id(), secret_key()
OWN = Known(SECRET, "arn:aws:iam::1:user/u")
SENT = "Successfully sent batch of 1 segments (0.020 seconds)"
FAILED = "Sending segment batch failed with: AccessDeniedException: not authorized"


@pytest.fixture
def xray() -> Iterator[XRay]:
    with XRay() as server:
        server.keys[ID] = OWN
        yield server


def segment(given: Asking, name: str = NAME) -> dict[str, Any]:
    start = given.probe.sent_at
    nested = {"id": secrets.token_hex(8), "name": "nested", "annotations": {"url": "http://here/"}}
    return {
        "id": secrets.token_hex(8),
        "name": name,
        "trace_id": given.probe.xray_id,
        "start_time": start,
        "end_time": start + 0.1,
        "annotations": {"results": 3},
        "subsegments": [{"id": secrets.token_hex(8), "name": "outer", "subsegments": [nested]}],
    }


def ask(xray: XRay, **more: Any) -> Asking:
    values = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    return asking(values, {"AWS_ENDPOINT_URL_XRAY": xray.url}, **more)


def seen(xray: XRay, **more: Any) -> Reading:
    return look_at("xray", ask(xray, **more))()


def line(text: str, ago: float = 0) -> str:
    return f"{datetime.now(UTC) - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%SZ} [Info] {text}"


@pytest.mark.parametrize("searched", [False, True])
def test_a_segment_is_read_back_with_its_annotations(xray: XRay, *, searched: bool) -> None:
    xray.searched, xray.slow = searched, 2
    given = ask(xray, requests=2)
    look = look_at("xray", given)
    assert look().state is Arrival.MISSING
    xray.traces[given.probe.xray_id] = [segment(given)]
    look()
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, False)
    xray.traces[given.probe.xray_id].append(segment(given))
    look()
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, True)
    assert reading.detail == "2 segments, 4 subsegments: outer, nested"
    assert reading.evidence == (("results", "3"), ("url", "http://here/"))
    assert reading.link.startswith(
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#"
    )
    assert reading.link.endswith(f"xray:traces/{given.probe.xray_id}")
    # Which of the two holds the traces is asked once.
    assert xray.calls["GetTraceSegmentDestination"] == 1
    assert bool(xray.calls["BatchGetTraces"]) is not searched


def test_a_segment_of_another_name_says_so(xray: XRay) -> None:
    given = ask(xray)
    xray.traces[given.probe.xray_id] = [segment(given, "4567-workspace.gitpod.io")]
    reading = look_at("xray", given)()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "no segment of it is called 'posts', but: 4567-workspace.gitpod.io" in reading.detail


def test_a_denied_action_is_named(xray: XRay) -> None:
    xray.denied = {"BatchGetTraces"}
    reading = seen(xray)
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert reading.detail.endswith("xray:BatchGetTraces is denied")
    assert reading.hint == "Allow xray:BatchGetTraces on *"


def test_who_may_not_ask_where_traces_are_still_finds_them(xray: XRay) -> None:
    xray.denied = {"GetTraceSegmentDestination"}
    given = ask(xray)
    look = look_at("xray", given)
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "Transaction Search" in reading.detail
    assert reading.hint == "Allow xray:GetTraceSegmentDestination on *"
    xray.traces[given.probe.xray_id] = [segment(given)]
    assert look().state is Arrival.ARRIVED


def test_a_busy_region_is_asked_again(xray: XRay) -> None:
    xray.busy = 2  # as often as one look tries
    given = ask(xray)
    xray.traces[given.probe.xray_id] = [segment(given)]
    look = look_at("xray", given)
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "ThrottledException" in reading.detail
    assert look().state is Arrival.ARRIVED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"region": "eu-central-1"}, "in another region than us-east-1"),
        ({"keys": {}}, "AWS does not know AWS_ACCESS_KEY_ID"),
        (
            {"keys": {ID: replace(OWN, secret=secret_key())}},
            "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
        ),
        ({"keys": {ID: replace(OWN, expired=True)}}, "has expired"),
    ],
)
def test_what_settles_it_is_named(xray: XRay, change: dict[str, Any], words: str) -> None:
    for name, value in change.items():
        setattr(xray, name, value)
    reading = seen(xray)
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert words in reading.detail
    assert reading.hint


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_named(hours: int) -> None:
    with XRay(ahead=timedelta(hours=hours)) as server:
        server.keys[ID] = OWN
        reading = seen(server)
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert "this machine's clock is wrong" in reading.detail


def test_without_keys_nobody_asks(xray: XRay) -> None:
    reading = look_at("xray", asking({}, {"AWS_ENDPOINT_URL_XRAY": xray.url}))()
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert "bootstrap secrets set AWS_ACCESS_KEY_ID" in reading.hint
    assert xray.requests == []


def test_ambient_credentials_are_nobody_s(xray: XRay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key())
    seen(xray)
    assert {request.headers["Authorization"].split("/")[0] for request in xray.requests} == {
        f"AWS4-HMAC-SHA256 Credential={ID}"
    }


def test_the_daemon_is_quoted(xray: XRay) -> None:
    given = ask(
        xray, daemon=[line("Successfully sent batch of 9 segments", 60), line(SENT), "no line of its"]
    )
    xray.traces[given.probe.xray_id] = [segment(given)]
    assert look_at("xray", given)().detail.endswith(f'; the daemon: "{SENT}"')
    assert found_in("xray", given, {}).detail.endswith(f'; the daemon: "{SENT}"')


@pytest.mark.parametrize(
    "words", [FAILED, "Sent batch of 2 segments but had 1 Unprocessed segments", "Unprocessed trace 1-2-3"]
)
def test_a_daemon_that_fails_is_the_cause(xray: XRay, words: str) -> None:
    reading = seen(xray, daemon=[line(FAILED + " of old", 60), line(words)])
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert reading.detail.startswith(f'the daemon could not deliver: "{words}"')
    given = ask(xray, daemon=[line(FAILED), line(SENT)])
    xray.traces[given.probe.xray_id] = [segment(given)]
    assert look_at("xray", given)().state is Arrival.ARRIVED


def test_the_collector_s_segments_are_found() -> None:
    given = asking({}, {})
    reading = found_in("xray", given, {"segments": [segment(given)], "spans": []})
    assert (reading.state, reading.settled, reading.link) == (Arrival.ARRIVED, True, PAGE)
    assert dict(reading.evidence) == {"results": "3", "url": "http://here/"}
    assert found_in("xray", given, {"segments": [{"name": 3}, "?"]}).state is Arrival.MISSING

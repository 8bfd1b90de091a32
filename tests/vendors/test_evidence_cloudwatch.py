"""Log lines read back from moto's CloudWatch Logs, and from answers that moto never gives."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto.server import ThreadedMotoServer

from bootstrap.system.aws import Keys, client
from bootstrap.verification.interface import Arrival
from tests.stand_ins.server import Request, Response, StandIn
from tests.stand_ins.sts import key_id, secret_key
from tests.vendors.asking import PAGE, asking, found_in, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.verification.interface import Asking, Reading

KEYS = Keys(key_id(), secret_key())
VALUES = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def address(url: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": url}


class Logs:
    """One log group at moto, as an application writes to it."""

    def __init__(self, url: str, group: str) -> None:
        self.environ = address(url)
        self.group = group
        self._client = client("logs", region="us-east-1", credentials=KEYS, environ=self.environ)
        self._client.create_log_group(logGroupName=group)
        self._client.create_log_stream(logGroupName=group, logStreamName="web/1")

    def write(self, line: object, ago: float = 0) -> None:
        event = {"timestamp": int((time.time() - ago) * 1000), "message": json.dumps(line)}
        self._client.put_log_events(logGroupName=self.group, logStreamName="web/1", logEvents=[event])

    def asking(self, **more: Any) -> Asking:
        return asking(VALUES, self.environ, cloudwatch={"log_group": self.group}, **more)


def test_lines_are_read_back(moto: str) -> None:
    logs = Logs(moto, "/shop/web")
    given = logs.asking(requests=2)
    look = look_at("cloudwatch", given)
    logs.write({"level": "INFO", "message": "another", "trace_id": "0" * 32})
    logs.write({"message": "of old", "trace_id": given.probe.trace_id}, ago=600)
    assert (look().state, look().settled) == (Arrival.MISSING, False)
    line = {"level": "INFO", "message": "home activities", "results": 3, "trace_id": given.probe.trace_id}
    logs.write(line)
    assert (look().state, look().settled) == (Arrival.ARRIVED, False)
    logs.write({**line, "message": "GET / 200"})
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, True)
    assert reading.detail == "2 lines: home activities"
    assert dict(reading.evidence) == {"level": "INFO", "results": "3"}
    assert "#logsV2:log-groups/log-group/$252Fshop$252Fweb/log-events$3FfilterPattern$3D$2522" in reading.link
    assert given.probe.trace_id in reading.link


def test_a_log_group_that_is_not_there_is_named(moto: str) -> None:
    given = asking(VALUES, address(moto), cloudwatch={"log_group": "nope"})
    reading = look_at("cloudwatch", given)()
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert reading.detail == "there is no log group 'nope' in us-east-1"
    assert "bootstrap provision apply cloudwatch" in reading.hint


class Pages(StandIn):
    """Answers FilterLogEvents page by page, or with one error."""

    def __init__(self, pages: list[list[str]], error: str = "") -> None:
        super().__init__()
        self._pages = pages
        self._error = error

    def answer(self, request: Request) -> Response:
        assert request.headers["X-Amz-Target"] == "Logs_20140328.FilterLogEvents"
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        if self._error:
            document = {"__type": self._error, "message": "User: x is not authorized"}
            return Response(400, json.dumps(document).encode(), kind)
        page = int(json.loads(request.body).get("nextToken", "0"))
        events = [{"message": message, "logStreamName": "s", "eventId": "1"} for message in self._pages[page]]
        answer: dict[str, Any] = {"events": events, "searchedLogStreams": []}
        if page + 1 < len(self._pages):
            answer["nextToken"] = str(page + 1)
        return Response(200, json.dumps(answer).encode(), kind)


def seen(server: StandIn) -> Reading:
    return look_at("cloudwatch", asking(VALUES, address(server.url)))()


def test_an_empty_page_is_not_the_last_one() -> None:
    with Pages([[], [], ["plain words"], []]) as server:
        reading = seen(server)
    assert (reading.state, reading.detail) == (Arrival.ARRIVED, "1 line: plain words")
    assert len(server.requests) == 4


def test_a_denied_action_is_named() -> None:
    with Pages([], "AccessDeniedException") as server:
        reading = seen(server)
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert reading.hint == "Allow logs:FilterLogEvents on arn:aws:logs:us-east-1:*:log-group:shop:*"


@pytest.mark.parametrize(
    ("error", "settled", "words"),
    [
        ("ThrottlingException", False, "ThrottlingException"),
        ("ServiceUnavailableException", False, "ServiceUnavailableException"),
        ("UnrecognizedClientException", True, "AWS does not know AWS_ACCESS_KEY_ID"),
        ("ExpiredTokenException", True, "has expired"),
        ("SomethingNewException", False, "SomethingNewException"),
    ],
)
def test_other_refusals(error: str, words: str, *, settled: bool) -> None:
    with Pages([], error) as server:
        reading = seen(server)
    assert (reading.state, reading.settled) == (Arrival.MISSING, settled)
    assert words in reading.detail


def test_without_keys_nobody_asks() -> None:
    assert look_at("cloudwatch", asking({}, {}))().settled


def test_the_collector_s_lines_are_found() -> None:
    given = asking({}, {})
    line = {"message": "GET / 200", "service": given.probe.otel_name, "fields": {"level": "INFO"}}
    reading = found_in("cloudwatch", given, {"logs": [line, {**line, "service": "another"}]})
    assert (reading.state, reading.settled, reading.link) == (Arrival.ARRIVED, True, PAGE)
    assert reading.detail == "1 line: GET / 200"
    assert reading.evidence == (("level", "INFO"),)
    assert found_in("cloudwatch", given, {}).state is Arrival.MISSING

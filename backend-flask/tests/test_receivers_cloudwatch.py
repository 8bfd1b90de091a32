"""What CloudWatch Logs' stand-in refuses: bad signatures, and what moto refuses, and more."""

import dataclasses
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from calls import Call, logs_call
from receivers import CloudWatchLogs

HOUR = 3_600_000
WHERE = {"logGroupName": "cruddur", "logStreamName": "stream"}


def connect(url: str, **changes: str) -> Any:
    """A client that sends whatever it is told to, once."""
    settings = {"region_name": "eu-central-1", **changes}
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return boto3.client("logs", endpoint_url=url, config=config, **settings)


def outcome(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
    """What came of it, in a form in which two services can agree."""
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return sorted(answer.get("rejectedLogEventsInfo", ()))


def event(hours: float = 0, message: str = "Hello Cloudwatch!") -> dict[str, Any]:
    return {"timestamp": int(time.time() * 1000 + hours * HOUR), "message": message}


def put(*events: dict[str, Any], **where: str) -> tuple[str, dict[str, Any]]:
    return "put_log_events", {**WHERE, **where, "logEvents": list(events)}


NEW = {"logGroupName": "cruddur"}
DECIDED_ALIKE: dict[str, tuple[tuple[str, dict[str, Any]], Any]] = {
    "group exists": (("create_log_group", NEW), "ResourceAlreadyExistsException"),
    "group name too long": (("create_log_group", {"logGroupName": 513 * "a"}), "InvalidParameterException"),
    "stream exists": (("create_log_stream", WHERE), "ResourceAlreadyExistsException"),
    "stream in no group": (
        ("create_log_stream", {**WHERE, "logGroupName": "none"}),
        "ResourceNotFoundException",
    ),
    "no such group": (put(event(), logGroupName="none"), "ResourceNotFoundException"),
    "no such stream": (put(event(), logStreamName="none"), "ResourceNotFoundException"),
    "wrong order": (put(event(), event(-1)), "InvalidParameterException"),
    "streams of no group": (
        ("describe_log_streams", {"logGroupName": "none"}),
        "ResourceNotFoundException",
    ),
    "too many groups": (("describe_log_groups", {"limit": 51}), "InvalidParameterException"),
    "too many streams": (("describe_log_streams", {**NEW, "limit": 51}), "InvalidParameterException"),
    "retention of no group": (
        ("put_retention_policy", {"logGroupName": "none", "retentionInDays": 7}),
        "ResourceNotFoundException",
    ),
    "good": (put(event()), []),
    "largest event and batch": (put(*[event(message=(262_144 - 26) * "a")] * 4), []),
    "same time": (put(*[event()] * 2), []),
    "too old": (put(event(-15 * 24), event(-1)), ["tooOldLogEventEndIndex"]),
    "too new": (put(event(), event(3)), ["tooNewLogEventStartIndex"]),
    "groups": (("describe_log_groups", {"logGroupNamePrefix": "cru"}), []),
    "streams": (("describe_log_streams", NEW), []),
    "retention": (("put_retention_policy", {**NEW, "retentionInDays": 7}), []),
}
MOTO_IS_LAXER = {
    "no events": put(),
    "too many events": put(*[event()] * 10_001),
    "event too large": put(event(message=(262_144 - 25) * "a")),
    "event too large in UTF-8": put(event(message=131_072 * "ä")),
    "batch too large": put(*[event(message=200_000 * "a")] * 6),
    "batch too long": put(event(-25), event()),
    "empty message": put(event(message="")),
    "no time": put({"message": "Hello Cloudwatch!"}),
    "stream name": ("create_log_stream", {**NEW, "logStreamName": "a:b"}),
    "stream name missing": ("create_log_stream", NEW),
    "group name": ("create_log_group", {"logGroupName": "a b"}),
    "retention": ("put_retention_policy", {**NEW, "retentionInDays": 8}),
}


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = connect(f"http://{host}:{port}", aws_access_key_id="any", aws_secret_access_key="any")
    client.create_log_group(logGroupName="cruddur")
    client.create_log_stream(**WHERE)
    yield client
    client.close()
    server.stop()


@pytest.fixture(scope="module")
def ours() -> Iterator[Any]:
    with CloudWatchLogs(group="cruddur") as logs:
        mine = logs.credentials
        client = connect(logs.url, aws_access_key_id=mine.access_key, aws_secret_access_key=mine.secret_key)
        client.create_log_stream(**WHERE)
        yield client
        client.close()


@pytest.mark.parametrize("case", DECIDED_ALIKE)
def test_the_stand_in_decides_as_moto_does(ours: Any, moto: Any, case: str) -> None:
    call, expected = DECIDED_ALIKE[case]
    assert outcome(moto, *call) == expected
    assert outcome(ours, *call) == expected


@pytest.mark.parametrize("case", MOTO_IS_LAXER)
def test_the_stand_in_keeps_limits_that_moto_does_not(ours: Any, case: str) -> None:
    assert outcome(ours, *MOTO_IS_LAXER[case]) == "InvalidParameterException"


def test_events_out_of_time_are_left_out_and_the_others_stored(cloudwatch: CloudWatchLogs) -> None:
    logs_call(cloudwatch, "CreateLogStream", WHERE).send(cloudwatch.port)
    events = [event(-15 * 24), event(-14.5 * 24), event(), event(3)]
    answer = logs_call(cloudwatch, "PutLogEvents", {**WHERE, "logEvents": events}).send(cloudwatch.port)
    rejected = {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3}
    assert answer.json == {"rejectedLogEventsInfo": rejected}
    assert [line.timestamp for line in cloudwatch.inbox.items] == [events[2]["timestamp"]]


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        ("UnrecognizedClientException", {"aws_access_key_id": "AKIAOTHER"}),
        ("InvalidSignatureException", {"aws_secret_access_key": "other"}),
        ("InvalidSignatureException", {"region_name": "us-east-1"}),
    ],
)
def test_wrong_credentials(cloudwatch: CloudWatchLogs, error: str, changes: dict[str, str]) -> None:
    mine = cloudwatch.credentials
    right = {"aws_access_key_id": mine.access_key, "aws_secret_access_key": mine.secret_key}
    client = connect(cloudwatch.url, **(right | changes))
    assert outcome(client, "describe_log_groups", {}) == error
    client.close()
    assert cloudwatch.calls.total() == 0


def now(minutes: int) -> str:
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        ("UnknownOperationException", {"path": "/logs"}),
        ("UnknownOperationException", {"method": "GET"}),
        ("UnknownOperationException", {"headers": {"X-Amz-Target": "Logs_20140328"}}),
        ("UnknownOperationException", {"headers": {"Content-Type": "application/json"}}),
        ("MissingAuthenticationTokenException", {"headers": {"Authorization": None}}),
        ("IncompleteSignatureException", {"headers": {"Authorization": "Bearer made-up"}}),
        ("IncompleteSignatureException", {"headers": {"X-Amz-Date": "today"}}),
        ("InvalidSignatureException", {"headers": {"X-Amz-Date": now(-6)}}),
        ("InvalidSignatureException", {"headers": {"X-Amz-Security-Token": "not signed"}}),
        ("InvalidSignatureException", {"headers": {"X-Amz-Target": "Logs_20140328.CreateLogGroup"}}),
        ("InvalidSignatureException", {"body": b'{"limit": 1}'}),
    ],
)
def test_what_is_not_signed_well(cloudwatch: CloudWatchLogs, error: str, changes: dict[str, Any]) -> None:
    good = logs_call(cloudwatch, "DescribeLogGroups", {})
    headers = {**good.headers, **changes.get("headers", {})}
    changes = {**changes, "headers": {name: value for name, value in headers.items() if value is not None}}
    answer: Any = dataclasses.replace(good, **changes).send(cloudwatch.port)
    assert (answer.status, answer.json["__type"]) == (400, error)
    assert good.send(cloudwatch.port).status == 200


@pytest.mark.parametrize(
    ("error", "operation", "body"),
    [
        ("UnknownOperationException", "DeleteLogGroup", {}),
        ("SerializationException", "DescribeLogGroups", []),
    ],
)
def test_what_is_signed_but_makes_no_sense(
    cloudwatch: CloudWatchLogs, error: str, operation: str, body: Any
) -> None:
    answer = logs_call(cloudwatch, operation, body).send(cloudwatch.port)
    assert (answer.status, answer.json["__type"]) == (400, error)


def test_a_group_that_is_created_anyway_is_seen(cloudwatch: CloudWatchLogs) -> None:
    call: Call = logs_call(cloudwatch, "CreateLogGroup", {"logGroupName": "another"})
    assert call.send(cloudwatch.port).status == 200
    assert cloudwatch.calls["CreateLogGroup"] == 1

"""GetLogEvents and what else reads a log group back, as AWS's own client sees it."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.collector.conftest import Collector

GROUP = "cruddur"
COUNT = 11


@pytest.fixture(scope="module")
def logs(collector: Collector) -> Any:
    return boto3.client(
        "logs",
        endpoint_url=collector.url,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        aws_session_token=collector.token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def stream(logs: Any) -> str:
    name = f"web/{secrets.token_hex(4)}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
    return name


START = int(time.time() * 1000) - 60_000


def put(logs: Any, stream: str, *numbers: int) -> None:
    # Two at a time have the same time.
    events = [{"timestamp": START + number // 2, "message": str(number)} for number in numbers]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def get(logs: Any, stream: str, **more: Any) -> Any:
    return logs.get_log_events(logGroupName=GROUP, logStreamName=stream, **more)


def numbers(answer: Any) -> list[int]:
    return [int(event["message"]) for event in answer["events"]]


@pytest.mark.parametrize("limit", [1, 3, COUNT, COUNT + 1])
def test_a_stream_is_read_in_pages_from_either_end(logs: Any, stream: str, limit: int) -> None:
    put(logs, stream, *range(COUNT))
    for from_head, name in ((True, "nextForwardToken"), (False, "nextBackwardToken")):
        read: list[int] = []
        token = ""
        answer = get(logs, stream, limit=limit, startFromHead=from_head)
        while answer["events"]:
            page = numbers(answer)
            read = read + page if from_head else page + read
            token = answer[name]
            answer = get(logs, stream, limit=limit, startFromHead=from_head, nextToken=token)
        assert read == list(range(COUNT))
        # At the end the token stays the same, which is how clients know.
        assert answer[name] == token


def test_what_comes_later_is_ahead(logs: Any, stream: str) -> None:
    empty = get(logs, stream)
    assert empty["events"] == []
    put(logs, stream, 0, 1, 2)
    after = get(logs, stream, startFromHead=True, nextToken=empty["nextForwardToken"])
    assert numbers(after) == [0, 1, 2]
    put(logs, stream, 3, 4)
    later = get(logs, stream, startFromHead=True, nextToken=after["nextForwardToken"])
    assert numbers(later) == [3, 4]
    before = get(logs, stream, nextToken=later["nextBackwardToken"])
    assert numbers(before) == [0, 1, 2]


def test_a_stretch_of_time_ends_before_its_end(logs: Any, stream: str) -> None:
    put(logs, stream, *range(COUNT))
    assert numbers(get(logs, stream, startTime=START + 1, endTime=START + 3)) == [2, 3, 4, 5]


def test_what_is_looked_for_may_come_newest_first(logs: Any, stream: str) -> None:
    put(logs, stream, *range(COUNT))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, logStreamNames=[stream], startFromHead=False, PaginationConfig={"PageSize": 4}
    )
    assert [number for page in pages for number in numbers(page)] == list(range(COUNT - 1, -1, -1))


@pytest.mark.parametrize("token", ["f", "f/1", "x/1/1", f"f/{2**63}/0", "f/1/1/1", "b/-1/0", "b/\u00b2/0"])
def test_a_token_that_nobody_was_given(logs: Any, stream: str, token: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        get(logs, stream, nextToken=token)


def test_only_streams_that_are_there(logs: Any) -> None:
    for group, name in ((GROUP, "nowhere"), ("nowhere", "web")):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            logs.get_log_events(logGroupName=group, logStreamName=name)


def test_a_retention_can_be_taken_away(logs: Any) -> None:
    group = f"kept-{secrets.token_hex(4)}"
    logs.create_log_group(logGroupName=group)

    def retention() -> int | None:
        [described] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        days: int | None = described.get("retentionInDays")
        return days

    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    assert retention() == 3
    logs.delete_retention_policy(logGroupName=group)
    assert retention() is None
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.delete_retention_policy(logGroupName="nowhere")


def test_a_group_says_how_much_it_holds_and_a_stream_zero(logs: Any) -> None:
    group = f"held-{secrets.token_hex(4)}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="web")
    event = {"timestamp": START, "message": "äöü"}
    logs.put_log_events(logGroupName=group, logStreamName="web", logEvents=[event])
    [described] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["storedBytes"] == 6 + 26
    [of_stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert of_stream["storedBytes"] == 0

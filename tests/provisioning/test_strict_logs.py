"""CloudWatch Logs of the stand-in refuses what AWS refuses and moto forgives; boto3 asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.provisioning.conftest import refused
from tests.stand_ins.aws.logs import RETENTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account

INVALID, MISSING = "InvalidParameterException", "ResourceNotFoundException"


@pytest.fixture
def logs(clients: Callable[..., Any]) -> Any:
    made = clients("logs")
    made.create_log_group(logGroupName="shop", tags={"a": "b"})
    return made


def arn(account: Account, name: str) -> str:
    return f"arn:aws:logs:us-east-1:{account.id}:log-group:{name}"


def test_a_group_is_made_described_and_removed(logs: Any, account: Account) -> None:
    assert logs.list_tags_for_resource(resourceArn=arn(account, "shop"))["tags"] == {"a": "b"}
    (group,) = logs.describe_log_groups(logGroupNamePrefix="sh")["logGroups"]
    assert group["arn"] == arn(account, "shop:*")
    assert "retentionInDays" not in group
    logs.delete_log_group(logGroupName="shop")
    with refused(MISSING):
        logs.delete_log_group(logGroupName="shop")
    with refused(MISSING):
        logs.list_tags_for_resource(resourceArn=arn(account, "shop"))


def test_a_new_group_has_no_tags_of_the_one_before(logs: Any, account: Account) -> None:
    logs.delete_log_group(logGroupName="shop")
    logs.create_log_group(logGroupName="shop")
    assert logs.list_tags_for_resource(resourceArn=arn(account, "shop"))["tags"] == {}


def test_a_group_that_is_there_already(logs: Any) -> None:
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_group(logGroupName="shop")


def test_a_name_that_is_not_allowed(logs: Any) -> None:
    for name in ("x" * 513, "sp ace", "caf\u00e9", "a:b", "a*", "aws/shop"):
        with refused(INVALID):
            logs.create_log_group(logGroupName=name)


def test_names_at_their_limits(logs: Any) -> None:
    for name in ("x" * 512, "/aws/shop", "a.b-c_d#e/F1"):
        logs.create_log_group(logGroupName=name)


def test_a_retention_that_there_is_not(logs: Any) -> None:
    for days in (0, 2, 8, 31, 10000):
        with refused(INVALID, "retention"):
            logs.put_retention_policy(logGroupName="shop", retentionInDays=days)


def test_every_retention_that_there_is(logs: Any) -> None:
    for days in RETENTIONS:
        logs.put_retention_policy(logGroupName="shop", retentionInDays=days)
        assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == days


def test_a_retention_of_what_is_not_there(logs: Any) -> None:
    with refused(MISSING):
        logs.put_retention_policy(logGroupName="nope", retentionInDays=7)


def test_a_tag_that_is_not_allowed(logs: Any, account: Account) -> None:
    for tags in ({"k" * 129: "v"}, {"k": "v" * 257}, {"k": "a,b"}, {"aws:k": "v"}):
        with refused(INVALID):
            logs.create_log_group(logGroupName="other", tags=tags)
        with refused(INVALID):
            logs.tag_resource(resourceArn=arn(account, "shop"), tags=tags)


def test_more_tags_than_fifty(logs: Any) -> None:
    with refused(INVALID):
        logs.create_log_group(logGroupName="other", tags={f"k{number}": "" for number in range(51)})


def test_tags_of_what_is_no_group(logs: Any, account: Account) -> None:
    for name in ("shop:*", "nope", "shop:log-stream:a"):
        code = INVALID if "*" in name else MISSING
        with refused(code):
            logs.list_tags_for_resource(resourceArn=arn(account, name))
        with refused(code):
            logs.tag_resource(resourceArn=arn(account, name), tags={"a": "b"})
        with refused(code):
            logs.untag_resource(resourceArn=arn(account, name), tagKeys=["a"])


def test_a_group_whose_arn_no_tag_can_name(logs: Any, account: Account) -> None:
    """A log group may have a # in its name, and the argument that names an ARN may not."""
    logs.create_log_group(logGroupName="shop#1")
    with refused(INVALID, "pattern"):
        logs.list_tags_for_resource(resourceArn=arn(account, "shop#1"))


def test_events_are_written_and_read_and_their_bytes_are_not_counted_yet(logs: Any) -> None:
    now = int(time.time() * 1000)
    logs.create_log_stream(logGroupName="shop", logStreamName="s")
    logs.put_log_events(
        logGroupName="shop", logStreamName="s", logEvents=[{"timestamp": now, "message": "hello"}]
    )
    (found,) = logs.filter_log_events(logGroupName="shop")["events"]
    assert found["message"] == "hello"
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0
    assert logs.describe_log_streams(logGroupName="shop")["logStreams"][0]["storedBytes"] == 0


def test_events_that_are_too_many_or_out_of_order(logs: Any) -> None:
    now = int(time.time() * 1000)
    logs.create_log_stream(logGroupName="shop", logStreamName="s")
    to = {"logGroupName": "shop", "logStreamName": "s"}
    with refused(INVALID, "chronological"):
        events = [{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]
        logs.put_log_events(**to, logEvents=events)
    with refused(INVALID, "too large"):
        logs.put_log_events(**to, logEvents=[{"timestamp": now, "message": "x" * 1048551}])
    with refused(INVALID):
        logs.put_log_events(**to, logEvents=[{"timestamp": now, "message": "x"}] * 10001)
    with refused(MISSING):
        logs.put_log_events(**{**to, "logStreamName": "t"}, logEvents=[{"timestamp": now, "message": "x"}])


def test_a_stream_of_a_name_that_is_not_allowed(logs: Any) -> None:
    for name in ("a:b", "a*b", "x" * 513):
        with refused(INVALID):
            logs.create_log_stream(logGroupName="shop", logStreamName=name)


def test_a_stream_that_is_there_already_and_one_of_no_group(logs: Any) -> None:
    logs.create_log_stream(logGroupName="shop", logStreamName="s")
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_stream(logGroupName="shop", logStreamName="s")
    with refused(MISSING):
        logs.create_log_stream(logGroupName="nope", logStreamName="s")


def test_groups_come_in_pages(logs: Any) -> None:
    with refused(INVALID):
        logs.describe_log_groups(limit=51)
    for number in range(51):
        logs.create_log_group(logGroupName=f"g{number:02}")
    pages = list(logs.get_paginator("describe_log_groups").paginate())
    assert [len(page["logGroups"]) for page in pages] == [50, 2]

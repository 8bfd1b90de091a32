"""X-Ray of the stand-in refuses what X-Ray refuses; boto3 asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.provisioning.conftest import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account

INVALID = "InvalidRequestException"
RULE = {
    "RuleName": "web",
    "ResourceARN": "*",
    "Priority": 9000,
    "FixedRate": 0.1,
    "ReservoirSize": 5,
    "ServiceName": "web",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
}


@pytest.fixture
def xray(clients: Callable[..., Any]) -> Any:
    return clients("xray")


def test_a_group_is_made_changed_and_removed(xray: Any, account: Account) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    arn = xray.create_group(GroupName="g", FilterExpression='service("a b")', Tags=tags)["Group"]["GroupARN"]
    assert arn.startswith(f"arn:aws:xray:us-east-1:{account.id}:group/g/")
    assert xray.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    xray.update_group(GroupARN=arn, FilterExpression='service("b") OR service("c") {fault}')
    assert (
        xray.get_group(GroupName="g")["Group"]["FilterExpression"] == 'service("b") OR service("c") {fault}'
    )
    xray.delete_group(GroupName="g")
    with refused("ResourceNotFoundException"):
        xray.list_tags_for_resource(ResourceARN=arn)
    again = xray.create_group(GroupName="g")["Group"]["GroupARN"]
    assert again != arn, "nobody can guess a group's ARN"
    assert xray.list_tags_for_resource(ResourceARN=again)["Tags"] == []


def test_regions_have_groups_of_their_own(clients: Callable[..., Any]) -> None:
    clients("xray").create_group(GroupName="g")
    assert len(clients("xray", region="eu-west-1").get_groups()["Groups"]) == 1


def test_a_group_of_a_name_that_is_too_long(xray: Any) -> None:
    with refused(INVALID, "length"):
        xray.create_group(GroupName="x" * 33)


def test_a_group_that_is_there_already(xray: Any) -> None:
    xray.create_group(GroupName="x" * 32)
    with refused(INVALID, "already exists"):
        xray.create_group(GroupName="x" * 32)
    with refused(INVALID, "already exists"):
        xray.create_group(GroupName="Default")


def test_a_twenty_sixth_group(xray: Any) -> None:
    for number in range(25):
        xray.create_group(GroupName=f"g{number}")
    with refused(INVALID, "limit of 25"):
        xray.create_group(GroupName="one more")


def test_a_filter_that_is_none(xray: Any) -> None:
    xray.create_group(GroupName="h")
    for text in ('service("a)', "service(a)", 'services("a")', 'service("a") service("b")', "OR"):
        with refused(INVALID, "filter expression"):
            xray.create_group(GroupName="g", FilterExpression=text)
        with refused(INVALID, "filter expression"):
            xray.update_group(GroupName="h", FilterExpression=text)


def test_a_group_that_is_not_there_or_not_named(xray: Any) -> None:
    for call in (xray.update_group, xray.delete_group, xray.get_group):
        with refused(INVALID, "does not exist"):
            call(GroupName="nope")
        with refused(INVALID, "is needed"):
            call()
        with refused(INVALID, "is needed"):
            call(GroupName="Default", GroupARN="arn:aws:xray:us-east-1:1:group/Default/1")


def test_what_is_awss_own_stays(xray: Any) -> None:
    with refused(INVALID, "default group"):
        xray.delete_group(GroupName="Default")
    with refused(INVALID, "default rule"):
        xray.delete_sampling_rule(RuleName="Default")
    with refused(INVALID, "default rule"):
        xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "Host": "a"})
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": 0.5})


def test_a_rule_is_made_changed_and_removed(xray: Any, account: Account) -> None:
    made = xray.create_sampling_rule(SamplingRule=RULE, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
    assert arn == f"arn:aws:xray:us-east-1:{account.id}:sampling-rule/web"
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0.5})
    records = xray.get_sampling_rules()["SamplingRuleRecords"]
    rules = {record["SamplingRule"]["RuleName"]: record["SamplingRule"] for record in records}
    assert rules["web"] == {**RULE, "RuleARN": arn, "FixedRate": 0.5, "Attributes": {}}
    assert rules["Default"]["Priority"] == 10000
    xray.delete_sampling_rule(RuleName="web")
    with refused("ResourceNotFoundException"):
        xray.list_tags_for_resource(ResourceARN=arn)


def test_a_rule_with_a_field_beyond_its_limit(xray: Any) -> None:
    beyond = {
        "RuleName": "x" * 33,
        "ServiceName": "x" * 65,
        "ServiceType": "x" * 65,
        "Host": "x" * 65,
        "HTTPMethod": "x" * 11,
        "URLPath": "x" * 129,
        "ResourceARN": "x" * 501,
        "Priority": 10000,
        "FixedRate": 1.01,
        "Version": 2,
        "Attributes": dict.fromkeys("abcdef", "x"),
    }
    for field, value in beyond.items():
        with refused(INVALID):
            xray.create_sampling_rule(SamplingRule={**RULE, field: value})


def test_a_rule_without_a_field(by_hand: Callable[[str, Any], str]) -> None:
    assert by_hand("/CreateSamplingRule", {"SamplingRule": RULE}) == ""
    for left_out in RULE:
        given = {name: value for name, value in RULE.items() if name != left_out}
        assert by_hand("/CreateSamplingRule", {"SamplingRule": given}) == INVALID


def test_what_boto3_would_not_send(by_hand: Callable[[str, Any], str], xray: Any) -> None:
    assert by_hand("/CreateGroup", {"GroupName": "g", "Colour": "red"}) == INVALID
    assert by_hand("/CreateGroup", {"GroupName": 7}) == INVALID
    assert by_hand("/CreateGroup", {"GroupName": ""}) == INVALID
    assert by_hand("/CreateGroup", {"GroupName": "g", "Tags": {"a": "b"}}) == INVALID
    assert by_hand("/Nope", {}) == "UnknownOperationException"
    assert by_hand("/Groups", b"[") == "SerializationException"
    assert len(xray.get_groups()["Groups"]) == 1


def test_a_new_rule_has_a_name_and_no_arn(xray: Any) -> None:
    with refused(INVALID, "has a name"):
        xray.create_sampling_rule(SamplingRule={key: RULE[key] for key in RULE if key != "RuleName"})
    with refused(INVALID, "no ARN"):
        arn = "arn:aws:xray:us-east-1:1:sampling-rule/web"
        xray.create_sampling_rule(SamplingRule={**RULE, "RuleARN": arn})


def test_a_rule_that_is_there_already(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    with refused(INVALID, "already exists"):
        xray.create_sampling_rule(SamplingRule=RULE)
    with refused(INVALID, "already exists"):
        xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "Default"})


def test_a_twenty_sixth_rule(xray: Any) -> None:
    for number in range(25):
        xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": f"rule-{number}"})
    with refused("RuleLimitExceededException"):
        xray.create_sampling_rule(SamplingRule=RULE)


def test_a_rule_is_not_changed_beyond_its_limits(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    beyond: tuple[tuple[str, Any], ...] = (
        ("Priority", 0),
        ("Priority", 10000),
        ("FixedRate", 1.5),
        ("ReservoirSize", -1),
        ("Host", "x" * 65),
    )
    for field, value in beyond:
        with refused(INVALID):
            xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "web", field: value})
    records = xray.get_sampling_rules()["SamplingRuleRecords"]
    (rule,) = (each["SamplingRule"] for each in records if each["SamplingRule"]["RuleName"] == "web")
    assert {name: rule[name] for name in RULE} == RULE


def test_a_rule_that_is_not_there_or_not_named(xray: Any) -> None:
    with refused(INVALID, "does not exist"):
        xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "nope"})
    with refused(INVALID, "is needed"):
        xray.update_sampling_rule(SamplingRuleUpdate={"FixedRate": 0.1})
    with refused(INVALID, "does not exist"):
        xray.delete_sampling_rule(RuleName="nope")
    with refused(INVALID, "is needed"):
        xray.delete_sampling_rule()


def test_a_tag_that_is_not_allowed(xray: Any) -> None:
    arn = xray.create_group(GroupName="h")["Group"]["GroupARN"]
    wrong = {"k" * 129: "v", "a": "v" * 257, "b": "a,b", "c": "caf\u00e9", "aws:k": "v", "k(": "v"}
    for key, value in wrong.items():
        tags = [{"Key": key, "Value": value}]
        with refused(INVALID):
            xray.create_group(GroupName="g", Tags=tags)
        with refused(INVALID):
            xray.tag_resource(ResourceARN=arn, Tags=tags)
    assert xray.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_too_many_tags_and_one_twice(xray: Any) -> None:
    arn = xray.create_group(GroupName="g", Tags=[{"Key": "a", "Value": "1"}])["Group"]["GroupARN"]
    fifty = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    with refused("TooManyTagsException"):
        xray.tag_resource(ResourceARN=arn, Tags=fifty)
    with refused(INVALID, "50"):
        xray.create_group(GroupName="h", Tags=[*fifty, {"Key": "x", "Value": ""}])
    with refused(INVALID, "once"):
        xray.create_group(GroupName="h", Tags=[fifty[0], fifty[0]])


def test_tags_are_removed(xray: Any) -> None:
    arn = xray.create_group(GroupName="g", Tags=[{"Key": "a", "Value": "1"}])["Group"]["GroupARN"]
    xray.untag_resource(ResourceARN=arn, TagKeys=["a", "b"])
    assert xray.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_tags_of_what_is_not_there(xray: Any, account: Account) -> None:
    for name in ("group/g/1", "sampling-rule/web"):
        named = {"ResourceARN": f"arn:aws:xray:us-east-1:{account.id}:{name}"}
        with refused("ResourceNotFoundException"):
            xray.tag_resource(**named, Tags=[])
        with refused("ResourceNotFoundException"):
            xray.untag_resource(**named, TagKeys=[])
        with refused("ResourceNotFoundException"):
            xray.list_tags_for_resource(**named)


def test_lists_come_in_pages(xray: Any, account: Account) -> None:
    account.xray().page = 2
    for number in range(4):
        xray.create_group(GroupName=f"g{number}")
    first = xray.get_groups()
    assert len(first["Groups"]) == 2
    pages = list(xray.get_paginator("get_groups").paginate())
    assert [len(page["Groups"]) for page in pages] == [2, 2, 1]
    with refused(INVALID, "NextToken"):
        xray.get_groups(NextToken="nope")


def test_segments_are_kept_until_transaction_search_hides_them(xray: Any, account: Account) -> None:
    segment = '{"trace_id": "1-1-1", "id": "a", "name": "web"}'
    xray.put_trace_segments(TraceSegmentDocuments=[segment])
    assert len(xray.batch_get_traces(TraceIds=["1-1-1"])["Traces"]) == 1
    assert xray.get_trace_segment_destination()["Destination"] == "XRay"
    with refused(INVALID, "Transaction Search"):
        xray.start_trace_retrieval(TraceIds=["1-1-1"], StartTime=0, EndTime=1)
    account.xray().searched = True
    assert xray.batch_get_traces(TraceIds=["1-1-1"])["Traces"] == []
    assert xray.get_trace_segment_destination()["Destination"] == "CloudWatchLogs"
    token = xray.start_trace_retrieval(TraceIds=["1-1-1"], StartTime=0, EndTime=1)["RetrievalToken"]
    assert len(xray.list_retrieved_traces(RetrievalToken=token)["Traces"]) == 1
    with refused("ResourceNotFoundException"):
        xray.list_retrieved_traces(RetrievalToken="nope")


def test_targets_are_given_for_rules_that_are_there(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    counts = {"ClientID": "a" * 24, "Timestamp": 0, "RequestCount": 1, "SampledCount": 1}
    documents = [{"RuleName": name, **counts} for name in ("web", "nope")]
    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=documents)
    assert [each["RuleName"] for each in answer["SamplingTargetDocuments"]] == ["web"]
    assert [each["RuleName"] for each in answer["UnprocessedStatistics"]] == ["nope"]
    with refused(INVALID, "length"):
        xray.get_sampling_targets(SamplingStatisticsDocuments=documents * 13)


def test_what_it_does_not_do_is_refused(xray: Any) -> None:
    with refused("InvalidAction"):
        xray.get_encryption_config()

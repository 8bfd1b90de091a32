"""What each purpose may do with the policy that is made for it, asked with boto3: its own work alone."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.model.grant import PURPOSES, Purpose
from bootstrap.system.aws import client
from bootstrap.vendors import policies
from tests.provisioning.conftest import keys_of
from tests.provisioning.people import REGION, Person, arn, project
from tests.stand_ins.aws.principals import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.stand_ins.aws import Account, Aws

Call = tuple[str, str, dict[str, Any]]
_STATISTICS = {"RuleName": "web", "ClientID": "a" * 24, "Timestamp": 0, "RequestCount": 1, "SampledCount": 1}
_DENIED = ("AccessDenied", "AccessDeniedException")


def writes(group: str) -> tuple[Call, ...]:
    now = int(time.time() * 1000)
    into = {"logGroupName": group, "logStreamName": "s"}
    events = [{"timestamp": now, "message": "hello"}]
    return (
        ("logs", "create_log_stream", into),
        ("logs", "put_log_events", {**into, "logEvents": events}),
    )


#: purpose -> what it is for
OWN: Mapping[Purpose, tuple[Call, ...]] = {
    "daemon": (
        ("xray", "put_trace_segments", {"TraceSegmentDocuments": ['{"trace_id": "1-1-1", "id": "a"}']}),
        ("xray", "put_telemetry_records", {"TelemetryRecords": [{"Timestamp": 0}]}),
        ("xray", "get_sampling_rules", {}),
        ("xray", "get_sampling_targets", {"SamplingStatisticsDocuments": [_STATISTICS]}),
        ("xray", "get_sampling_statistic_summaries", {}),
    ),
    "logs": writes("shop"),
    "verify": (
        ("xray", "batch_get_traces", {"TraceIds": ["1-1-1"]}),
        ("xray", "get_trace_segment_destination", {}),
        ("xray", "start_trace_retrieval", {"TraceIds": ["1-1-1"], "StartTime": 0, "EndTime": 1}),
        ("xray", "list_retrieved_traces", {"RetrievalToken": "nope"}),
        ("logs", "filter_log_events", {"logGroupName": "shop"}),
    ),
}


def nobodys(account: Account) -> tuple[Call, ...]:
    """What none of them may."""
    own = arn(account, "logs", "log-group:shop")
    role, policy = arn(account, "iam", "role/bootstrap/shop-logs"), json.dumps(policies.trust("x"))
    return (
        *writes("shop2"),
        *writes("sho"),
        *writes("shop/x"),
        ("logs", "filter_log_events", {"logGroupName": "shop2"}),
        ("logs", "get_log_events", {"logGroupName": "shop", "logStreamName": "s"}),
        ("logs", "describe_log_groups", {}),
        ("logs", "describe_log_streams", {"logGroupName": "shop"}),
        ("logs", "create_log_group", {"logGroupName": "new"}),
        ("logs", "delete_log_group", {"logGroupName": "shop"}),
        ("logs", "delete_log_stream", {"logGroupName": "shop", "logStreamName": "s"}),
        ("logs", "put_retention_policy", {"logGroupName": "shop", "retentionInDays": 1}),
        ("logs", "tag_resource", {"resourceArn": own, "tags": {"a": "b"}}),
        ("xray", "get_groups", {}),
        ("xray", "create_group", {"GroupName": "new"}),
        ("xray", "delete_group", {"GroupName": "shop"}),
        ("xray", "delete_sampling_rule", {"RuleName": "web"}),
        ("xray", "update_sampling_rule", {"SamplingRuleUpdate": {"RuleName": "web", "FixedRate": 1}}),
        ("iam", "list_roles", {}),
        ("iam", "get_role", {"RoleName": "shop-logs"}),
        ("iam", "create_user", {"UserName": "new"}),
        ("iam", "create_access_key", {"UserName": "ann"}),
        ("iam", "put_role_policy", {"RoleName": "shop-logs", "PolicyName": "p", "PolicyDocument": policy}),
        ("sts", "assume_role", {"RoleArn": role, "RoleSessionName": "me"}),
        ("sts", "get_federation_token", {"Name": "more", "Policy": policy}),
    )


@pytest.fixture(scope="module")
def account(aws: Aws) -> Account:
    return aws.account()


@pytest.fixture(scope="module")
def person(aws: Aws, account: Account) -> Person:
    keys = account.user("ann")
    made = Person(aws, keys, project("web", principal=arn(account, "iam", "user/ann")))
    assert not made.apply().failed
    logs = client("logs", region=REGION, credentials=keys_of(keys), environ=aws.environ)
    for name in ("shop2", "sho", "shop/x"):
        logs.create_log_group(logGroupName=name)
    return made


def of_user(person: Person, account: Account, purpose: Purpose) -> Mapping[str, str]:
    """A user who has the policy that was applied, and nothing else."""
    iam = client("iam", region=REGION, credentials=keys_of(person.keys), environ=person.aws.environ)
    keys = account.user(f"only-{purpose}", policies.policy(project(name="nobody"), "daemon"), region=REGION)
    iam.delete_user_policy(UserName=f"only-{purpose}", PolicyName="policy-0")
    made = arn(account, "iam", f"policy/bootstrap/shop-{purpose}")
    iam.attach_user_policy(UserName=f"only-{purpose}", PolicyArn=made)
    return keys


def of_role(person: Person, account: Account, purpose: Purpose) -> Mapping[str, str]:
    """A session of the role that was applied."""
    sts = client("sts", region=REGION, credentials=keys_of(person.keys), environ=person.aws.environ)
    role = arn(account, "iam", f"role/bootstrap/shop-{purpose}")
    made = sts.assume_role(RoleArn=role, RoleSessionName="web", DurationSeconds=43200)
    return variables(made["Credentials"])


def federated(person: Person, _: Account, purpose: Purpose) -> Mapping[str, str]:
    """A session of somebody who may do everything, with this policy alone."""
    sts = client("sts", region=REGION, credentials=keys_of(person.keys), environ=person.aws.environ)
    policy = json.dumps(policies.policy(person.project, purpose), separators=(",", ":"))
    made = sts.get_federation_token(Name="web", Policy=policy, DurationSeconds=43200)
    return variables(made["Credentials"])


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("how", [of_user, of_role, federated])
def test_a_purpose_may_do_its_own_work_and_no_more(
    person: Person,
    account: Account,
    how: Callable[[Person, Account, Purpose], Mapping[str, str]],
    purpose: Purpose,
) -> None:
    keys = keys_of(how(person, account, purpose))
    clients = {
        service: client(service, region=REGION, credentials=keys, environ=person.aws.environ, attempts=1)
        for service in ("xray", "logs", "iam", "sts")
    }
    others = [call for each, calls in OWN.items() if each != purpose for call in calls]
    allowed = {True: list(OWN[purpose]), False: [*others, *nobodys(account)]}
    wrong = [
        f"{service}:{operation} {arguments}"
        for expected, calls in allowed.items()
        for service, operation, arguments in calls
        if is_allowed(clients[service], operation, arguments) != expected
    ]
    assert not wrong
    assert len(account.calls) > 30
    clients["sts"].get_caller_identity()


def is_allowed(used: Any, operation: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call is not denied; it may be refused for what it asks for."""
    try:
        getattr(used, operation)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIED
    return True


def test_the_log_group_of_the_same_name_in_another_region_is_another_one(
    person: Person, account: Account
) -> None:
    keys = keys_of(of_role(person, account, "logs"))
    logs = client("logs", region="us-east-1", credentials=keys, environ=person.aws.environ, attempts=1)
    for _, operation, arguments in OWN["logs"]:
        assert not is_allowed(logs, operation, arguments)


def test_nobody_but_the_principal_may_assume_a_role(person: Person, account: Account) -> None:
    keys = keys_of(account.user("eve"))
    sts = client("sts", region=REGION, credentials=keys, environ=person.aws.environ, attempts=1)
    for purpose in PURPOSES:
        role = arn(account, "iam", f"role/bootstrap/shop-{purpose}")
        assert not is_allowed(sts, "assume_role", {"RoleArn": role, "RoleSessionName": "me"})


def test_policies_fit_into_a_session(account: Account) -> None:
    """GetFederationToken takes 2048 characters, for the longest names that a manifest can give."""
    longest = project("x" * 60, name="x" * 63, cloudwatch={"log_group": "x" * 512}, region="ap-southeast-1")
    for purpose in PURPOSES:
        assert len(json.dumps(policies.policy(longest, purpose), separators=(",", ":"))) <= 2048
    assert account.id

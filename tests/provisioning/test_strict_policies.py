"""Policies of the stand-in allow what IAM's would: users, roles, and sessions with less than these."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.provisioning.conftest import document, refused, trust
from tests.stand_ins.aws.policies import decide
from tests.stand_ins.aws.principals import variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account

GROUP = "arn:aws:logs:us-east-1:1:log-group:shop"
#: action, resource, what a policy says of it, what is asked, allowed or not
CASES = [
    ("xray:GetGroups", "*", "xray:GetGroups", "*", True),
    ("xray:Get*", "*", "xray:GetGroups", "*", True),
    ("XRAY:getgroups", "*", "xray:GetGroups", "*", True),
    ("xray:Get?roups", "*", "xray:GetGroups", "*", True),
    ("xray:GetGroup", "*", "xray:GetGroups", "*", False),
    ("xray:GetGroup?", "*", "xray:GetGroup", "*", False),
    ("*", "*", "xray:GetGroups", "*", True),
    ("logs:PutLogEvents", f"{GROUP}:*", "logs:PutLogEvents", f"{GROUP}:log-stream:a", True),
    ("logs:PutLogEvents", GROUP, "logs:PutLogEvents", f"{GROUP}:log-stream:a", False),
    ("logs:PutLogEvents", f"{GROUP}:*", "logs:PutLogEvents", f"{GROUP}2:log-stream:a", False),
    (
        "logs:PutLogEvents",
        "arn:aws:logs:us-east-1:1:log-group:s.op:*",
        "logs:PutLogEvents",
        f"{GROUP}:a",
        False,
    ),
    ("logs:PutLogEvents", f"{GROUP.upper()}:*", "logs:PutLogEvents", f"{GROUP}:a", False),
]


@pytest.mark.parametrize(("action", "resource", "asked", "on", "allowed"), CASES)
def test_one_statement(action: str, resource: str, asked: str, on: str, allowed: bool) -> None:  # noqa: FBT001
    said = decide([document(action, resource)], asked, on, {})
    assert said == ("allow" if allowed else "neither")
    assert decide([document("*"), document(action, resource, "Deny")], asked, on, {}) == (
        "deny" if allowed else "allow"
    )


def test_everything_but() -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": f"{GROUP}*"}
    policy = [{"Version": "2012-10-17", "Statement": statement}]
    assert decide(policy, "xray:GetGroups", "*", {}) == "allow"
    assert decide(policy, "iam:GetRole", "*", {}) == "neither"
    assert decide(policy, "logs:PutLogEvents", GROUP, {}) == "neither"


def test_conditions() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for operator, wanted, holds in (
        ("StringEquals", "eu-west-1", True),
        ("StringEquals", "eu-*", False),
        ("StringLike", "eu-*", True),
        ("StringLike", ["us-*", "eu-*"], True),
    ):
        conditions = {operator: {"aws:RequestedRegion": wanted}}
        policy = [{"Version": "2012-10-17", "Statement": [statement | {"Condition": conditions}]}]
        said = decide(policy, "xray:GetGroups", "*", {"aws:RequestedRegion": "eu-west-1"})
        assert said == ("allow" if holds else "neither")
        assert decide(policy, "xray:GetGroups", "*", {}) == "neither"


def test_motos_evaluator_agrees_where_it_can() -> None:
    """It compares with case, and takes ARNs for regular expressions."""
    for action, resource, asked, on, allowed in CASES:
        if action.islower() or "?" in action or action == "XRAY:getgroups" or "." in resource:
            continue
        said = IAMPolicy(json.dumps(document(action, resource))).is_action_permitted(asked, on)
        assert (said is PermissionResult.PERMITTED) == allowed, (action, resource)


def test_a_user_may_do_what_a_policy_says(clients: Callable[..., Any], account: Account) -> None:
    some = account.user("some", document("xray:GetGroups"), document("logs:CreateLogGroup", f"{GROUP}*"))
    xray = clients("xray", some)
    xray.get_groups()
    with refused("AccessDeniedException", r"user/some is not authorized to perform: xray:GetSamplingRules"):
        xray.get_sampling_rules()
    with refused("AccessDeniedException", "logs:CreateLogGroup on resource: arn:aws:logs:.*:log-group:b"):
        clients("logs", some).create_log_group(logGroupName="b")
    with refused("AccessDenied", r"iam:GetRole on resource: arn:aws:iam::\d+:role/r because"):
        clients("iam", some).get_role(RoleName="r")
    clients("sts", some).get_caller_identity()


def test_what_is_made_with_tags_takes_two_actions(clients: Callable[..., Any], account: Account) -> None:
    makes = ["xray:CreateGroup", "logs:CreateLogGroup", "iam:CreatePolicy", "iam:CreateRole"]
    maker = account.user("maker", document(makes))
    xray, logs, iam = (clients(service, maker) for service in ("xray", "logs", "iam"))
    tags = [{"Key": "a", "Value": "b"}]
    read, trusted = json.dumps(document("xray:GetGroups")), trust(f"arn:aws:iam::{account.id}:user/maker")
    xray.create_group(GroupName="a")
    logs.create_log_group(logGroupName="a")
    iam.create_policy(PolicyName="a", PolicyDocument=read)
    iam.create_role(RoleName="a", AssumeRolePolicyDocument=trusted)
    with refused("AccessDeniedException", "xray:TagResource"):
        xray.create_group(GroupName="b", Tags=tags)
    with refused("AccessDeniedException", "logs:TagResource"):
        logs.create_log_group(logGroupName="b", tags={"a": "b"})
    with refused("AccessDenied", "iam:TagPolicy"):
        iam.create_policy(PolicyName="b", PolicyDocument=read, Tags=tags)
    with refused("AccessDenied", "iam:TagRole"):
        iam.create_role(RoleName="b", AssumeRolePolicyDocument=trusted, Tags=tags)


def test_tags_of_a_log_group_are_named_without_a_star(clients: Callable[..., Any], account: Account) -> None:
    arn = f"arn:aws:logs:us-east-1:{account.id}:log-group:shop"
    clients("logs").create_log_group(logGroupName="shop")
    with refused("AccessDeniedException"):
        starred = account.user("a", document("logs:*", f"{arn}:*"))
        clients("logs", starred).list_tags_for_resource(resourceArn=arn)
    bare = clients("logs", account.user("b", document("logs:*", arn)))
    bare.list_tags_for_resource(resourceArn=arn)
    with refused("AccessDeniedException"):
        bare.put_retention_policy(logGroupName="shop", retentionInDays=7)


def test_a_role_that_is_not_there_has_no_path(clients: Callable[..., Any], account: Account) -> None:
    arn = f"arn:aws:iam::{account.id}:role"
    looks = clients("iam", account.user("looks", document("iam:GetRole", f"{arn}/bootstrap/*")))
    with refused("AccessDenied", f"{arn}/r because"):
        looks.get_role(RoleName="r")
    trusted = trust(f"arn:aws:iam::{account.id}:user/looks")
    clients("iam").create_role(RoleName="r", Path="/bootstrap/", AssumeRolePolicyDocument=trusted)
    looks.get_role(RoleName="r")


def test_a_federated_session_may_do_what_both_policies_say(
    clients: Callable[..., Any], account: Account
) -> None:
    user = account.user("user", document(["xray:Get*", "sts:*", "iam:*"]))
    limit = json.dumps(document(["xray:GetGroups", "logs:*", "iam:*", "sts:*"]))
    made = clients("sts", user).get_federation_token(Name="web", Policy=limit, DurationSeconds=900)
    session = variables(made["Credentials"])
    left = made["Credentials"]["Expiration"].timestamp() - time.time()
    assert 800 < left <= 900
    who = clients("sts", session).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{account.id}:federated-user/web"
    clients("xray", session).get_groups()
    with refused("AccessDeniedException", "no session policy allows"):
        clients("xray", session).get_sampling_rules()
    with refused("AccessDeniedException", "no identity-based policy allows"):
        clients("logs", session).describe_log_groups()
    with refused("AccessDenied"):
        clients("iam", session).list_roles()
    with refused("AccessDenied"):
        clients("sts", session).get_federation_token(Name="more", Policy=limit)


def test_a_federated_session_without_a_policy_may_do_nothing(clients: Callable[..., Any]) -> None:
    session = variables(clients("sts").get_federation_token(Name="web")["Credentials"])
    with refused("AccessDeniedException", "no session policy"):
        clients("xray", session).get_groups()
    clients("sts", session).get_caller_identity()


def test_a_session_policy_may_deny(clients: Callable[..., Any]) -> None:
    both = document("*")
    both["Statement"].append({"Effect": "Deny", "Action": "xray:GetGroups", "Resource": "*"})
    made = clients("sts").get_federation_token(Name="web", Policy=json.dumps(both))
    session = variables(made["Credentials"])
    clients("xray", session).get_sampling_rules()
    with refused("AccessDeniedException", "explicit deny in a session policy"):
        clients("xray", session).get_groups()


def test_federated_sessions_that_cannot_be_had(clients: Callable[..., Any], account: Account) -> None:
    sts = clients("sts")
    for wrong in (
        {"Name": "x" * 33},
        {"Name": "a b"},
        {"Name": "web", "DurationSeconds": 129601},
        {"Name": "web", "Policy": json.dumps(document("xray:Get" + "x" * 2048))},
    ):
        with refused("ValidationError"):
            sts.get_federation_token(**wrong)
    with refused("MalformedPolicyDocument"):
        sts.get_federation_token(Name="web", Policy="{")
    with refused("AccessDenied", "sts:GetFederationToken on resource: .*federated-user/web"):
        clients("sts", account.user("user", document("xray:*"))).get_federation_token(Name="web")
    arn = f"arn:aws:iam::{account.id}:user/tester"
    clients("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust(arn))
    everything = json.dumps(document("*"))
    clients("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=everything)
    assumed = variables(_assume(sts, account, "r"))
    with refused("AccessDenied", "session credentials"):
        clients("sts", assumed).get_federation_token(Name="web")


def _assume(sts: Any, account: Account, name: str, **more: Any) -> Any:
    arn = f"arn:aws:iam::{account.id}:role/{name}"
    return sts.assume_role(RoleArn=arn, RoleSessionName="me", **more)["Credentials"]


def test_who_may_assume_a_role(clients: Callable[..., Any], account: Account) -> None:
    nobody = clients("sts", account.user("nobody", document("xray:*")))
    named = clients("sts", account.user("named", document("xray:*")))
    allowed = clients("sts", account.user("allowed", document("sts:AssumeRole")))
    denied = clients("sts", account.user("denied", document("sts:AssumeRole", effect="Deny")))
    iam = clients("iam")
    prefix = f"arn:aws:iam::{account.id}"
    iam.create_role(RoleName="one", AssumeRolePolicyDocument=trust(f"{prefix}:user/named"))
    iam.create_role(RoleName="no", AssumeRolePolicyDocument=trust(f"{prefix}:user/denied"))
    iam.create_role(RoleName="all", AssumeRolePolicyDocument=trust(f"{prefix}:root"))
    _assume(named, account, "one")
    _assume(allowed, account, "all")
    for sts, role in (
        (nobody, "one"),
        (allowed, "one"),
        (nobody, "all"),
        (named, "all"),
        (denied, "no"),
        (allowed, "nope"),
    ):
        with refused("AccessDenied", "sts:AssumeRole"):
            _assume(sts, account, role)


def test_how_long_a_role_may_be_assumed(clients: Callable[..., Any], account: Account) -> None:
    prefix = f"arn:aws:iam::{account.id}"
    sts, iam = clients("sts"), clients("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(f"{prefix}:user/tester"))
    iam.create_role(
        RoleName="s", AssumeRolePolicyDocument=trust(f"{prefix}:role/r"), MaxSessionDuration=43200
    )
    with refused("ValidationError", "MaxSessionDuration"):
        _assume(sts, account, "r", DurationSeconds=3601)
    session = clients("sts", variables(_assume(sts, account, "r", DurationSeconds=3600)))
    with refused("ValidationError", "chaining"):
        _assume(session, account, "s", DurationSeconds=3601)
    chained = clients("sts", variables(_assume(session, account, "s", DurationSeconds=3600)))
    assert chained.get_caller_identity()["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/s/me"
    for wrong in ({"DurationSeconds": 899}, {"DurationSeconds": 43201}):
        with pytest.raises(Exception, match="DurationSeconds"):
            _assume(sts, account, "r", **wrong)
    with refused("ValidationError"):
        sts.assume_role(RoleArn=f"{prefix}:role/r", RoleSessionName="x" * 65)


def test_a_role_may_do_what_its_policies_say_and_its_session_less(
    clients: Callable[..., Any], account: Account
) -> None:
    sts, iam = clients("sts"), clients("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account.id}:user/tester"))
    text = json.dumps(document("xray:Get*"))
    arn = iam.create_policy(PolicyName="p", PolicyDocument=text)["Policy"]["Arn"]
    whole = clients("xray", variables(_assume(sts, account, "r")))
    limit = json.dumps(document("xray:GetGroups"))
    part = clients("xray", variables(_assume(sts, account, "r", Policy=limit)))
    with refused("AccessDeniedException", "assumed-role/r/me .*no identity-based policy"):
        whole.get_groups()
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    whole.get_groups()
    whole.get_sampling_rules()
    part.get_groups()
    with refused("AccessDeniedException", "no session policy"):
        part.get_sampling_rules()
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    with refused("AccessDeniedException"):
        whole.get_groups()


def test_what_sts_does_not_do_here_is_refused(clients: Callable[..., Any]) -> None:
    with refused("InvalidAction"):
        clients("sts").get_session_token()

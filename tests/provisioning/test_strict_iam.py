"""IAM of the stand-in refuses what IAM refuses and moto forgives; boto3 asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.provisioning.conftest import document, refused, trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account

READ = json.dumps(document("xray:GetGroups"))


@pytest.fixture
def iam(clients: Callable[..., Any]) -> Any:
    return clients("iam")


@pytest.fixture
def user(account: Account) -> str:
    return f"arn:aws:iam::{account.id}:user/tester"


def sized(characters: int) -> str:
    """A policy of so many characters, blanks not counted."""
    text = json.dumps(document("xray:GetGroups", ["arn:aws:s3:::"]), separators=(",", ":"))
    return text.replace("arn:aws:s3:::", "arn:aws:s3:::" + "x" * (characters - len(text)))


def test_a_policy_at_its_limit_and_beyond(iam: Any) -> None:
    at_limit = json.dumps(json.loads(sized(6144)), indent=4)
    iam.create_policy(PolicyName="a", PolicyDocument=at_limit)
    with refused("LimitExceeded", "6144"):
        iam.create_policy(PolicyName="b", PolicyDocument=sized(6145))
    arn = iam.list_policies(Scope="Local")["Policies"][0]["Arn"]
    with refused("LimitExceeded", "6144"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=sized(6145))


def test_names_at_their_limits_and_beyond(iam: Any, user: str) -> None:
    iam.create_policy(PolicyName="x" * 128, PolicyDocument=READ)
    iam.create_role(RoleName="x" * 64, AssumeRolePolicyDocument=trust(user))
    for name in ("x" * 129, "a b", "a/b", "caf\u00e9", "a*"):
        with refused("ValidationError"):
            iam.create_policy(PolicyName=name, PolicyDocument=READ)
    for name in ("x" * 65, "a b", "a/b", "caf\u00e9", "a*"):
        with refused("ValidationError"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(user))
    with refused("ValidationError"):
        iam.create_policy(PolicyName="p", Path="bootstrap", PolicyDocument=READ)


def test_names_are_compared_without_case_and_path(iam: Any, user: str) -> None:
    iam.create_policy(PolicyName="Shop", Path="/a/", PolicyDocument=READ)
    iam.create_role(RoleName="Shop", Path="/a/", AssumeRolePolicyDocument=trust(user))
    with refused("EntityAlreadyExists"):
        iam.create_policy(PolicyName="sHOP", Path="/b/", PolicyDocument=READ)
    with refused("EntityAlreadyExists"):
        iam.create_role(RoleName="sHOP", Path="/b/", AssumeRolePolicyDocument=trust(user))


def test_a_policy_that_is_none(iam: Any, user: str) -> None:
    bad = (
        "{",
        "[]",
        json.dumps({"Version": "2012-10-17"}),
        json.dumps({"Version": "2020-10-17", "Statement": []}),
        json.dumps(document("GetGroups")),
        json.dumps(document("xray:GetGroups", "shop")),
        json.dumps(document("xray:GetGroups", effect="Maybe")),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "xray:*"}]}),
        READ.replace('"Effect"', '"Sid": "a-b", "Effect"'),
        trust(user),
    )
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    for text in bad:
        with refused("MalformedPolicyDocument"):
            iam.create_policy(PolicyName="p", PolicyDocument=text)
        with refused("MalformedPolicyDocument"):
            iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=text)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_trust_policy_that_is_none(iam: Any, user: str) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    for text in ("{", READ, trust("somebody"), trust(f"{user}-else"), trust(user.replace("user/", "role/"))):
        with refused("MalformedPolicyDocument"):
            iam.create_role(RoleName="s", AssumeRolePolicyDocument=text)
        with refused("MalformedPolicyDocument"):
            iam.update_assume_role_policy(RoleName="r", PolicyDocument=text)


def test_who_may_be_trusted(iam: Any, user: str, account: Account) -> None:
    iam.create_role(RoleName="first", AssumeRolePolicyDocument=trust(user))
    others = (
        f"arn:aws:iam::{account.id}:root",
        account.id,
        "arn:aws:iam::999999999999:user/whoever",
        f"arn:aws:iam::{account.id}:role/first",
        f"arn:aws:sts::{account.id}:assumed-role/first/me",
    )
    for number, principal in enumerate(others):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=trust(principal))


def test_a_trust_policy_that_is_too_long(iam: Any, user: str) -> None:
    parts = [json.loads(trust(user))["Statement"][0] | {"Sid": f"s{number}"} for number in range(20)]
    text = json.dumps({"Version": "2012-10-17", "Statement": parts})
    with refused("LimitExceeded", "2048"):
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=text)


def test_a_session_of_a_role_that_is_too_long(iam: Any, user: str) -> None:
    with refused("ValidationError"):
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user), MaxSessionDuration=43201)


def test_a_policy_with_versions_or_attached_stays(iam: Any, user: str) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=READ)["Policy"]["Arn"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    with refused("DeleteConflict", "attached"):
        iam.delete_policy(PolicyArn=arn)
    with refused("DeleteConflict"):
        iam.delete_role(RoleName="r")
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ, SetAsDefault=True)
    with refused("DeleteConflict", "version"):
        iam.delete_policy(PolicyArn=arn)
    with refused("DeleteConflict", "default"):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity"):
        iam.delete_policy(PolicyArn=arn)


def test_a_role_with_a_policy_of_its_own_stays(iam: Any, user: str) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=READ)
    with refused("DeleteConflict"):
        iam.delete_role(RoleName="r")
    with refused("NoSuchEntity"):
        iam.delete_role_policy(RoleName="r", PolicyName="q")
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")


def test_a_sixth_version(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=READ)["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ)
    with refused("LimitExceeded", "5 versions"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ)


def test_an_eleventh_policy_of_a_role_and_ones_of_its_own_that_are_too_long(iam: Any, user: str) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    arns = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=READ)["Policy"]["Arn"] for n in range(11)]
    for arn in [*arns[:10], arns[0]]:
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    with refused("LimitExceeded", "PoliciesPerRole"):
        iam.attach_role_policy(RoleName="r", PolicyArn=arns[10])
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=sized(6000))
    with refused("LimitExceeded", "10240"):
        iam.put_role_policy(RoleName="r", PolicyName="b", PolicyDocument=sized(4241))
    iam.put_role_policy(RoleName="r", PolicyName="b", PolicyDocument=sized(4240))


def test_what_is_not_there(iam: Any, account: Account) -> None:
    policy = {"PolicyArn": f"arn:aws:iam::{account.id}:policy/bootstrap/nope"}
    role = {"RoleName": "nope"}
    trusted = trust(f"arn:aws:iam::{account.id}:user/tester")
    tags = [{"Key": "a", "Value": "b"}]
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("get_role", role),
        ("list_attached_role_policies", role),
        ("list_role_policies", role),
        ("update_role", {**role, "MaxSessionDuration": 3600}),
        ("update_assume_role_policy", {**role, "PolicyDocument": trusted}),
        ("attach_role_policy", {**role, **policy}),
        ("delete_role", role),
        ("tag_role", {**role, "Tags": tags}),
        ("get_policy", policy),
        ("get_policy_version", {**policy, "VersionId": "v1"}),
        ("list_policy_versions", policy),
        ("tag_policy", {**policy, "Tags": tags}),
    )
    for operation, arguments in asked:
        with refused("NoSuchEntity"):
            getattr(iam, operation)(**arguments)


def test_tags_that_are_not_allowed(iam: Any, user: str) -> None:
    for key, value in {"k" * 129: "v", "a": "v" * 257, "b": "a,b", "c(": "v", "aws:k": "v"}.items():
        code = "InvalidInput" if key == "aws:k" else "ValidationError"
        tags = [{"Key": key, "Value": value}]
        with refused(code):
            iam.create_policy(PolicyName="p", PolicyDocument=READ, Tags=tags)
        with refused(code):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user), Tags=tags)
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    with refused("InvalidInput", "case insensitive"):
        iam.create_policy(PolicyName="p", PolicyDocument=READ, Tags=twice)


def test_what_is_new_is_not_known_everywhere_at_once(iam: Any, user: str, account: Account) -> None:
    account.lag = 2
    arn = iam.create_policy(PolicyName="p", PolicyDocument=READ)["Policy"]["Arn"]
    for _ in range(2):
        with refused("NoSuchEntity"):
            iam.get_policy(PolicyArn=arn)
    iam.get_policy(PolicyArn=arn)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))
    with refused("NoSuchEntity"):
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)


def test_the_account_may_do_everything_but_assume_roles(
    clients: Callable[..., Any], iam: Any, user: str, account: Account
) -> None:
    root = account.root()
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user))["Role"]["Arn"]
    assert clients("sts", root).get_caller_identity()["Arn"] == f"arn:aws:iam::{account.id}:root"
    clients("xray", root).create_group(GroupName="g")
    with refused("AccessDenied", "root"):
        clients("sts", root).assume_role(RoleArn=arn, RoleSessionName="me")
    with refused("ValidationError"):
        clients("sts", root).get_federation_token(Name="me", DurationSeconds=3601)

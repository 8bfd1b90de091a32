"""Calls to AWS: what passes is waited for, what a policy denies names what would allow it."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError, UnreachableError
from bootstrap.system import aws
from bootstrap.system.aws_caller import AwsBusyError, AwsDeniedError, Caller, together
from tests.stand_ins.aws.faults import Fault

if TYPE_CHECKING:
    from tests.stand_ins.aws import Account, Aws

TAGS = [{"Key": "bootstrap:repository", "Value": "github.com/acme/shop"}]
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"},
    }
)


@pytest.fixture
def cloud(request: pytest.FixtureRequest) -> Aws:
    """The fixture `aws`, by another name than our module's."""
    found: Aws = request.getfixturevalue("aws")
    return found


class Said(list[str]):
    """What was said to the person who waits."""


@pytest.fixture
def said() -> Said:
    return Said()


def caller(
    cloud: Aws, variables: dict[str, str], said: Said | None = None, *, attempts: int = 4, timeout: float = 5
) -> Caller:
    keys = aws.Keys(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return Caller(
        region="us-east-1",
        credentials=keys,
        environ=cloud.environ,
        attempts=attempts,
        timeout=timeout,
        pause=0.01,
        say=(said if said is not None else Said()).append,
    )


def allowing(*actions: str, effect: str = "Allow", resource: str = "*") -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": list(actions), "Resource": resource}],
    }


@pytest.mark.parametrize("kind", ["throttle", "broken", "cut", "drop", "slow"])
def test_what_passes_is_waited_for_and_said(cloud: Aws, account: Account, said: Said, kind: Any) -> None:
    account.faults = [Fault(kind, "xray:GetGroups", times=2, seconds=0.6)]
    used = caller(cloud, account.user("ann"), said, timeout=0.3)
    assert [group["GroupName"] for group in used.call("xray", "get_groups")["Groups"]] == ["Default"]
    assert account.counted["xray:GetGroups"] == 3
    assert [line.rpartition(" (")[2] for line in said] == ["2 of 4) ...", "3 of 4) ..."]
    assert all("xray:GetGroups" in line and "trying again in" in line for line in said)


@pytest.mark.parametrize("kind", ["throttle", "broken", "cut"])
def test_what_does_not_pass_ends_after_so_many_tries(cloud: Aws, account: Account, kind: Any) -> None:
    account.faults = [Fault(kind, times=None)]
    with pytest.raises(UnreachableError) as caught:
        caller(cloud, account.user("ann")).call("xray", "get_groups")
    assert account.counted["xray:GetGroups"] == 4
    assert isinstance(caught.value, AwsBusyError if kind != "cut" else aws.AwsUnreachableError)
    assert caught.value.hint


def test_silence_is_not_waited_for_as_long_as_for_an_answer(cloud: Aws, account: Account) -> None:
    account.faults = [Fault("cut", times=None)]
    with pytest.raises(aws.AwsUnreachableError):
        caller(cloud, account.user("ann"), attempts=8).call("xray", "get_groups")
    assert account.counted["xray:GetGroups"] == 4


def test_a_limit_is_said_with_what_to_do(cloud: Aws, account: Account) -> None:
    account.faults = [Fault("error", code="LimitExceeded")]
    with pytest.raises(aws.AwsRefusedError) as caught:
        caller(cloud, account.user("ann")).call("iam", "get_role", RoleName="r")
    assert "Service Quotas" in caught.value.hint


def test_what_is_wrong_is_not_tried_again(cloud: Aws, account: Account, said: Said) -> None:
    account.faults = [Fault("error", code="InvalidRequestException", times=None)]
    with pytest.raises(aws.AwsRefusedError, match="xray:GetGroups: AWS answered InvalidRequestException"):
        caller(cloud, account.user("ann"), said).call("xray", "get_groups")
    assert account.counted["xray:GetGroups"] == 1
    assert said == []


def test_what_is_new_is_not_known_everywhere_at_once(cloud: Aws, account: Account) -> None:
    account.lag = 2
    used = caller(cloud, account.user("ann"))
    role = used.call(
        "iam", "create_role", RoleName="r", AssumeRolePolicyDocument=_trust(account.id), Tags=TAGS
    )["Role"]
    assert role["RoleName"] == "r"
    policy = used.call("iam", "create_policy", PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    with pytest.raises(aws.AwsRefusedError) as caught:
        used.call("iam", "attach_role_policy", RoleName="r", PolicyArn=policy)
    assert caught.value.code == "NoSuchEntity"
    used.call("iam", "attach_role_policy", again=("NoSuchEntity",), RoleName="r", PolicyArn=policy)


def _trust(account: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:user/ann"}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
    )


def denied(used: Caller, service: str, operation: str, **arguments: Any) -> AwsDeniedError:
    with pytest.raises(AwsDeniedError) as caught:
        used.call(service, operation, **arguments)
    error = caught.value
    assert "\n" not in error.message + error.hint
    return error


def test_what_is_not_allowed_is_named_with_the_statement_that_would_allow_it(
    cloud: Aws, account: Account
) -> None:
    used = caller(cloud, account.user("ann", allowing("logs:CreateLogGroup")))
    error = denied(used, "logs", "create_log_group", logGroupName="shop", tags={"a": "b"})
    assert error.message.startswith(
        f"AWS does not allow arn:aws:iam::{account.id}:user/ann to do logs:TagResource"
    )
    assert json.loads(error.hint.removeprefix("Add to its policy: ")) == {
        "Effect": "Allow",
        "Action": "logs:TagResource",
        "Resource": f"arn:aws:logs:us-east-1:{account.id}:log-group:shop",
    }


def test_what_the_statement_allows_is_allowed(cloud: Aws, account: Account) -> None:
    """Add what is said, again and again, until it works."""
    statements: list[Any] = [allowing("sts:GetCallerIdentity")["Statement"][0]]
    for _ in range(5):
        number = len(statements)
        used = caller(
            cloud, account.user(f"ann-{number}", {"Version": "2012-10-17", "Statement": statements})
        )
        try:
            used.call("iam", "create_policy", PolicyName="p", PolicyDocument=POLICY, Tags=TAGS)
        except AwsDeniedError as error:
            statements = [*statements, *error.statements]
        else:
            break
    assert [one["Action"] for one in statements[1:]] == ["iam:CreatePolicy", "iam:TagPolicy"]


def test_what_is_denied_expressly_is_not_answered_with_a_statement(cloud: Aws, account: Account) -> None:
    used = caller(cloud, account.user("ann", allowing("*"), allowing("xray:GetGroups", effect="Deny")))
    error = denied(used, "xray", "get_groups")
    assert "xray:GetGroups" in error.message
    assert "expressly" in error.hint
    assert error.statements == ()


def test_all_that_is_missing_is_one_statement(cloud: Aws, account: Account) -> None:
    used = caller(cloud, account.user("ann", allowing("sts:GetCallerIdentity")))
    errors: list[BootstrapError] = [
        denied(used, "xray", "get_groups"),
        denied(used, "xray", "get_sampling_rules"),
        denied(used, "iam", "get_role", RoleName="r"),
    ]
    error = together(errors)
    assert "to do xray:GetGroups, xray:GetSamplingRules, iam:GetRole" in error.message
    (first, second) = json.loads(error.hint.removeprefix("Add to its policy: "))
    assert first["Action"] == ["xray:GetGroups", "xray:GetSamplingRules"]
    assert second == {
        "Effect": "Allow",
        "Action": "iam:GetRole",
        "Resource": f"arn:aws:iam::{account.id}:role/r",
    }
    other = aws.AwsUnreachableError("silence")
    assert together([errors[0], other, errors[1]]) is other


def test_every_page_is_read_and_no_more_than_is_wanted(cloud: Aws, account: Account) -> None:
    used = caller(cloud, account.user("ann"))
    for number in range(60):
        used.call("logs", "create_log_group", logGroupName=f"shop-{number:02}")
    found = used.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix="shop-")
    assert [one["logGroupName"] for one in found] == [f"shop-{number:02}" for number in range(60)]
    assert account.counted["logs:DescribeLogGroups"] == 2
    found = used.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix="shop-")
    assert len(list(islice(found, 50))) == 50
    assert account.counted["logs:DescribeLogGroups"] == 3


def test_no_key_is_in_any_words(cloud: Aws, account: Account, said: Said) -> None:
    variables = account.user("ann")
    wrong = {**variables, "AWS_SECRET_ACCESS_KEY": account.user("bob")["AWS_SECRET_ACCESS_KEY"]}
    with pytest.raises(aws.AwsRefusedError) as caught:
        caller(cloud, wrong, said).call("iam", "get_role", RoleName="r")
    assert caught.value.code == "SignatureDoesNotMatch"
    words = f"{caught.value.message} {caught.value.hint} {said}"
    assert wrong["AWS_SECRET_ACCESS_KEY"] not in words


def test_an_endpoint_elsewhere_is_no_place_for_a_key() -> None:
    elsewhere = Caller(
        region="us-east-1",
        credentials=aws.Keys("AKIA", "x"),
        environ={"AWS_ENDPOINT_URL_IAM": "https://example.com"},
    )
    with pytest.raises(NotConfiguredError, match="does not lead to this machine"):
        elsewhere.call("iam", "get_role", RoleName="r")

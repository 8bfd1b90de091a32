"""Names in IAM, of which there is one in an account whatever the path and the case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.provisioning.conftest import document, trust
from tests.provisioning.people import Person, arn, project
from tests.stand_ins.aws.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bootstrap.provisioning.interface import Outcome
    from tests.stand_ins.aws import Account, Aws


def failures(outcome: Outcome) -> dict[str, tuple[str, str]]:
    return {change.resource.key: (message, hint) for change, message, hint in outcome.failed}


def test_a_policy_of_the_name_below_another_path_is_said_with_what_to_do(
    aws: Aws, keys: dict[str, str], clients: Callable[..., Any]
) -> None:
    clients("iam").create_policy(PolicyName="shop-daemon", PolicyDocument=json.dumps(document("logs:A")))
    failed = failures(Person(aws, keys, project("web")).apply(only=["xray"]))
    message, hint = failed["IAM policy shop-daemon"]
    assert "EntityAlreadyExists" in message
    assert "project.name" in hint


def test_a_role_below_another_path_cannot_be_adopted(
    aws: Aws, account: Account, keys: dict[str, str], clients: Callable[..., Any]
) -> None:
    principal = arn(account, "iam", "user/tester")
    clients("iam").create_role(RoleName="shop-daemon", AssumeRolePolicyDocument=trust(principal))
    person = Person(aws, keys, project("web", principal=principal))
    failed = failures(person.apply(only=["xray"], adopt=["IAM role shop-daemon"]))
    assert "is below /, and can be adopted only below /bootstrap/" in failed["IAM role shop-daemon"][0]
    roles = clients("iam").list_attached_role_policies(RoleName="shop-daemon")["AttachedPolicies"]
    assert roles == []


def test_a_principal_that_is_nobody_is_said_with_the_manifests_key(
    aws: Aws, account: Account, keys: dict[str, str]
) -> None:
    account.faults = [Fault("error", "iam:CreateRole", code="MalformedPolicyDocument", times=None)]
    person = Person(aws, keys, project("web", principal=arn(account, "iam", "user/gone")))
    failed = failures(person.apply(only=["xray"]))
    assert "provision.principal" in failed["IAM role shop-daemon"][1]

"""What the manifest has no longer: it goes with the next apply or destroy, and nobody else's does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.provisioning.conftest import document
from tests.provisioning.people import REGION, Person, arn, project, repository, told

if TYPE_CHECKING:
    from bootstrap.provisioning.interface import Outcome
    from tests.stand_ins.aws import Account, Aws


def person(aws: Aws, account: Account, name: str = "ann", **more: Any) -> Person:
    return Person(aws, account.user(name), **{"project": project("web"), **more})


def done(outcome: Outcome) -> dict[str, str]:
    assert not outcome.failed
    return told(outcome.done)


def test_the_rule_of_a_service_that_is_gone_goes_with_the_next_apply(aws: Aws, account: Account) -> None:
    ann = person(aws, account, project=project("web", "api"))
    ann.apply()
    ann.project = project("web")
    assert done(ann.apply(only=["cloudwatch"])) == {}
    assert done(ann.apply()) == {"X-Ray sampling rule api": "delete", "X-Ray group shop": "update"}
    assert done(ann.apply()) == {}
    assert set(account.xray(REGION).rules) == {"Default", "web"}


@pytest.mark.parametrize("other", ["project", "repository", "person"])
def test_what_is_somebody_elses_stays(aws: Aws, account: Account, other: str) -> None:
    """Another project of the repository, another repository, another person."""
    ann = person(aws, account)
    theirs = person(
        aws,
        account,
        "bob" if other == "person" else "ann again",
        project=project("theirs", name="other" if other == "project" else "shop"),
        repository=repository("else" if other == "repository" else "shop"),
    )
    if other != "person":
        theirs.keys = ann.keys
    theirs.apply(only=["xray"])
    there = set(account.xray(REGION).rules)
    assert "theirs" in there
    ann.apply(only=["xray"])
    ann.destroy()
    assert set(account.xray(REGION).rules) == there


def test_before_everything_goes_roles_are_looked_for_too(aws: Aws, account: Account) -> None:
    ann = person(aws, account)
    ann.project = project("web", principal=arn(account, "iam", "user/ann"))
    ann.apply(only=["xray"])
    ann.project = project("web")
    gone = done(ann.destroy())
    assert gone.keys() >= {"IAM role shop-daemon", "IAM role shop-verify", "IAM policy shop-daemon"}
    assert set(gone.values()) == {"delete"}


def test_who_may_not_look_for_more_removes_the_rest(aws: Aws, account: Account) -> None:
    keys = account.user("ann", document("*"), document("iam:ListRoles", effect="Deny"))
    ann = Person(aws, keys, project("web"))
    made = done(ann.apply(only=["xray"]))
    assert done(ann.destroy()) == dict.fromkeys(made, "delete")
    assert any("iam:ListRoles" in line for line in ann.said)


def test_where_there_is_nothing_but_ours_nothing_more_is_asked(aws: Aws, account: Account) -> None:
    ann = person(aws, account)
    ann.apply()
    account.calls.clear()
    ann.plan()
    assert account.counted == {
        "sts:GetCallerIdentity": 1,
        "xray:GetGroups": 1,
        "xray:GetSamplingRules": 1,
        "xray:GetTraceSegmentDestination": 1,
        "xray:ListTagsForResource": 2,
        "logs:DescribeLogGroups": 1,
        "logs:ListTagsForResource": 1,
        "iam:GetPolicy": 3,
        "iam:GetPolicyVersion": 3,
    }


def test_what_another_vendor_needs_too_stays_until_that_goes(aws: Aws, account: Account) -> None:
    """The verifier's policy reads both."""
    ann = person(aws, account, project=project("web", principal=arn(account, "iam", "user/ann")))
    ann.apply()
    shared = {"IAM policy shop-verify", "IAM role shop-verify"}
    work = ann.plan(direction="destroy", only=["cloudwatch"])
    left = {change.resource.key: change.reason for change in work.plan.changes if not change.changes}
    assert left == dict.fromkeys(shared, "needed for xray, too")
    assert done(ann.destroy(only=["cloudwatch"])).keys() == {
        "log group shop",
        "IAM policy shop-logs",
        "IAM role shop-logs",
    }
    assert not ann.plan(only=["xray"]).plan.pending
    assert done(ann.destroy()).keys() >= shared

"""Whole stories: from nothing and back, two people, two repositories, what is in the account beside us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.provisioning.interface import Action
from tests.provisioning.conftest import document, trust
from tests.provisioning.people import (
    REGION,
    Person,
    arn,
    carried_out,
    inventory,
    project,
    repository,
    told,
)
from tests.stand_ins.aws.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account, Aws

KINDS = {"X-Ray group", "X-Ray sampling rule", "log group", "IAM policy", "IAM role"}


@pytest.fixture
def person(aws: Aws, account: Account) -> Person:
    keys = account.user("ann")
    return Person(aws, keys, project(principal=arn(account, "iam", "user/ann")))


def beside(clients: Callable[..., Any], account: Account) -> None:
    """Make what others have there, with names that begin like ours or look like them."""
    xray, logs, iam = (clients(service, region=REGION) for service in ("xray", "logs", "iam"))
    xray.create_group(GroupName="shop2", FilterExpression='service("web")')
    xray.create_group(
        GroupName="Shop", Tags=[{"Key": "bootstrap:repository", "Value": "github.com/acme/shop"}]
    )
    rule = {
        **dict.fromkeys(("ResourceARN", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*"),
        "RuleName": "web2",
        "ServiceName": "web",
        "Priority": 1,
        "FixedRate": 0.5,
        "ReservoirSize": 1,
    }
    xray.create_sampling_rule(SamplingRule={**rule, "Version": 1})
    logs.create_log_group(logGroupName="shop2", tags={"team": "web"})
    logs.create_log_group(logGroupName="shop/2")
    read = json.dumps(document("s3:GetObject"))
    policy = iam.create_policy(PolicyName="shop-other", Path="/bootstrap/", PolicyDocument=read)
    trusted = trust(arn(account, "iam", "user/tester"))
    iam.create_role(RoleName="shop-other", Path="/bootstrap/", AssumeRolePolicyDocument=trusted)
    iam.attach_role_policy(RoleName="shop-other", PolicyArn=policy["Policy"]["Arn"])


def test_from_nothing_and_back(person: Person, account: Account, clients: Callable[..., Any]) -> None:
    beside(clients, account)
    before = inventory(account)
    planned = person.plan().plan
    assert {change.resource.kind for change in planned.changes} == KINDS
    assert all(change.action is Action.CREATE for change in planned.changes)
    assert inventory(account) == before, "a plan changes nothing"
    outcome = person.apply()
    assert told(outcome.done) == told(planned.changes)
    assert not outcome.failed
    assert not outcome.skipped
    between = inventory(account)
    assert {name: between[name] for name in before} == before
    marked = {
        "bootstrap:repository": "github.com/acme/shop",
        "bootstrap:project": "shop",
        "bootstrap:maker": arn(account, "iam", "user/ann"),
    }
    ours = {name: each for name, each in between.items() if name not in before}
    assert len(ours) == len(planned.changes)
    for each in ours.values():
        assert each["tags"] == marked
    again = person.plan().plan
    assert not again.pending
    assert {change.action for change in again.changes} == {Action.KEEP}
    assert not person.apply().done
    assert inventory(account) == between
    assert not person.destroy().failed
    assert inventory(account) == before
    assert not person.destroy().done


def test_pages_are_followed(person: Person, account: Account, clients: Callable[..., Any]) -> None:
    account.xray(REGION).page = 1
    beside(clients, account)
    assert not person.apply().failed
    assert not person.plan().plan.pending
    logs = clients("logs", region=REGION)
    for number in range(60):
        logs.create_log_group(logGroupName=f"shop-{number:02}")
    assert not person.plan().plan.pending


def test_what_is_new_is_not_known_everywhere_at_once(person: Person, account: Account) -> None:
    account.lag = 2
    person.attempts = 5
    assert not person.apply().failed
    account.lag = 0
    assert not person.plan().plan.pending
    assert person.said, "somebody who waits is told why"


def test_a_colleague_may_update_and_not_remove(aws: Aws, person: Person, account: Account) -> None:
    """Two people share a repository and an account."""
    assert not person.apply().failed
    colleague = Person(aws, account.user("ben"), person.project)
    assert not colleague.plan().plan.pending
    colleague.project = project(
        principal=person.project.provision.principal, cloudwatch={"retention_days": 90}
    )
    assert told(colleague.apply().done) == {"log group shop": "update"}
    before = inventory(account)
    work = colleague.plan(direction="destroy")
    assert not work.plan.pending
    assert len(work.plan.changes) == len(person.plan().plan.changes)
    for change in work.plan.changes:
        assert arn(account, "iam", "user/ann") in change.reason
    assert not colleague.destroy().done
    assert inventory(account) == before


def test_each_removes_what_is_their_own(aws: Aws, person: Person, account: Account) -> None:
    """Ann makes X-Ray's part, and Ben the rest."""
    ben = Person(aws, account.user("ben"), person.project)
    nothing = inventory(account)
    assert not person.apply(only=["xray"]).failed
    assert not ben.apply().failed
    assert not ben.destroy().failed
    assert inventory(account) != nothing
    assert not person.destroy().failed
    assert inventory(account) == nothing


def test_sessions_of_a_role_are_one_maker(
    aws: Aws, person: Person, account: Account, clients: Callable[..., Any]
) -> None:
    """Whoever signs in again tomorrow has another session of the same role."""
    iam = clients("iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust(arn(account, "iam", "user/tester")))
    iam.put_role_policy(RoleName="admin", PolicyName="all", PolicyDocument=json.dumps(document("*")))
    before = inventory(account)

    def session(name: str) -> dict[str, str]:
        role = arn(account, "iam", "role/admin")
        made = clients("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
            "AWS_SESSION_TOKEN": made["SessionToken"],
        }

    assert not Person(aws, session("monday"), person.project).apply().failed
    assert not Person(aws, session("tuesday"), person.project).destroy().failed
    assert inventory(account) == before


def test_another_repository_of_the_same_name(aws: Aws, person: Person, account: Account) -> None:
    """It leaves what is there alone, may take it over by name, and never removes it."""
    assert not person.apply().failed
    before = inventory(account)
    other = Person(aws, account.user("eve"), project(principal=person.project.provision.principal))
    other.repository = repository("other")
    work = other.plan()
    assert {change.action for change in work.plan.changes} == {Action.LEAVE}
    assert all("exists, not ours" in change.reason for change in work.plan.changes)
    assert all("--adopt" in change.hint for change in work.plan.changes)
    assert not other.apply().done
    assert not other.destroy().done
    assert inventory(account) == before
    other.project = project(principal=person.project.provision.principal, cloudwatch={"retention_days": 90})
    assert told(other.apply(adopt=["shop"]).done)["log group shop"] == "adopt"
    assert inventory(account)["log group shop"]["retention"] == 90
    assert not [change for change in other.plan().plan.pending if change.resource.name == "shop"]
    assert not other.destroy().done
    assert not person.apply().failed
    assert not person.destroy().failed
    assert "log group shop" not in inventory(account)


def test_two_projects_live_side_by_side(aws: Aws, person: Person, account: Account) -> None:
    principal = person.project.provision.principal
    other = Person(aws, person.keys, project("front", principal=principal, name="blog"), repository("blog"))
    nothing = inventory(account)
    assert not person.apply().failed
    mine = inventory(account)
    assert not other.apply().failed
    assert not person.plan().plan.pending
    assert not other.plan().plan.pending
    assert not other.destroy().failed
    assert inventory(account) == mine
    assert not person.destroy().failed
    assert inventory(account) == nothing


def test_a_log_group_that_was_written_to_stays_until_told(
    person: Person, account: Account, clients: Callable[..., Any]
) -> None:
    """AWS says of a group's bytes that there are none, hours after they were written."""
    nothing = inventory(account)
    assert not person.apply().failed
    clients("logs", region=REGION).create_log_stream(logGroupName="shop", logStreamName="s")
    assert not person.destroy().failed
    left = inventory(account).keys() - nothing.keys()
    assert left == {"log group shop"}
    (change,) = person.plan(direction="destroy").plan.changes
    assert change.action is Action.LEAVE
    assert "--with-logs" in change.hint
    assert told(person.destroy(with_logs=True).done) == {"log group shop": "delete"}
    assert inventory(account) == nothing


def test_what_was_removed_by_hand_is_made_again(person: Person, account: Account) -> None:
    assert not person.apply().failed
    before = inventory(account)
    account.xray(REGION).rules.pop("web")
    account.xray(REGION).groups.pop("shop")
    planned = told(person.plan().plan.pending)
    assert planned == {"X-Ray sampling rule web": "create", "X-Ray group shop": "create"}
    assert not person.apply().failed
    assert inventory(account) == before


def test_lines_that_came_while_somebody_was_asked_are_kept(
    person: Person, clients: Callable[..., Any], account: Account
) -> None:
    assert not person.apply().failed
    work = person.plan(direction="destroy", only=["cloudwatch"])
    assert "log group shop" in told(work.plan.pending)
    clients("logs", region=REGION).create_log_stream(logGroupName="shop", logStreamName="web")
    ((change, message, hint),) = carried_out(work).failed
    assert change.resource.key == "log group shop"
    assert "holds events" in message
    assert "--with-logs" in hint
    assert "log group shop" in inventory(account)


def test_what_cannot_be_looked_at_once_more_is_kept(person: Person, account: Account) -> None:
    assert not person.apply().failed
    account.faults = [Fault("error", "logs:DescribeLogStreams", skip=1, times=None)]
    ((change, message, _),) = person.destroy().failed
    assert change.resource.key == "log group shop"
    assert "logs:DescribeLogStreams" in message
    assert set(inventory(account)) == {"log group shop", "group Default", "rule Default"}
    account.faults = []
    assert told(person.destroy().done) == {"log group shop": "delete"}

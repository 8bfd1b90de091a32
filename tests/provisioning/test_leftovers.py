"""What the manifest has no longer: it goes with the next apply or destroy, and nobody else's does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config.manifest import parse
from bootstrap.flows import provision
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.provisioning.interface import Opening
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account, Aws

BOTH = ("xray", "cloudwatch")
Act = Any


@pytest.fixture
def act(aws: Aws, account: Account) -> Act:
    """act("apply", "web", "api"): plan with these services and carry it out; returns what was done."""
    dev = account.user("dev")
    del dev
    keys = {name: account.user(name) for name in ("ann", "bob")}

    def run(
        direction: Any,
        *services: str,
        name: str = "shop",
        who: str = "ann",
        repository: str = "acme/shop",
        principal: bool = False,
        only: tuple[str, ...] = (),
    ) -> list[str]:
        project = parse(
            {
                "project": {"name": name},
                "services": {service: {"build": ".", "telemetry": list(BOTH)} for service in services},
                "provision": {"principal": f"arn:aws:iam::{account.id}:user/dev"} if principal else {},
            },
            {vendor.name: vendor.options for vendor in VENDORS.values()},
        )
        look: Callable[[str], Secret | None] = lambda key: (  # noqa: E731
            Secret(keys[who][key], "test") if key in keys[who] else None
        )
        opening = Opening(
            project=project,
            repository=Repository(f"github.com/{repository}", repository),
            lookup=look,
            environ=aws.environ,
            pause=0.01,
        )
        work = provision.plan(opening, direction=direction, only=only)
        outcome = provision.carry_out(work, lambda _change: None)
        assert not outcome.failed
        return sorted(f"{one.action.value} {one.resource.key}" for one in outcome.done)

    return run


def test_the_rule_of_a_service_that_is_gone_goes_with_the_next_apply(act: Act, account: Account) -> None:
    act("apply", "web", "api")
    assert act("apply", "web") == ["delete X-Ray sampling rule api", "update X-Ray group shop"]
    assert act("apply", "web") == []
    assert set(account.xray().rules) == {"Default", "web"}


def test_another_vendors_apply_leaves_it(act: Act) -> None:
    act("apply", "web", "api")
    assert act("apply", "web", only=("cloudwatch",)) == []


@pytest.mark.parametrize(
    "other",
    [{"name": "other"}, {"repository": "else/where"}, {"who": "bob"}],
    ids=lambda one: next(iter(one)),
)
def test_what_is_somebody_elses_stays(act: Act, account: Account, other: dict[str, str]) -> None:
    """Another project of the repository, another repository, another person."""
    act("apply", "theirs", **other)
    there = set(account.xray().rules)
    act("apply", "web", only=("xray",))
    act("destroy", "web")
    assert set(account.xray().rules) == there


def test_before_everything_goes_roles_are_looked_for_too(act: Act, account: Account) -> None:
    act("apply", "web", principal=True)
    gone = act("destroy", "web")
    assert {one for one in gone if "role" in one} == {
        f"delete IAM role shop-{purpose}" for purpose in ("daemon", "logs", "verify")
    }
    assert act("destroy", "web", principal=True) == []
    assert set(account.xray().groups) == {"Default"}


def test_where_there_is_nothing_but_ours_nothing_more_is_asked(act: Act, account: Account) -> None:
    act("apply", "web")
    account.calls.clear()
    act("apply", "web")
    assert account.counted == {
        "sts:GetCallerIdentity": 1,
        "xray:GetGroups": 1,
        "xray:GetSamplingRules": 1,
        "xray:ListTagsForResource": 2,
        "logs:DescribeLogGroups": 1,
        "logs:ListTagsForResource": 1,
        "iam:GetPolicy": 3,
        "iam:GetPolicyVersion": 3,
    }

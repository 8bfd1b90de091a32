"""Names at their limits: AWS takes what we make of them, or nobody is asked anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config.errors import ManifestError
from tests.provisioning.people import Person, arn, inventory, project

if TYPE_CHECKING:
    from tests.stand_ins.aws import Account, Aws

TAKEN: dict[str, dict[str, Any]] = {
    "longest": {
        "name": "x" * 63,
        "services": ("s" * 62 + "-a", "s" * 62 + "-b"),
        "xray": {"group": "g" * 32},
        "cloudwatch": {"log_group": "l" * 512},
    },
    "shortest": {"name": "x", "services": ("a",), "xray": {"group": "g"}, "cloudwatch": {"log_group": "l"}},
    "odd": {
        "name": "A b.C_d-E",
        "services": ("a.b-c_D", "B_2"),
        "xray": {"group": "A b.C_d-E"},
        "cloudwatch": {"log_group": "/aws/a.b-c_d/E"},
    },
    "least": {"xray": {"sampling": {"fixed_rate": 0, "reservoir": 0, "priority": 1}}},
    "most": {"xray": {"sampling": {"fixed_rate": 1, "reservoir": 2**31 - 1, "priority": 9999}}},
}
REFUSED: dict[str, dict[str, Any]] = {
    "the group of X-Ray's own": {"xray": {"group": "Default"}},
    "AWS's own log group": {"cloudwatch": {"log_group": "aws/shop"}},
    "a log group whose tags nobody can name": {"cloudwatch": {"log_group": "shop#1"}},
}


def person(aws: Aws, account: Account, given: dict[str, Any]) -> Person:
    keys = account.user("x" * 64)
    rest = {key: value for key, value in given.items() if key != "services"}
    principal = arn(account, "iam", f"user/{'x' * 64}")
    return Person(aws, keys, project(*given.get("services", ()), principal=principal, **rest))


@pytest.mark.parametrize("case", TAKEN)
def test_what_the_manifest_takes_aws_takes(aws: Aws, account: Account, case: str) -> None:
    before = inventory(account)
    somebody = person(aws, account, TAKEN[case])
    assert not somebody.apply().failed
    assert not somebody.plan().plan.pending
    assert not somebody.destroy().failed
    assert inventory(account) == before


@pytest.mark.parametrize("case", REFUSED)
def test_what_aws_would_refuse_is_refused_before_anybody_is_asked(
    aws: Aws, account: Account, case: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        person(aws, account, REFUSED[case]).plan()
    assert caught.value.hint
    assert not account.calls


def test_one_sampling_rule_more_than_there_may_be(aws: Aws, account: Account) -> None:
    """AWS raises the limit for who asks, so that only AWS knows it: all but that rule is made."""
    somebody = person(aws, account, {"services": tuple(f"web-{number}" for number in range(26))})
    outcome = somebody.apply()
    assert [change.resource.kind for change, _, _ in outcome.failed] == ["X-Ray sampling rule"]
    assert "RuleLimitExceeded" in outcome.failed[0][1]
    assert not outcome.skipped
    assert len(somebody.plan().plan.pending) == 1

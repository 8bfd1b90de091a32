"""The policies of the purposes: their form, what they grant, and that no name of a manifest widens one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.manifest import parse
from bootstrap.model.grant import PURPOSES
from bootstrap.provisioning.aws.documents import canonical, compact
from bootstrap.vendors import VENDORS, policies

if TYPE_CHECKING:
    from bootstrap.model.project import Project

#: characters that IAM counts of a managed policy, and STS of a session's
_LONGEST_POLICY, _LONGEST_SESSION_POLICY = 6144, 2048


def project(*vendors: str, name: str = "shop", region: str = "us-east-1", **telemetry: Any) -> Project:
    return parse(
        {
            "project": {"name": name, "region": region},
            "services": {"web": {"build": ".", "telemetry": list(vendors)}},
            "telemetry": telemetry,
        },
        {vendor.name: vendor.options for vendor in VENDORS.values()},
    )


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize(
    ("vendors", "purposes"),
    [
        ((), ()),
        (("rollbar", "honeycomb"), ()),
        (("xray",), ("daemon", "verify")),
        (("cloudwatch",), ("logs", "verify")),
        (("xray", "cloudwatch"), ("daemon", "logs", "verify")),
    ],
)
def test_there_is_a_policy_for_what_is_used(vendors: tuple[str, ...], purposes: tuple[str, ...]) -> None:
    assert policies.purposes(project(*vendors)) == purposes


def test_a_service_may_write_to_its_own_log_group_and_nothing_else() -> None:
    made = policies.policy(project("xray", "cloudwatch", region="cn-north-1"), "logs")
    assert made == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": ["arn:aws-cn:logs:cn-north-1:*:log-group:shop:*"],
            }
        ],
    }


def test_who_verifies_reads_and_does_nothing_else() -> None:
    made = policies.policy(project("xray", "cloudwatch"), "verify")
    assert [statement["Resource"] for statement in made["Statement"]] == [
        "*",
        ["arn:aws:logs:us-east-1:*:log-group:shop", "arn:aws:logs:us-east-1:*:log-group:shop:*"],
    ]
    verbs = ("BatchGet", "Get", "List", "Filter", "StartTraceRetrieval")
    assert all(action.partition(":")[2].startswith(verbs) for action in actions(made))
    assert policies.vendors_of(project("xray", "cloudwatch"), "verify") == {"xray", "cloudwatch"}
    assert policies.vendors_of(project("xray"), "verify") == {"xray"}


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"), st.from_regex(r"\A[.\-_/#A-Za-z0-9]{1,512}\Z"))
def test_whatever_the_names_a_policy_is_small_enough_and_no_wider(name: str, log_group: str) -> None:
    made = project("xray", "cloudwatch", name=name, cloudwatch={"log_group": log_group})
    for purpose in policies.purposes(made):
        document = policies.policy(made, purpose)
        assert len(compact(document)) <= _LONGEST_SESSION_POLICY < _LONGEST_POLICY
        assert document == policies.policy(made, purpose)
        for statement in document["Statement"]:
            assert set(statement) == {"Effect", "Action", "Resource"}
            for resource in statement["Resource"] if statement["Resource"] != "*" else ():
                assert resource.removesuffix(":*").endswith(f":*:log-group:{log_group}")
                assert "?" not in resource
    assert actions(policies.policy(made, "logs")).isdisjoint(actions(policies.policy(made, "daemon")))


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"))
def test_the_name_of_a_role_is_one_whatever_the_projects(name: str) -> None:
    made = project("xray", "cloudwatch", name=name)
    names = {policies.name(made, purpose) for purpose in PURPOSES}
    assert len(names) == len(PURPOSES)
    for one in names:
        assert 1 <= len(one) <= 64
        assert one == one.lower()
        assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")


@given(st.text("ab", min_size=63, max_size=63), st.text("ab", min_size=63, max_size=63))
def test_long_names_that_differ_late_stay_different(first: str, second: str) -> None:
    names = [policies.name(project("xray", name=name), "daemon") for name in (first, second)]
    assert (names[0] == names[1]) == (first == second)


def test_only_the_principal_may_assume_a_role() -> None:
    arn = "arn:aws:iam::123456789012:user/ann"
    (statement,) = policies.trust(arn)["Statement"]
    assert statement == {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}


@given(st.permutations(["logs:A", "logs:B", "logs:C"]), st.permutations([0, 1]))
def test_order_makes_no_difference_to_a_policy(order: list[str], statements: list[int]) -> None:
    parts: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": order, "Resource": ["x", "y"]},
        {"Resource": "*", "Action": "sts:AssumeRole", "Effect": "Allow"},
    ]
    shuffled = {"Statement": [parts[index] for index in statements], "Version": "2012-10-17"}
    plain = {"Version": "2012-10-17", "Statement": [{**parts[0], "Action": sorted(order)}, parts[1]]}
    assert canonical(shuffled) == canonical(json.loads(json.dumps(plain)))


@pytest.mark.parametrize(
    "other",
    [
        {"Effect": "Deny", "Action": ["logs:A"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["logs:A", "logs:B"], "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["logs:A"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["logs:A"], "Resource": "*", "Condition": {"Bool": {"x": "true"}}},
        {"Effect": "Allow", "Action": ["logs:A"], "Resource": ["*", "x"]},
        "not even a statement",
    ],
)
def test_what_means_something_else_is_different(other: Any) -> None:
    one = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:A", "Resource": "*"}}
    assert canonical(one) != canonical({"Version": "2012-10-17", "Statement": [other]})
    assert canonical(one) == canonical({**one, "Statement": [one["Statement"]]})


@pytest.mark.parametrize("document", [None, "text", {}, {"Statement": []}, {"Statement": "x"}, []])
def test_what_is_no_policy_is_compared_all_the_same(document: Any) -> None:
    assert canonical(document) == canonical(document)

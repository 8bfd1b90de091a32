"""Sampling rules and groups, in files and in an account, compared with the names of the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.sampling.rule_cache import RuleCache
from aws_xray_sdk.core.sampling.sampling_rule import SamplingRule
from aws_xray_sdk.core.utils.search_pattern import wildcard_match
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.manifest import parse
from bootstrap.model.remark import Mark
from bootstrap.vendors import VENDORS, xray
from bootstrap.vendors.naming.searching import transaction_search
from bootstrap.vendors.naming.sought import of_account as judged
from bootstrap.vendors.naming.sought import of_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.model.project import Project
    from bootstrap.model.remark import Remark


# The SDK opens a socket when it is imported, and has no way to close it.
xray_recorder.emitter._socket.close()


def project(*services: str, **options: Any) -> Project:
    return parse(
        {
            "project": {"name": "Cruddur"},
            "services": {name: {"build": ".", "telemetry": ["xray"]} for name in services},
            "telemetry": {"xray": options},
        },
        {name: vendor.options for name, vendor in VENDORS.items()},
    )


def of_account(
    project: Project, groups: list[dict[str, Any]], rules: list[dict[str, Any]]
) -> Iterator[Remark]:
    wanted = [(service, xray.sampling_rule(project, service)) for service in project.services.values()]
    return judged(xray.group(project)["GroupName"], wanted, groups, rules)


TWO = project("backend-flask", "messages")


def rule(name: str, **changed: Any) -> dict[str, Any]:
    own = xray.sampling_rule(TWO, TWO.services["backend-flask"])
    return {**own, "RuleName": name, "Priority": 100, **changed}


def test_the_files_of_this_project_agree() -> None:
    documents = {
        "aws/json/xray-group.json": xray.group(TWO),
        **{
            f"aws/json/{name}.json": {"SamplingRule": xray.sampling_rule(TWO, service)}
            for name, service in TWO.services.items()
        },
        "aws/json/log-group.json": {"logGroupName": "cruddur"},
    }
    assert list(of_files(TWO, documents)) == []


@pytest.mark.parametrize(
    ("document", "mark", "says"),
    [
        (
            {"SamplingRule": rule("Cruddur", ServiceName="Cruddur")},
            Mark.PROBLEM,
            "is for 'Cruddur', and no service",
        ),
        (
            {"FilterExpression": 'service("https://4567-x.gitpod.io") {fault OR error}'},
            Mark.PROBLEM,
            "can never match",
        ),
        ({"FilterExpression": 'service("backend-flask")'}, Mark.PROBLEM, "leaves out messages"),
        (
            {"FilterExpression": 'service("backend-flask") OR service("messages") {fault}'},
            Mark.NOTE,
            "only some requests of messages",
        ),
    ],
)
def test_a_file_that_disagrees_is_named(document: dict[str, Any], mark: Mark, says: str) -> None:
    (remark,) = of_files(TWO, {"aws/json/xray.json": document})
    assert (remark.mark, remark.text.startswith("aws/json/xray.json: ")) == (mark, True)
    assert says in remark.text


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"SamplingRule": "text"},
        {"SamplingRule": {"ServiceName": 3}},
        {"FilterExpression": ["x"]},
        {"FilterExpression": "((("},
    ],
)
def test_what_is_no_rule_and_no_group_is_left(document: dict[str, Any]) -> None:
    assert list(of_files(TWO, {"aws/json/other.json": document})) == []


def test_a_rule_that_goes_before_ours_is_named() -> None:
    others = [
        rule("Everything", ServiceName="*", Priority=5000),
        rule("Health", ServiceName="BACKEND-*", URLPath="/health", Priority=1),
        rule("a-name-before-ours", ServiceName="messages", Priority=9000),
    ]
    of = "the sampling rule {!r} (priority {}) decides about {} before {!r} (priority 9000)".format
    health = "requests of backend-flask with URLPath /health"
    assert [remark.text for remark in of_account(TWO, [], others)] == [
        of("Health", 1, health, "backend-flask"),
        of("Everything", 5000, "backend-flask", "backend-flask"),
        of("Everything", 5000, "messages", "messages"),
        of("a-name-before-ours", 9000, "messages", "messages"),
    ]
    assert {remark.mark for remark in of_account(TWO, [], others)} == {Mark.NOTE}


def test_rules_that_do_not_concern_us_are_not() -> None:
    others = [
        {"RuleName": "Default", "Priority": 10000, "ServiceName": "*", "ResourceARN": "*", "Version": 1},
        rule("later", Priority=9001),
        rule("somebody's", ServiceName="their-api"),
        rule("by attribute", Attributes={"a": "b"}),
        rule("by resource", ResourceARN="arn:aws:lambda:us-east-1:123456789012:function:f"),
        rule("backend-flask"),  # ours: drift says what it is
        rule("messages", ServiceName="*"),
    ]
    assert list(of_account(TWO, [], others)) == []


def test_a_group_that_shows_nothing_is_named_and_ours_is_left_to_drift() -> None:
    never = 'service("https://4567-x.gitpod.io")'
    groups = [
        {"GroupName": "Old", "FilterExpression": never},
        {"GroupName": "Cruddur", "FilterExpression": never},
        {"GroupName": "Theirs", "FilterExpression": 'service("api") {fault}'},
        {"GroupName": "Odd", "FilterExpression": "((("},
        {"GroupName": "Default"},
    ]
    (remark,) = of_account(TWO, groups, [])
    assert remark.text.startswith("the X-Ray group 'Old' can never show a trace")


patterns = st.text(alphabet="sabA*?[]!-. ", max_size=8)


@given(patterns, st.text(alphabet="abAB-._", min_size=1, max_size=8).map("s{}".format))
def test_services_match_as_the_sdk_matches_them(pattern: str, name: str) -> None:
    shop = project("web")
    shop.services["web"] = type(shop.services["web"])("web", name, build=".", telemetry=("xray",))
    found = list(of_account(shop, [], [rule("other", ServiceName=pattern)]))
    assert bool(found) == (wildcard_match(pattern or "*", name))


@given(st.lists(st.tuples(st.integers(1, 9999), st.text(alphabet="az_", min_size=1, max_size=3)), max_size=6))
def test_what_goes_first_goes_first_in_the_sdk(others: list[tuple[int, str]]) -> None:
    by_name = {name: priority for priority, name in others}
    made = [rule(name, Priority=priority) for name, priority in by_name.items()]
    cache = RuleCache()
    cache.last_updated = 1
    own = xray.sampling_rule(TWO, TWO.services["backend-flask"])
    cache.load_rules(
        [
            SamplingRule(each["RuleName"], each["Priority"], 0.1, 1, "*", "*", "*", each["ServiceName"], "*")
            for each in [own, *made]
        ]
    )
    before = [each.name for each in cache.rules[: [each.name for each in cache.rules].index("backend-flask")]]
    found = [remark.text.split("'")[1] for remark in of_account(TWO, [], made)]
    assert found == before


def test_each_answer_about_transaction_search_says_what_verify_does() -> None:
    found = [transaction_search(answer) for answer in ("CloudWatchLogs", "XRay", None)]
    assert [remark.mark for remark in found] == [Mark.OK, Mark.OK, Mark.UNKNOWN]
    assert all("`verify`" in remark.text for remark in found)
    assert "is on" in found[0].text
    assert "is off" in found[1].text

"""What plan says beside the plan: whom else X-Ray follows, where traces are, and names that disagree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.system.files import ProjectFiles
from tests.provisioning.people import Person, project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.conftest import Bootstrap, Repository
    from tests.stand_ins.aws import Account, Aws

REGION = "us-east-1"
OFF = "Transaction Search is off: traces are kept in X-Ray, where `verify` reads them with BatchGetTraces; "
OFF += "X-Ray's OTLP endpoint takes no spans"
MANIFEST = """\
[project]
name = "shop"

[services.web]
build = "web"
telemetry = ["xray"]
"""


@pytest.fixture
def person(aws: Aws, keys: dict[str, str]) -> Person:
    return Person(aws, keys, project("web", region=REGION))


def said(person: Person, **asked: Any) -> list[str]:
    return [remark for account in person.plan(**asked).accounts for remark in account.remarks]


def test_transaction_search_is_asked_for_once_and_explained(person: Person, account: Account) -> None:
    assert said(person) == [OFF]
    account.xray(REGION).searched = True
    account.calls.clear()
    (line,) = said(person)
    assert line.startswith("Transaction Search is on: traces are kept in CloudWatch Logs (aws/spans)")
    assert account.counted["xray:GetTraceSegmentDestination"] == 1
    assert account.counted["xray:GetGroups"] == account.counted["xray:GetSamplingRules"] == 1


def test_who_may_not_ask_for_it_is_told_what_that_means(aws: Aws, account: Account) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "xray:GetTraceSegmentDestination", "Resource": "*"}
    keys = account.user("limited", {"Version": "2012-10-17", "Statement": [everything, denied]})
    (line,) = said(Person(aws, keys, project("web", region=REGION)))
    assert line.startswith("whether Transaction Search is on cannot be told")
    assert line.endswith("Allow xray:GetTraceSegmentDestination on *")


def test_what_else_decides_in_the_account_is_named(person: Person, clients: Callable[..., Any]) -> None:
    xray = clients("xray", region=REGION)
    rule = {"RuleName": "all", "ResourceARN": "*", "Priority": 1, "FixedRate": 0.0, "ReservoirSize": 0}
    anything = dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*")
    xray.create_sampling_rule(SamplingRule={**rule, **anything, "Version": 1})
    xray.create_group(GroupName="Old", FilterExpression='service("https://4567-x.gitpod.io") {fault}')
    group, sampling = said(person)[1:]
    assert group.startswith("the X-Ray group 'Old' can never show a trace: ")
    before = "the sampling rule 'all' (priority 1) decides about web before 'web' (priority 9000)"
    assert sampling.partition(". ")[0] == before
    assert said(person, direction="destroy") == []
    assert said(person, only=["cloudwatch"]) == []


def test_names_in_the_source_are_compared_too(person: Person, tmp_path: Path) -> None:
    source = "from aws_xray_sdk.core import xray_recorder\nxray_recorder.configure(service='Cruddur')\n"
    (tmp_path / "app.py").write_text(source)
    (line,) = said(person, files=ProjectFiles(tmp_path))[1:]
    assert line.startswith("app.py:2: the recorder is called 'Cruddur', and the sampling rule and the group")


def test_a_person_and_a_program_read_them(
    aws: Aws, account: Account, repository: Repository, bootstrap: Bootstrap
) -> None:
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("web/Dockerfile", "FROM scratch\n")
    repository.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    environ = {**aws.environ, **account.user("somebody")}
    bootstrap("provision", "plan", cwd=repository.root, env=environ).check(5, f"AWS: {OFF}")
    told = bootstrap("provision", "plan", "--json", cwd=repository.root, env=environ)
    assert json.loads(told.out)["accounts"][0]["remarks"] == [OFF]

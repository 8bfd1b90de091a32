"""The documents for AWS, checked by AWS's own model of each call, and those that the documentation names."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT, *(folder / "expected" for folder in (ROOT / "tests" / "rendering" / "scenarios").iterdir())]
#: start of a file's name -> the call that it has the arguments of
CALLS = {
    "xray-group": ("xray", "CreateGroup"),
    "xray-sampling-rule-": ("xray", "CreateSamplingRule"),
    "log-group": ("logs", "CreateLogGroup"),
    "log-retention": ("logs", "PutRetentionPolicy"),
}
PATHS = [path for folder in FOLDERS for path in sorted(folder.glob("aws/json/*.json"))]


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_arguments_are_those_of_the_call(path: Path) -> None:
    service, operation = next(call for start, call in CALLS.items() if path.name.startswith(start))
    shape = get_session().get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(document(path), shape)
    assert not report.has_errors(), report.generate_report()


def test_there_is_one_of_each_where_everything_is_used() -> None:
    expected = {"log-group.json", "log-retention.json", "xray-group.json"}
    assert {path.name for path in PATHS if path.is_relative_to(ROOT / "aws")} == {
        *expected,
        "xray-sampling-rule-backend-flask.json",
    }


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"(?:file://|`)(aws/[a-z/-]+\.json)", page.read_text(encoding="utf-8")))
    missing = {path for path in named if not (ROOT / path).exists()}
    assert missing <= {"aws/policies/trust.json"}  # only where there is a principal


def test_the_log_group_of_its_retention_is_the_one_that_is_made() -> None:
    made, kept = (document(ROOT / "aws" / "json" / f"log-{name}.json") for name in ("group", "retention"))
    assert made["logGroupName"] == kept["logGroupName"]

"""What each vendor asks of a service, checked against what AWS itself accepts where that is written down."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.manifest import parse
from bootstrap.model.environment import CollectorAddress, FromSecret, Text, Variable, WhenSecret
from bootstrap.vendors import VENDORS
from bootstrap.vendors.cloudwatch import log_group
from bootstrap.vendors.xray import group, sampling_rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bootstrap.model.project import Project

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
COLLECTOR = CollectorAddress(otlp="http://127.0.0.1:4318", daemon="127.0.0.1:2000")

project_names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z")
service_names = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")
otel_names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def project(name: str = "Shop", *services: str, **telemetry: Any) -> Project:
    return parse(
        {
            "project": {"name": name},
            "services": {
                service: {"build": ".", "telemetry": list(VENDORS)} for service in services or ("web",)
            },
            "telemetry": telemetry,
        },
        OPTIONS,
    )


def values(variables: Iterable[Variable]) -> dict[str, Any]:
    return {variable.name: variable.value for variable in variables}


@functools.cache
def service_model(service: str) -> Any:
    session = pytest.importorskip("botocore.session", reason="botocore is not installed")
    return session.get_session().get_service_model(service)


def check_against_aws(service: str, operation: str, arguments: dict[str, Any]) -> None:
    """Validate against the model that every AWS client has; it holds names, types and limits."""
    validate = pytest.importorskip("botocore.validate", reason="botocore is not installed")
    shape = service_model(service).operation_model(operation).input_shape
    report = validate.ParamValidator().validate(arguments, shape)
    assert not report.has_errors(), report.generate_report()
    for name, member in shape.members.items():  # it validates lower limits alone
        check_limits(arguments.get(name), member)


def check_limits(value: Any, shape: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            check_limits(item, shape.members[name])
    limit = shape.metadata.get("max")
    if limit is not None and value is not None:
        assert (len(value) if isinstance(value, str | list) else value) <= limit, (shape.name, value)
    pattern = shape.metadata.get("pattern")
    assert pattern is None or not isinstance(value, str) or re.fullmatch(pattern, value)


@settings(max_examples=50, deadline=None)
@given(name=project_names, services=st.sets(service_names, min_size=1, max_size=4), otel=otel_names)
def test_aws_accepts_every_group_rule_and_log_group(name: str, services: set[str], otel: str) -> None:
    made = project(name, *sorted(services))
    check_against_aws("xray", "CreateGroup", group(made))
    check_against_aws("logs", "CreateLogGroup", {"logGroupName": log_group(made)})
    rules = [sampling_rule(made, service) for service in made.services.values()]
    for rule in rules:
        check_against_aws("xray", "CreateSamplingRule", {"SamplingRule": rule})
    assert len({rule["RuleName"] for rule in rules}) == len(rules)
    assert all(rule["ServiceName"] == service for rule, service in zip(rules, made.services, strict=True))
    renamed = parse(
        {
            "project": {"name": name},
            "services": {"web": {"image": "x", "telemetry": ["xray"], "otel_service_name": otel}},
        },
        OPTIONS,
    )
    rule = sampling_rule(renamed, renamed.services["web"])
    check_against_aws("xray", "CreateSamplingRule", {"SamplingRule": rule})
    # The recorder, the rule and the group go by one name, so that they cannot disagree.
    assert rule["ServiceName"] == otel
    assert group(renamed)["FilterExpression"] == f'service("{otel}")'


def test_long_names_that_differ_late_stay_different() -> None:
    names = ["a" * 40 + "-one", "a" * 40 + "-two", "a" * 32, "a" * 33]
    made = project("Shop", *names)
    rules = {sampling_rule(made, made.services[name])["RuleName"] for name in names}
    assert len(rules) == 4
    assert all(len(rule) <= 32 for rule in rules)
    assert "a" * 32 in rules


def test_the_group_names_every_service_that_reports_and_no_other() -> None:
    made = parse(
        {
            "project": {"name": "Shop"},
            "services": {
                "web": {"build": ".", "telemetry": ["xray"], "otel_service_name": "Web.1"},
                "job": {"build": ".", "telemetry": ["honeycomb", "xray"]},
                "db": {"image": "postgres"},
            },
            "telemetry": {"xray": {"group": "Cruddur", "sampling": {"fixed_rate": 1, "reservoir": 0}}},
        },
        OPTIONS,
    )
    assert group(made) == {"GroupName": "Cruddur", "FilterExpression": 'service("Web.1") OR service("job")'}
    rule = sampling_rule(made, made.services["web"])
    assert (rule["FixedRate"], rule["ReservoirSize"], rule["Priority"]) == (1.0, 0, 9000)


@pytest.mark.parametrize(
    ("region", "endpoint"), [("us", "https://api.honeycomb.io"), ("eu", "https://api.eu1.honeycomb.io")]
)
def test_honeycomb_of_a_region(region: str, endpoint: str) -> None:
    made = project(honeycomb={"region": region})
    assert values(VENDORS["honeycomb"].cloud(made, made.services["web"], "host")) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": WhenSecret("HONEYCOMB_API_KEY", endpoint),
        "OTEL_EXPORTER_OTLP_HEADERS": FromSecret("HONEYCOMB_API_KEY", prefix="x-honeycomb-team="),
    }


def test_the_daemon_is_reached_by_containers_alone() -> None:
    made = project()
    assert values(VENDORS["xray"].cloud(made, made.services["web"], "host")) == {}
    inside = values(VENDORS["xray"].cloud(made, made.services["web"], "container"))
    assert inside["AWS_XRAY_DAEMON_ADDRESS"] == Text("xray-daemon:2000")


def test_the_daemon_has_the_keys_and_the_region_that_it_reads() -> None:
    make = VENDORS["xray"].sidecar
    assert make is not None
    daemon = make(project())
    assert daemon.command == ("-o",)
    assert values(daemon.variables) == {
        "AWS_REGION": Text("us-east-1"),
        "AWS_EC2_METADATA_DISABLED": Text("true"),
        "AWS_ACCESS_KEY_ID": FromSecret("AWS_ACCESS_KEY_ID", purpose="daemon"),
        "AWS_SECRET_ACCESS_KEY": FromSecret("AWS_SECRET_ACCESS_KEY", purpose="daemon"),
        "AWS_SESSION_TOKEN": FromSecret("AWS_SESSION_TOKEN", purpose="daemon"),
    }


@pytest.mark.parametrize("name", VENDORS)
def test_the_local_collector_gets_no_key(name: str) -> None:
    made = project()
    local = VENDORS[name].local
    assert local is not None
    variables = values(local(made, made.services["web"], COLLECTOR))
    assert all(isinstance(value, Text) for value in variables.values())
    shown = [value.text for value in variables.values()]
    assert any(text == COLLECTOR.daemon or text.startswith(COLLECTOR.otlp) for text in shown)


@pytest.mark.parametrize("name", VENDORS)
def test_every_vendor_works_without_a_table_of_its_own(name: str) -> None:
    vendor = VENDORS[name]
    assert vendor.name == name
    made = project()
    used = {
        value.secret
        for variable in vendor.cloud(made, made.services["web"], "container")
        if isinstance(value := variable.value, FromSecret | WhenSecret)
    }
    assert used <= {spec.name for spec in vendor.secrets}
    for spec in vendor.secrets:
        assert spec.description
        assert (spec.documentation or "").startswith("https://")
        re.compile(spec.pattern or "")


@pytest.mark.parametrize(
    ("vendor", "name", "good", "bad"),
    [
        ("honeycomb", "HONEYCOMB_API_KEY", "0" * 32, "0" * 33),
        ("honeycomb", "HONEYCOMB_API_KEY", "a" * 22, "a b"),
        ("honeycomb", "HONEYCOMB_API_KEY", "hcaik_" + "0" * 58, "hcaik_" + "0" * 57),
        ("honeycomb", "HONEYCOMB_API_KEY", "hcbik_" + "0" * 58, "hcbik_" + "0" * 58 + "\n"),
        ("honeycomb", "HONEYCOMB_CONFIGURATION_KEY", "a" * 22, "0" * 32),
        ("rollbar", "ROLLBAR_ACCESS_TOKEN", "0" * 32, "0" * 64),
        ("rollbar", "ROLLBAR_READ_TOKEN", "0" * 32, "0" * 33),
        ("rollbar", "ROLLBAR_ACCESS_TOKEN", "a" * 96, '"' + "0" * 32 + '"'),
        ("xray", "AWS_ACCESS_KEY_ID", "AKIA" + "A" * 16, "AKIA" + "a" * 16),
        ("xray", "AWS_SECRET_ACCESS_KEY", "a" * 40, "a" * 39),
        ("xray", "AWS_SECRET_ACCESS_KEY", "a" * 40, "a" * 40 + "\n"),
        ("xray", "AWS_SESSION_TOKEN", "a" * 356, "a" * 40),
    ],
)
def test_the_shapes_of_secrets(vendor: str, name: str, good: str, bad: str) -> None:
    pattern = next(spec.pattern for spec in VENDORS[vendor].secrets if spec.name == name)
    assert pattern is not None
    assert re.search(pattern, good)
    assert not re.search(pattern, bad)


@pytest.mark.parametrize("name", VENDORS)
def test_what_is_not_for_services_is_in_none(name: str) -> None:
    made = project()
    service, vendor = made.services["web"], VENDORS[name]
    kept = {spec.name for spec in vendor.secrets if spec.audience != "service"}
    variables = [*vendor.cloud(made, service, "host"), *vendor.cloud(made, service, "container")]
    if vendor.sidecar is not None:
        variables += vendor.sidecar(made).variables
    used = {value.secret for one in variables if isinstance(value := one.value, FromSecret | WhenSecret)}
    assert used & kept == set()
    assert {spec.audience for spec in vendor.secrets} <= {"service", "verify", "provision"}


TOKENS = {
    "a Honeycomb key": ("hcaik_" + "a1" * 29, "hcbic_" + "a1" * 29, "hcalk_" + "a1" * 29),
    "a Honeycomb management key": ("hcamk_" + "a1" * 13 + ":" + "b2" * 16,),
    "a Honeycomb Classic key": ("a1" * 16,),
    "a Honeycomb configuration key": ("aB3" * 7 + "x", "aB3" * 7, "1" * 20, "aB3" * 7 + "xy"),
    "a Rollbar access token": ("a1" * 16, "a1" * 48),
    "the id of an AWS access key": ("AKIA" + "A7" * 8, "ASIA" + "A7" * 8),
    "an AWS secret access key": ("aB/+" * 10,),
    "an AWS session token": ("aB/+" * 50 + "==",),
}
LOOKALIKES = {
    "a Honeycomb configuration key": "somebodysCamelCaseName",
    "an AWS secret access key": "a1" * 20,
}


def test_every_token_is_found_by_its_shape() -> None:
    shapes = [shape for vendor in VENDORS.values() for shape in vendor.tokens]
    assert {shape.title for shape in shapes} == set(TOKENS)
    for title, tokens in TOKENS.items():
        patterns = [re.compile(shape.pattern, re.ASCII) for shape in shapes if shape.title == title]
        assert all(pattern.groups == 0 for pattern in patterns)
        assert all(any(pattern.fullmatch(token) for pattern in patterns) for token in tokens), title
        if title in LOOKALIKES:
            assert not any(pattern.fullmatch(LOOKALIKES[title]) for pattern in patterns)


def test_a_shape_that_others_share_needs_a_word_nearby() -> None:
    shapes = {shape for vendor in VENDORS.values() for shape in vendor.tokens}
    checksum, identifier = "a1" * 16, "aB3" * 7
    for shape in shapes:
        if any(re.fullmatch(shape.pattern, word, re.ASCII) for word in (checksum, identifier)):
            assert shape.keywords
            assert all(word == word.lower() for word in shape.keywords)

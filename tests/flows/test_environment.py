"""One service's environment: what it is made of, where each part comes from, and what it must not hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from bootstrap.config.errors import ManifestError
from bootstrap.config.manifest import parse
from bootstrap.flows.environment import (
    Lookup,
    as_stored,
    fill_in,
    resolve,
    scrubbed,
    secret_specs,
    service_named,
)
from bootstrap.flows.run import child_environment
from bootstrap.model.environment import Cloud, CollectorAddress, Local, Route, Text, Variable
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.model.secret import Secret, masked
from bootstrap.rendering.compose import environment_of
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.model.project import Project

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
LOCAL = Local(CollectorAddress(otlp="http://127.0.0.1:4318", daemon="127.0.0.1:2000"))
CLOUD: dict[str, Route] = dict.fromkeys(VENDORS, Cloud())

PROJECT = parse(
    {
        "project": {"name": "shop", "region": "eu-west-1"},
        "services": {
            "web": {
                "build": "web",
                "port": 8000,
                "otel_service_name": "Web",
                "telemetry": ["honeycomb", "xray", "cloudwatch", "rollbar"],
                "environment": {"ME": "${url:web}", "DB": "${address:db}:${port:db}", "PRICE": "$5 ${X}"},
                "secrets": {"DATABASE_URL": "SHOP_DATABASE_URL"},
            },
            "job": {"build": "job", "secrets": ["JOB_KEY"]},
            "db": {"image": "postgres:16-alpine", "port": 5432, "secrets": ["DB_PASSWORD"]},
        },
        "secrets": {"SHOP_DATABASE_URL": {}, "JOB_KEY": {}, "DB_PASSWORD": {}},
    },
    OPTIONS,
)


def url(port: int) -> str:
    return f"https://{port}-shop.example.com"


def from_environment(values: dict[str, str]) -> Lookup:
    """Look secrets up as in the variables of a process."""

    def lookup(name: str) -> Secret | None:
        return Secret(values[name], "environment") if values.get(name) else None

    return lookup


def made(
    name: str,
    view: Any = "host",
    routing: dict[str, Route] | None = None,
    secrets: dict[str, str] | None = None,
    project: Project = PROJECT,
) -> dict[str, str]:
    variables = resolve(
        project, project.services[name], view=view, routing=CLOUD if routing is None else routing, url=url
    )
    give = as_stored(from_environment(secrets or {}))
    return {item.name: item.text for item in fill_in(variables, give)}


def test_on_the_host_without_secrets_no_vendor_is_half_on() -> None:
    assert made("web") == {
        "OTEL_SERVICE_NAME": "Web",
        "PORT": "8000",
        "TRACE_HEADERS": "trusted",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "ROLLBAR_ENVIRONMENT": "development",
        "ME": "https://8000-shop.example.com",
        "DB": "127.0.0.1:5432",
        "PRICE": "$5 ${X}",
    }


def test_a_public_service_believes_only_who_knows_the_key_of_the_run() -> None:
    tables: dict[str, Any] = {
        "web": {"build": "web", "port": 8000, "telemetry": ["xray"]},
        "job": {"build": "job"},
    }
    public = {**tables, "web": {**tables["web"], "public": True}}
    for services, given, expected in (
        (tables, {}, {"TRACE_HEADERS": "trusted"}),
        (tables, {"TRACE_PROOF_KEY": "fake"}, {"TRACE_HEADERS": "trusted"}),
        (public, {}, {}),
        (public, {"TRACE_PROOF_KEY": "fake"}, {"TRACE_PROOF_KEY": "fake"}),
    ):
        project = parse({"project": {"name": "shop", "region": "eu-west-1"}, "services": services}, OPTIONS)
        seen = made("web", secrets=given, project=project)
        assert {name: value for name, value in seen.items() if name.startswith("TRACE_")} == expected
        assert not [name for name in made("job", secrets=given, project=project) if name.startswith("TRACE_")]
    environ = {
        "TRACE_HEADERS": "trusted",
        "TRACE_PROOF_KEY": "fake",
        "TRACE_PEERS": "a:1",
        "HOME": "/home/me",
    }
    assert scrubbed(environ, PROJECT) == {"HOME": "/home/me"}


def calling(caller: dict[str, Any], callee: dict[str, Any], environment: dict[str, str]) -> Project:
    services = {
        "web": {"build": "web", "port": 8000, "telemetry": ["xray"], "environment": environment, **caller},
        "api": {"build": "api", "port": 9000, "telemetry": ["honeycomb"], **callee},
        "db": {"image": "postgres:16-alpine", "port": 5432, "telemetry": ["xray"]},
    }
    return parse({"project": {"name": "shop", "region": "eu-west-1"}, "services": services}, OPTIONS)


API = {"API": "http://${address:api}:${port:api}/", "API_AGAIN": "${address:api}", "DB": "${address:db}"}


@pytest.mark.parametrize(("view", "peer"), [("host", "127.0.0.1:9000"), ("container", "api:9000")])
def test_who_calls_siblings_knows_them_and_can_prove_itself(view: str, peer: str) -> None:
    project = calling({}, {}, API)
    for caller in ({"public": True}, {}):
        project = calling(caller, {}, API)
        seen = made("web", view, secrets={"TRACE_PROOF_KEY": "fake"}, project=project)
        trusted = {} if caller else {"TRACE_HEADERS": "trusted"}
        assert {name: value for name, value in seen.items() if name.startswith("TRACE_")} == {
            **trusted,
            "TRACE_PROOF_KEY": "fake",
            "TRACE_PEERS": peer,
        }
    moved = replace(
        project, services={**project.services, "api": replace(project.services["api"], port=9001)}
    )
    assert made("web", view, project=moved)["TRACE_PEERS"] == peer.replace("1:9000", "1:9001")


@pytest.mark.parametrize(
    ("callee", "environment"),
    [
        ({}, {}),
        ({}, {"API": "${url:api}"}),  # the way of browsers, on which anybody may listen
        ({}, {"DB": "${address:db}:${port:db}"}),
        ({"telemetry": []}, API),
    ],
)
def test_nobody_else_is_a_sibling(callee: dict[str, Any], environment: dict[str, str]) -> None:
    seen = made("web", secrets={"TRACE_PROOF_KEY": "fake"}, project=calling({}, callee, environment))
    assert {name: value for name, value in seen.items() if name.startswith("TRACE_")} == {
        "TRACE_HEADERS": "trusted"
    }


def test_without_telemetry_nothing_is_said_about_traces() -> None:
    seen = made("web", project=calling({"telemetry": []}, {}, API), secrets={"TRACE_PROOF_KEY": "fake"})
    assert not [name for name in seen if name.startswith("TRACE_")]


@pytest.mark.parametrize("name", ["TRACE_HEADERS", "TRACE_PROOF_KEY", "TRACE_PEERS"])
@pytest.mark.parametrize("public", [True, False])
def test_a_manifest_cannot_say_otherwise(name: str, *, public: bool) -> None:
    service = {
        "build": "web",
        "port": 8000,
        "public": public,
        "telemetry": ["xray"],
        "environment": {name: "x"},
    }
    project = parse(
        {"project": {"name": "shop", "region": "eu-west-1"}, "services": {"web": service}}, OPTIONS
    )
    with pytest.raises(ManifestError, match=name):
        made("web", project=project)


def test_in_a_container_neighbours_go_by_name() -> None:
    seen = made("web", "container")
    assert seen["DB"] == "db:5432"
    assert seen["ME"] == "https://8000-shop.example.com"
    assert seen["AWS_XRAY_DAEMON_ADDRESS"] == "xray-daemon:2000"


def test_secrets_turn_their_vendor_on() -> None:
    seen = made(
        "web",
        secrets={
            "HONEYCOMB_API_KEY": "fake-key",
            "AWS_ACCESS_KEY_ID": "fake-id",
            "SHOP_DATABASE_URL": "fake-url",
        },
    )
    assert seen["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://api.honeycomb.io"
    assert seen["OTEL_EXPORTER_OTLP_HEADERS"] == "x-honeycomb-team=fake-key"
    assert seen["CLOUDWATCH_LOG_GROUP"] == "shop"
    assert seen["AWS_ACCESS_KEY_ID"] == "fake-id"
    assert seen["DATABASE_URL"] == "fake-url"
    assert "SHOP_DATABASE_URL" not in seen
    assert "HONEYCOMB_API_KEY" not in seen


def test_a_service_sees_no_secret_but_its_own() -> None:
    every = {name: f"fake-{name}" for name in secret_specs(PROJECT)}
    assert made("job", secrets=every) == {"OTEL_SERVICE_NAME": "job", "JOB_KEY": "fake-JOB_KEY"}
    assert made("db", secrets=every) == {"DB_PASSWORD": "fake-DB_PASSWORD"}


def test_the_local_collector_receives_without_any_key() -> None:
    seen = made("web", routing={"honeycomb": LOCAL, "xray": LOCAL}, secrets={"HONEYCOMB_API_KEY": "fake-key"})
    assert seen["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    assert seen["AWS_XRAY_DAEMON_ADDRESS"] == "127.0.0.1:2000"
    assert "fake-key" not in "".join(seen.values())


def test_lines_and_items_stay_here_without_any_key() -> None:
    every = {name: f"fake-{name}" for name in secret_specs(PROJECT)}
    seen = made("web", routing={"cloudwatch": LOCAL, "rollbar": LOCAL}, secrets=every)
    expected = {
        "CLOUDWATCH_LOG_GROUP": "shop",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:4318",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "ROLLBAR_ACCESS_TOKEN": "local",
        "ROLLBAR_ENDPOINT": "http://127.0.0.1:4318/api/1/",
        "ROLLBAR_ENVIRONMENT": "development",
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert not [value for value in seen.values() if "fake-AWS" in value or "fake-ROLLBAR" in value]


AWS_KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
OWN_KEYS: dict[str, Any] = {"build": "web", "telemetry": ["cloudwatch"], "secrets": AWS_KEYS}


@pytest.mark.parametrize("given", [{}, dict.fromkeys(AWS_KEYS, "fake-key")], ids=["unset", "set"])
def test_a_service_that_declares_the_keys_itself_gets_them(given: dict[str, str]) -> None:
    project = parse({"project": {"name": "shop"}, "services": {"web": OWN_KEYS}}, OPTIONS)
    local = made("web", project=project, routing={"cloudwatch": LOCAL}, secrets=given)
    assert {local[name] for name in AWS_KEYS} == set(given.values() or ["local"])
    assert local["CLOUDWATCH_LOG_GROUP"] == "shop"
    inside = resolve(
        project, project.services["web"], view="container", routing={"cloudwatch": LOCAL}, url=url
    )
    assert str(environment_of(inside)["AWS_ACCESS_KEY_ID"]) == "${AWS_ACCESS_KEY_ID:-local}"
    cloud = made("web", project=project, secrets=given)
    assert {name: cloud[name] for name in AWS_KEYS if name in cloud} == given


def test_nothing_but_a_key_is_the_services_to_decide() -> None:
    service = {**OWN_KEYS, "secrets": ["CLOUDWATCH_LOG_GROUP"]}
    tables = {
        "project": {"name": "shop"},
        "services": {"web": service},
        "secrets": {"CLOUDWATCH_LOG_GROUP": {}},
    }
    with pytest.raises(ManifestError, match="CLOUDWATCH_LOG_GROUP is already set"):
        made("web", project=parse(tables, OPTIONS), routing={"cloudwatch": LOCAL})


def test_a_vendor_without_a_route_is_off() -> None:
    assert not [name for name in made("web", routing={}) if name.startswith(("AWS_", "OTEL_EXP", "ROLLBAR"))]


def test_every_value_knows_where_it_came_from() -> None:
    variables = resolve(PROJECT, PROJECT.services["web"], view="host", routing=CLOUD, url=url)
    origins = {
        item.name: item.origin
        for item in fill_in(variables, as_stored(from_environment({"HONEYCOMB_API_KEY": "x"})))
    }
    assert origins["OTEL_SERVICE_NAME"] == "services.web.otel_service_name"
    assert origins["ME"] == "services.web.environment"
    assert origins["OTEL_EXPORTER_OTLP_HEADERS"] == "secret HONEYCOMB_API_KEY (environment)"
    assert origins["AWS_REGION"] == "project.region"


def test_what_names_this_workspace_is_told_from_what_does_not() -> None:
    variables = resolve(PROJECT, PROJECT.services["web"], view="container", routing=CLOUD, url=url)
    assert [
        variable.name
        for variable in variables
        if isinstance(variable.value, Text) and variable.value.per_workspace
    ] == ["ME"]


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "BASH_ENV", "HTTPS_PROXY", "GIT_SSH_COMMAND", "PYTHONPATH"]
)
def test_a_variable_that_changes_how_programs_behave_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match=f"^{name}: changes how"):
        fill_in([Variable(name, Text("x"), "services.web.environment")], lambda _name: None)


def test_an_undeclared_secret_and_an_unknown_service_are_named() -> None:
    wrong = parse(
        {"project": {"name": "shop"}, "services": {"web": {"build": ".", "secrets": ["NO_KEY"]}}}, OPTIONS
    )
    with pytest.raises(ManifestError, match=r"services\.web\.secrets: nobody declares NO_KEY"):
        made("web", project=wrong)
    with pytest.raises(UsageError, match="no service 'wbe'") as caught:
        service_named(PROJECT, "wbe")
    assert "web, job, db" in caught.value.hint


def test_a_child_inherits_nothing_of_another_service(tmp_path: Path) -> None:
    inherited = {
        "OTEL_SERVICE_NAME": "other",
        "OTEL_EXPORTER_OTLP_HEADERS": "fake",
        "AWS_XRAY_DAEMON_ADDRESS": "elsewhere:2000",
        "AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR",
        "PORT": "1",
        "JOB_KEY": "fake",
        "DB_PASSWORD": "fake",
        "DATABASE_URL": "fake",
        "SHOP_DATABASE_URL": "fake",
        "HONEYCOMB_API_KEY": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "ROLLBAR_ACCESS_TOKEN": "fake",
    }
    kept = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_PROFILE": "mine",
        "MY_PORT": "2",
        "XOTEL_": "",
        "LANG": "C",
    }
    assert scrubbed({**inherited, **kept}, PROJECT) == kept
    job = PROJECT.services["job"]
    variables = fill_in(
        resolve(PROJECT, job, view="host", routing=CLOUD, url=url),
        as_stored(from_environment({**inherited, **kept})),
    )
    own = {**kept, "OTEL_SERVICE_NAME": "job", "JOB_KEY": "fake"}
    venv = tmp_path / "venv"
    assert child_environment({**inherited, **kept}, PROJECT, variables, venv) == own
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    found = child_environment({**inherited, **kept}, PROJECT, variables, venv)
    assert found["PATH"].split(os.pathsep)[0] == str(venv / "bin")
    assert found["VIRTUAL_ENV"] == str(venv)


def test_who_is_given_keys_of_aws_inherits_no_way_to_others(tmp_path: Path) -> None:
    """A profile that is not there is an error to AWS's SDKs, and another session's token spoils the key."""
    project = parse(
        {
            "project": {"name": "shop"},
            "services": {name: {"build": ".", "telemetry": [name]} for name in ("cloudwatch", "rollbar")},
        },
        OPTIONS,
    )
    ways = {
        "AWS_PROFILE": "gone",
        "AWS_SECURITY_TOKEN": "fake",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http:",
    }
    key = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "ROLLBAR_ACCESS_TOKEN": "fake"}
    for name, lookup, inherited in (
        ("cloudwatch", from_environment(key), {}),
        ("cloudwatch", from_environment({}), ways),  # its own calls to AWS are not ours to spoil
        ("rollbar", from_environment(key), ways),
    ):
        service = project.services[name]
        variables = fill_in(resolve(project, service, view="host", routing=CLOUD, url=url), as_stored(lookup))
        seen = child_environment({**ways, "AWS_CONFIG_FILE": "mine"}, project, variables, tmp_path)
        assert {name: seen[name] for name in ways if name in seen} == inherited
        assert seen["AWS_CONFIG_FILE"] == "mine"


def test_a_secret_prints_itself_to_nobody() -> None:
    secret = Secret("plainly-fake", "environment")
    for text in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{[secret]}",
        masked("plainly-fake"),
    ):
        assert "fake" not in text
    assert secret == Secret("plainly-fake", "file")
    assert secret != "plainly-fake"
    assert len({secret, Secret("plainly-fake", "file")}) == 1
    assert masked("") == "(empty)"


@pytest.mark.parametrize("telemetry", [["honeycomb"], []])
def test_no_service_sees_a_provision_key_also_when_the_manifest_describes_it_anew(
    telemetry: list[str],
) -> None:
    name = "HONEYCOMB_CONFIGURATION_KEY"
    project = parse(
        {
            "project": {"name": "shop"},
            "services": {"web": {"build": "web", "telemetry": telemetry, "secrets": {"MINE": name}}},
            "secrets": {name: {"description": "Mine now"}},
        },
        OPTIONS,
    )
    with pytest.raises(ManifestError, match=f"{name} is for `bootstrap provision` alone"):
        resolve(project, project.services["web"], view="host", routing=CLOUD, url=url)

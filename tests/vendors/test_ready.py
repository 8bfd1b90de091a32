"""Whether each vendor would take a run's telemetry, asked of strict stand-ins at the wire."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config.manifest import parse
from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors import VENDORS
from tests.stand_ins.aws_telemetry import Logs, Xray
from tests.stand_ins.clouds import ROOT, USER, Clouds
from tests.stand_ins.honeycomb import Honeycomb, classic_key, configuration_key, ingest_key, management_key
from tests.stand_ins.rollbar import token
from tests.stand_ins.server import Fixed, Response, json_response
from tests.stand_ins.sts import key_id, secret_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bootstrap.model.project import Project

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}

KEYS = [spec.name for vendor in VENDORS.values() for spec in vendor.secrets]


def project(group: str = "shop") -> Project:
    services = {"web": {"build": "web", "telemetry": list(VENDORS)}}
    telemetry = {"cloudwatch": {"log_group": group}}
    return parse(
        {"project": {"name": "shop", "region": "eu-west-1"}, "services": services, "telemetry": telemetry},
        OPTIONS,
    )


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    with Clouds() as servers:
        yield servers


def asked(
    vendor: str, values: Mapping[str, str], environ: Mapping[str, str], made: Project | None = None
) -> Remark:
    ready = VENDORS[vendor].ready
    assert ready is not None
    remark = ready(made or project(), values, environ)
    assert not any(value in f"{remark.text}{remark.hint}" for value in values.values())
    return remark


@pytest.mark.parametrize("vendor", list(VENDORS))
def test_good_keys_are_ready(clouds: Clouds, vendor: str) -> None:
    remark = asked(vendor, clouds.every_key(), clouds.environ)
    assert remark.mark is Mark.OK
    assert "works" in remark.text


@pytest.mark.parametrize("vendor", list(VENDORS))
@pytest.mark.parametrize("values", [{}, dict.fromkeys(KEYS, "two\nlines")])
def test_what_is_no_key_is_sent_nowhere(clouds: Clouds, vendor: str, values: dict[str, str]) -> None:
    remark = asked(vendor, values, clouds.environ)
    assert remark.mark is Mark.NOTE
    assert "bootstrap secrets set" in remark.hint
    assert clouds.asked == 0


@pytest.mark.parametrize("vendor", list(VENDORS))
def test_nobody_there_is_no_verdict(vendor: str) -> None:
    with Clouds() as gone:
        values, environ = gone.every_key(), gone.environ
    remark = asked(vendor, values, environ)
    assert remark.mark is Mark.UNKNOWN
    assert remark.hint


@pytest.mark.parametrize("vendor", list(VENDORS))
def test_only_this_machine_is_asked_instead_of_a_vendor(clouds: Clouds, vendor: str) -> None:
    environ = dict.fromkeys(clouds.environ, "https://vendor.example.com")
    remark = asked(vendor, clouds.every_key(), environ)
    assert remark.mark is Mark.UNKNOWN
    assert "does not lead to this machine" in remark.text


def test_honeycomb_takes_a_configuration_key_that_may_send(clouds: Clouds) -> None:
    key = clouds.honeycomb.add(configuration_key(), "events", "createDatasets")
    assert asked("honeycomb", {"HONEYCOMB_API_KEY": key}, clouds.environ).mark is Mark.OK
    key = clouds.honeycomb.add(configuration_key(), "boards")
    remark = asked("honeycomb", {"HONEYCOMB_API_KEY": key}, clouds.environ)
    assert (remark.mark, "lacks: Send Events" in remark.text) == (Mark.PROBLEM, True)


def test_honeycomb_takes_a_key_that_makes_no_datasets_and_says_so(clouds: Clouds) -> None:
    remark = asked("honeycomb", {"HONEYCOMB_API_KEY": clouds.honeycomb.add(ingest_key())}, clouds.environ)
    assert (remark.mark, remark.hint) == (Mark.OK, "")
    assert "Traces of a service that is new to Honeycomb are refused" in remark.text


def test_honeycomb_s_other_region_is_named(clouds: Clouds) -> None:
    with Honeycomb() as other:
        environ = {**clouds.environ, "BOOTSTRAP_HONEYCOMB_OTHER_ENDPOINT": other.url}
        remark = asked("honeycomb", {"HONEYCOMB_API_KEY": other.add(ingest_key())}, environ)
    assert remark.mark is Mark.PROBLEM
    assert "HONEYCOMB_API_KEY: is a key of the region 'eu'" in remark.text
    assert 'region = "eu"' in remark.hint


@pytest.mark.parametrize("make", [classic_key, management_key])
def test_honeycomb_is_not_asked_about_a_key_that_cannot_send(clouds: Clouds, make: Any) -> None:
    remark = asked("honeycomb", {"HONEYCOMB_API_KEY": make()}, clouds.environ)
    assert remark.mark is Mark.NOTE
    assert "HONEYCOMB_API_KEY: is a" in remark.text
    assert clouds.asked == 0


def test_honeycomb_and_rollbar_refuse_what_they_do_not_know(clouds: Clouds) -> None:
    unknown = {"HONEYCOMB_API_KEY": ingest_key(), "ROLLBAR_ACCESS_TOKEN": token()}
    for vendor in ("honeycomb", "rollbar"):
        assert asked(vendor, unknown, clouds.environ).mark is Mark.PROBLEM


def test_rollbar_s_token_has_to_post(clouds: Clouds) -> None:
    remark = asked("rollbar", clouds.rollbar_token("read"), clouds.environ)
    assert (remark.mark, "whether it may also post" in remark.text) == (Mark.NOTE, True)
    assert asked("rollbar", clouds.rollbar_token("post_client_item"), clouds.environ).mark is Mark.PROBLEM
    assert clouds.rollbar.items == []


def test_only_the_keys_of_services_are_shown_to_anybody(clouds: Clouds) -> None:
    values = clouds.every_key() | {
        "HONEYCOMB_CONFIGURATION_KEY": configuration_key(),
        "ROLLBAR_READ_TOKEN": token(),
    }
    for vendor in ("honeycomb", "rollbar"):
        assert asked(vendor, values, clouds.environ).mark is Mark.OK
    assert (len(clouds.honeycomb.requests), len(clouds.rollbar.requests)) == (1, 1)


@pytest.mark.parametrize("vendor", ["xray", "cloudwatch"])
def test_the_keys_of_the_account_itself_are_refused(clouds: Clouds, vendor: str) -> None:
    remark = asked(vendor, clouds.aws_key(arn=ROOT), clouds.environ)
    assert (remark.mark, "may do everything" in remark.text) == (Mark.PROBLEM, True)
    assert (clouds.xray.requests, clouds.logs.requests) == ([], [])


@pytest.mark.parametrize("vendor", ["xray", "cloudwatch"])
def test_a_key_that_aws_does_not_know_is_refused(clouds: Clouds, vendor: str) -> None:
    values = {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
    remark = asked(vendor, values, clouds.environ)
    assert (remark.mark, "no such id" in remark.text) == (Mark.PROBLEM, True)


@pytest.mark.parametrize("vendor", ["xray", "cloudwatch"])
def test_a_temporary_key_is_sent_whole(clouds: Clouds, vendor: str) -> None:
    assert asked(vendor, clouds.aws_key(temporary=True), clouds.environ).mark is Mark.OK


@pytest.mark.parametrize(("vendor", "server"), [("xray", "xray"), ("cloudwatch", "logs")])
def test_where_nobody_may_ask_whose_a_key_is_the_service_itself_decides(
    clouds: Clouds, vendor: str, server: str
) -> None:
    words = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    with Fixed(Response(403, words)) as denies:
        environ = {**clouds.environ, "AWS_ENDPOINT_URL_STS": denies.url}
        values = clouds.aws_key()
        assert asked(vendor, values, environ).mark is Mark.OK
        wrong = {**values, "AWS_SECRET_ACCESS_KEY": secret_key()}
        remark = asked(vendor, wrong, environ)
        assert (remark.mark, "does not belong to" in remark.text) == (Mark.PROBLEM, True)
        getattr(clouds, server).keys.clear()
        remark = asked(vendor, values, environ)
        assert (remark.mark, "no such id" in remark.text) == (Mark.PROBLEM, True)


def test_x_ray_tells_a_policy_from_a_wrong_key(clouds: Clouds) -> None:
    remark = asked("xray", clouds.aws_key(Logs.action), clouds.environ)
    assert remark.mark is Mark.NOTE
    assert f"works: account 123456789012, {USER}; its policy does not allow xray:Get" in remark.text
    assert "AWSXRayDaemonWriteAccess" in remark.hint


def test_a_log_group_that_is_missing_is_named_with_what_makes_it(clouds: Clouds) -> None:
    remark = asked("cloudwatch", clouds.aws_key(), clouds.environ, project("other/#1"))
    assert remark.mark is Mark.NOTE
    assert "the log group other/#1 does not exist in eu-west-1" in remark.text
    assert remark.hint == "bootstrap provision apply cloudwatch"


def test_who_may_not_write_to_the_log_group_is_told_what_to_allow(clouds: Clouds) -> None:
    remark = asked("cloudwatch", clouds.aws_key(Xray.action), clouds.environ)
    assert (remark.mark, "does not allow logs:PutLogEvents" in remark.text) == (Mark.NOTE, True)
    assert '"Resource": "arn:aws:logs:eu-west-1:*:log-group:shop:*"' in remark.hint


@pytest.mark.parametrize("vendor", ["xray", "cloudwatch"])
@pytest.mark.parametrize(
    "response",
    [
        json_response(429, {"__type": "ThrottlingException", "message": "slow"}),
        json_response(500, {}),
        Response(200, b"<html>Log in to the network</html>"),
        json_response(200, {}),
    ],
)
def test_no_answer_of_the_service_is_no_verdict(clouds: Clouds, vendor: str, response: Response) -> None:
    with Fixed(response) as server:
        names = ("AWS_ENDPOINT_URL_XRAY", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")
        remark = asked(vendor, clouds.aws_key(), clouds.environ | dict.fromkeys(names, server.url))
    assert remark.mark is Mark.UNKNOWN


def test_moto_knows_log_groups_by_the_same_question(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    # The service's model as another program has it: what we send is what DescribeLogStreams takes.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    from bootstrap.system import aws  # noqa: PLC0415 - as moto

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    values = clouds.aws_key()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environ = {**clouds.environ, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": f"http://{host}:{port}"}
        before = asked("cloudwatch", values, environ)
        keys = aws.Keys(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])
        aws.client("logs", region="eu-west-1", credentials=keys, environ=environ).create_log_group(
            logGroupName="shop"
        )
        after = asked("cloudwatch", values, environ)
    finally:
        server.stop()
    assert (before.mark, after.mark) == (Mark.NOTE, Mark.OK)

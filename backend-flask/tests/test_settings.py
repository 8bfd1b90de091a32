"""What the environment is taken to say."""

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Address, CloudWatch, Honeycomb, Rollbar, Settings, TraceHeaders, XRay

GENERAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
CLOUD = "https://api.honeycomb.io"
NO_TEAM = f"{HEADERS} holds no x-honeycomb-team, which Honeycomb asks for"
NOT_A_LIST = f"{HEADERS} is not a list of name=value without quotes, with commas between"
NOT_A_URL = f"{GENERAL} is not an http or https URL"


def test_nothing_set_means_all_off() -> None:
    settings = Settings.from_environ({})
    assert settings.service_name == "backend-flask"
    assert settings.why_off() == {
        "honeycomb": "OTEL_EXPORTER_OTLP_ENDPOINT is not set",
        "xray": "AWS_XRAY_DAEMON_ADDRESS is not set",
        "cloudwatch": "CLOUDWATCH_LOG_GROUP is not set",
        "rollbar": "ROLLBAR_ACCESS_TOKEN is not set",
    }
    assert settings.cors == "off: FRONTEND_URL is not set and BACKEND_URL is not set"
    assert not settings.trace_headers.trusted
    assert not settings.trace_headers.proof_key
    assert not settings.trace_headers.peers


@pytest.mark.parametrize("nothing", ["", " ", "\n\t"])
def test_empty_counts_as_unset(nothing: str) -> None:
    names = [
        *NAMES,
        "OTEL_SDK_DISABLED",
        "AWS_XRAY_SDK_ENABLED",
        "ROLLBAR_ENVIRONMENT",
        "ROLLBAR_CODE_VERSION",
    ]
    assert Settings.from_environ(dict.fromkeys(names, nothing)) == Settings.from_environ({})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({GENERAL: "http://h:4318"}, Honeycomb(endpoint="http://h:4318/v1/traces")),
        ({GENERAL: "http://h:4318/base/"}, Honeycomb(endpoint="http://h:4318/base/v1/traces")),
        ({TRACES: "http://h:4318/as/it/is"}, Honeycomb(endpoint="http://h:4318/as/it/is")),
        ({TRACES: "http://t/t", GENERAL: "http://g"}, Honeycomb(endpoint="http://t/t")),
        ({TRACES: "", GENERAL: "http://g"}, Honeycomb(endpoint="http://g/v1/traces")),
        (
            {GENERAL: CLOUD, HEADERS: "X-Honeycomb-Team=made%2Dup, a=b=c"},
            Honeycomb(endpoint=f"{CLOUD}/v1/traces", headers={"x-honeycomb-team": "made-up", "a": "b=c"}),
        ),
        (
            {GENERAL: CLOUD, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-honeycomb-team=t", HEADERS: "a=b"},
            Honeycomb(endpoint=f"{CLOUD}/v1/traces", headers={"x-honeycomb-team": "t"}),
        ),
        ({GENERAL: CLOUD}, Honeycomb(off=NO_TEAM)),
        ({GENERAL: CLOUD, HEADERS: ""}, Honeycomb(off=NO_TEAM)),
        ({GENERAL: CLOUD, HEADERS: "x-honeycomb-team="}, Honeycomb(off=NO_TEAM)),
        ({GENERAL: "https://API.EU1.HoneyComb.io", HEADERS: "a=b"}, Honeycomb(off=NO_TEAM)),
        ({GENERAL: "http://nothoneycomb.io"}, Honeycomb(endpoint="http://nothoneycomb.io/v1/traces")),
        ({GENERAL: CLOUD, HEADERS: '"x-honeycomb-team=made-up"'}, Honeycomb(off=NOT_A_LIST)),
        ({GENERAL: "http://h", HEADERS: "made-up"}, Honeycomb(off=NOT_A_LIST)),
        ({GENERAL: "localhost:4318"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "ftp://h"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "http://"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "http://h:port"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "http://h:99999"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "http://[::1"}, Honeycomb(off=NOT_A_URL)),
        ({GENERAL: "http://h", "OTEL_SDK_DISABLED": "True"}, Honeycomb(off="OTEL_SDK_DISABLED is true")),
    ],
)
def test_honeycomb(environ: dict[str, str], expected: Honeycomb) -> None:
    assert Settings.from_environ(environ).honeycomb == expected


BAD_ADDRESS = XRay(off='AWS_XRAY_DAEMON_ADDRESS is neither "host:port" nor "tcp:host:port udp:host:port"')


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {DAEMON: "xray-daemon:2000"},
            XRay(udp=Address("xray-daemon", 2000), tcp=Address("xray-daemon", 2000)),
        ),
        ({DAEMON: "tcp:a:1 udp:b:2"}, XRay(udp=Address("b", 2), tcp=Address("a", 1))),
        ({DAEMON: "udp:b:2 tcp:a:1"}, XRay(udp=Address("b", 2), tcp=Address("a", 1))),
        ({DAEMON: "xray-daemon"}, BAD_ADDRESS),
        ({DAEMON: "xray-daemon:"}, BAD_ADDRESS),
        ({DAEMON: ":2000"}, BAD_ADDRESS),
        ({DAEMON: "h:0"}, BAD_ADDRESS),
        ({DAEMON: "h:65536"}, BAD_ADDRESS),
        ({DAEMON: "udp:b:2"}, BAD_ADDRESS),
        ({DAEMON: "http://h:2000"}, BAD_ADDRESS),
        ({DAEMON: "h:2000", "AWS_XRAY_SDK_ENABLED": "False"}, XRay(off="AWS_XRAY_SDK_ENABLED is false")),
    ],
)
def test_xray(environ: dict[str, str], expected: XRay) -> None:
    assert Settings.from_environ(environ).xray == expected


GROUP = "CLOUDWATCH_LOG_GROUP"
KEYS = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}
REGION = {"AWS_REGION": "eu-central-1"}
LOGS = CloudWatch(log_group="cruddur", region="eu-central-1")
NO_CREDENTIALS = "AWS_ACCESS_KEY_ID is not set, and nothing else that leads to credentials"
NO_GROUP = f"{GROUP} is not the name of a log group"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({GROUP: "cruddur", **REGION, **KEYS}, LOGS),
        ({GROUP: "cruddur", "AWS_DEFAULT_REGION": "eu-central-1", **KEYS}, LOGS),
        ({GROUP: "cruddur", "AWS_DEFAULT_REGION": "us-east-1", **REGION, **KEYS}, LOGS),
        ({GROUP: "cruddur", **REGION, "AWS_PROFILE": "made-up"}, LOGS),
        ({GROUP: "cruddur", **REGION, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/made-up"}, LOGS),
        (
            {GROUP: "/ecs/a.b-c_d#1", **REGION, **KEYS},
            CloudWatch(log_group="/ecs/a.b-c_d#1", region="eu-central-1"),
        ),
        ({GROUP: "cruddur", **KEYS}, CloudWatch(off="AWS_REGION is not set")),
        ({GROUP: "cruddur", **REGION}, CloudWatch(off=NO_CREDENTIALS)),
        ({GROUP: "cruddur", **REGION, "AWS_SECRET_ACCESS_KEY": "made-up"}, CloudWatch(off=NO_CREDENTIALS)),
        (
            {GROUP: "cruddur", **REGION, "AWS_ACCESS_KEY_ID": "made-up"},
            CloudWatch(off="AWS_SECRET_ACCESS_KEY is not set"),
        ),
        ({GROUP: "two words", **REGION, **KEYS}, CloudWatch(off=NO_GROUP)),
        ({GROUP: "a:b", **REGION, **KEYS}, CloudWatch(off=NO_GROUP)),
        ({GROUP: 513 * "a", **REGION, **KEYS}, CloudWatch(off=NO_GROUP)),
        ({**REGION, **KEYS}, CloudWatch(off=f"{GROUP} is not set")),
    ],
)
def test_cloudwatch(environ: dict[str, str], expected: CloudWatch) -> None:
    assert Settings.from_environ(environ).cloudwatch == expected


TOKEN, ENDPOINT = "ROLLBAR_ACCESS_TOKEN", "ROLLBAR_ENDPOINT"
BAD_TOKEN = f"{TOKEN} holds what no token holds"
BAD_ENDPOINT = f"{ENDPOINT} is not an http or https URL"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({TOKEN: "made-up"}, Rollbar(access_token="made-up")),
        (
            {TOKEN: "made-up", "ROLLBAR_ENVIRONMENT": "production", "ROLLBAR_CODE_VERSION": "1a2b3c"},
            Rollbar(access_token="made-up", environment="production", code_version="1a2b3c"),
        ),
        # Without the slash at its end, the last part of the path would be lost.
        ({TOKEN: "t", ENDPOINT: "http://h/api/1"}, Rollbar(access_token="t", endpoint="http://h/api/1/")),
        ({TOKEN: "t", ENDPOINT: "http://h/api/1//"}, Rollbar(access_token="t", endpoint="http://h/api/1/")),
        ({TOKEN: "t", ENDPOINT: "h/api/1/"}, Rollbar(off=BAD_ENDPOINT)),
        ({TOKEN: "made up"}, Rollbar(off=BAD_TOKEN)),
        ({TOKEN: "made\nup"}, Rollbar(off=BAD_TOKEN)),
        ({TOKEN: "m\xe4de-up"}, Rollbar(off=BAD_TOKEN)),
    ],
)
def test_rollbar(environ: dict[str, str], expected: Rollbar) -> None:
    assert Settings.from_environ(environ).rollbar == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TRACE_HEADERS": "trusted"}, TraceHeaders(trusted=True)),
        ({"TRACE_HEADERS": " Trusted "}, TraceHeaders(trusted=True)),
        ({"TRACE_HEADERS": "1"}, TraceHeaders()),
        ({"TRACE_HEADERS": "untrusted"}, TraceHeaders()),
        ({"TRACE_PROOF_KEY": "made-up"}, TraceHeaders(proof_key=b"made-up")),
        ({"TRACE_PROOF_KEY": "m\xe4de-up"}, TraceHeaders(proof_key="m\xe4de-up".encode())),
    ],
)
def test_trace_headers(environ: dict[str, str], expected: TraceHeaders) -> None:
    assert Settings.from_environ(environ).trace_headers == expected


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [("250", 0.25), ("0", 0.0), ("soon", 1.0), ("-1", 1.0), ("1e3", 1.0)]
)
def test_how_long_spans_wait_for_more(milliseconds: str, seconds: float) -> None:
    environ = {GENERAL: "http://h", "OTEL_BSP_SCHEDULE_DELAY": milliseconds}
    assert Settings.from_environ(environ).honeycomb.seconds_between_batches == seconds


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("db:5432", {Address("db", 5432)}),
        (" Backend:4567 , 127.0.0.1:80,", {Address("backend", 4567), Address("127.0.0.1", 80)}),
        ("db", set()),
        ("*:80,a:b,:1,a:0,a:65536,http://a:1", {Address("*", 80)}),
    ],
)
def test_who_is_a_sibling(text: str, peers: set[Address]) -> None:
    assert Settings.from_environ({"TRACE_PEERS": text}).trace_headers.peers == peers


def test_no_secret_is_ever_shown() -> None:
    environ = {
        GENERAL: CLOUD,
        HEADERS: "x-honeycomb-team=made-up",
        TOKEN: "made-up",
        "TRACE_PROOF_KEY": "made-up",
        GROUP: "cruddur",
        **REGION,
        **KEYS,
    }
    settings = Settings.from_environ(environ)
    assert set(settings.why_off().values()) == {None, f"{DAEMON} is not set"}
    assert "made-up" not in repr(settings)


REASONS = {
    None,
    NO_TEAM,
    NOT_A_LIST,
    NOT_A_URL,
    NOT_A_URL.replace(GENERAL, TRACES),
    BAD_ADDRESS.off,
    NO_CREDENTIALS,
    NO_GROUP,
    BAD_TOKEN,
    BAD_ENDPOINT,
    *(
        f"{name} is not set"
        for name in (GENERAL, DAEMON, GROUP, TOKEN, "AWS_REGION", "AWS_SECRET_ACCESS_KEY")
    ),
}
NAMES = [GENERAL, TRACES, HEADERS, DAEMON, GROUP, TOKEN, ENDPOINT, *REGION, *KEYS]
NAMES += ["OTEL_BSP_SCHEDULE_DELAY", "OTEL_SERVICE_NAME", "TRACE_HEADERS", "TRACE_PROOF_KEY", "TRACE_PEERS"]
NAMES += ["FRONTEND_URL", "BACKEND_URL"]


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.text() | st.text('htpsdc:/.@[]=,"%- \t1906') | st.just("http://h:1"),
        max_size=9,
    )
)
# A loaded machine is slow; that says nothing about this code.
@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
def test_any_text_is_read_and_no_reason_depends_on_it(environ: dict[str, str]) -> None:
    assert set(Settings.from_environ(environ).why_off().values()) <= REASONS

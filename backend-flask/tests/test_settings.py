"""What the environment is taken to say."""

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Address, Honeycomb, Settings, XRay

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
    }


@pytest.mark.parametrize("nothing", ["", " ", "\n\t"])
def test_empty_counts_as_unset(nothing: str) -> None:
    names = [
        GENERAL,
        TRACES,
        HEADERS,
        DAEMON,
        "OTEL_SERVICE_NAME",
        "OTEL_SDK_DISABLED",
        "AWS_XRAY_SDK_ENABLED",
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


def test_a_header_is_never_shown() -> None:
    assert "made-up" not in repr(Settings.from_environ({GENERAL: CLOUD, HEADERS: "x-honeycomb-team=made-up"}))


@given(
    st.dictionaries(
        st.sampled_from([GENERAL, TRACES, HEADERS, DAEMON]),
        st.text() | st.text('htpsdc:/.@[]=,"%- \t1906'),
    )
)
# A loaded machine is slow; that says nothing about this code.
@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
def test_any_text_is_read_and_no_reason_depends_on_it(environ: dict[str, str]) -> None:
    reasons = {
        None,
        NO_TEAM,
        NOT_A_LIST,
        NOT_A_URL,
        NOT_A_URL.replace(GENERAL, TRACES),
        f"{GENERAL} is not set",
        f"{DAEMON} is not set",
        BAD_ADDRESS.off,
    }
    assert set(Settings.from_environ(environ).why_off().values()) <= reasons

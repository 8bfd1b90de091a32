"""What the environment says about this service, read once into a frozen value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

_FALSE = {"0", "f", "false", "n", "no", "off"}
# The characters that the OTLP exporter accepts in a header: it logs a header that it refuses, value and all.
_OTLP_HEADER = re.compile(r"([\w!#$%&'*+.^`|~-]+)\s*=\s*([^\x00-\x20\x7f-\U0010ffff\",;\\]*)", re.ASCII)


class Address(NamedTuple):
    """A host name or IPv4 address, and a port."""

    host: str
    port: int


_NOWHERE = Address("", 0)


@dataclass(frozen=True)
class Honeycomb:
    """Where spans go over OTLP/HTTP: Honeycomb itself, or anything else that speaks the protocol."""

    off: str | None = None  # why it is off, in words that never hold a value; None: it is on
    endpoint: str = ""  # the whole URL that spans are posted to
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they hold the API key


@dataclass(frozen=True)
class XRay:
    """Where the X-Ray daemon listens: segments go over UDP, sampling rules come over TCP."""

    off: str | None = None  # as above
    udp: Address = _NOWHERE
    tcp: Address = _NOWHERE


@dataclass(frozen=True)
class Settings:
    """Everything this service is told from outside."""

    service_name: str = "backend-flask"  # one name for OpenTelemetry and X-Ray, so that they cannot disagree
    honeycomb: Honeycomb = Honeycomb(off="not configured")
    xray: XRay = XRay(off="not configured")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read `environ`. An empty variable counts as unset; a bad one turns its vendor off; none raises."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        return cls(
            service_name=given.get("OTEL_SERVICE_NAME", cls.service_name),
            honeycomb=_honeycomb(given),
            xray=_xray(given),
        )

    def why_off(self) -> dict[str, str | None]:
        """Every vendor, by the name of its module in `observability`, and why it is off (None: it is on)."""
        return {"honeycomb": self.honeycomb.off, "xray": self.xray.off}


def _honeycomb(given: Mapping[str, str]) -> Honeycomb:
    """Follow the OTLP exporter's own rules: a variable for traces goes before the general one."""
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Honeycomb(off="OTEL_SDK_DISABLED is true")
    source = _first(given, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if source not in given:
        return Honeycomb(off=f"{source} is not set")
    # The endpoint for traces is used as it stands; the general one gets the signal's path.
    endpoint = given[source] if "TRACES" in source else given[source].rstrip("/") + "/v1/traces"
    host = _http_host(endpoint)
    if host is None:
        return Honeycomb(off=f"{source} is not an http or https URL")

    source = _first(given, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    headers = _otlp_headers(given.get(source, ""))
    if headers is None:
        return Honeycomb(off=f"{source} is not a list of name=value without quotes, with commas between")
    if f".{host}".endswith(".honeycomb.io") and not headers.get("x-honeycomb-team"):
        return Honeycomb(off=f"{source} holds no x-honeycomb-team, which Honeycomb asks for")
    return Honeycomb(endpoint=endpoint, headers=headers)


def _xray(given: Mapping[str, str]) -> XRay:
    if given.get("AWS_XRAY_SDK_ENABLED", "").lower() in _FALSE:
        return XRay(off="AWS_XRAY_SDK_ENABLED is false")
    text = given.get("AWS_XRAY_DAEMON_ADDRESS")
    if text is None:
        return XRay(off="AWS_XRAY_DAEMON_ADDRESS is not set")
    by_protocol = dict(part.split(":", 1) for part in text.split() if part.startswith(("tcp:", "udp:")))
    udp, tcp = (_address(by_protocol.get(protocol, text)) for protocol in ("udp", "tcp"))
    if udp is None or tcp is None:
        return XRay(off='AWS_XRAY_DAEMON_ADDRESS is neither "host:port" nor "tcp:host:port udp:host:port"')
    return XRay(udp=udp, tcp=tcp)


def _first(given: Mapping[str, str], name: str, otherwise: str) -> str:
    return name if name in given else otherwise


def _http_host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        in_range = parts.port != 0  # reading the port raises when it is no number, or too large
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} and in_range else None


def _otlp_headers(text: str) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = _OTLP_HEADER.fullmatch(item)
        if match is None:
            return None
        headers[match[1].lower()] = unquote(match[2])
    return headers


def _address(text: str) -> Address | None:
    match = re.fullmatch(r"([^:\s]+):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:  # noqa: PLR2004 - the highest port there is
        return None
    return Address(match[1], int(match[2]))

"""What the environment says about this service, read once into a frozen value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

HEALTH_PATH = "/api/health-check"  # what telemetry leaves out

# As the X-Ray SDK reads AWS_XRAY_SDK_ENABLED.
_FALSE = {"0", "f", "false", "n", "no", "off"}
# The characters that the OTLP exporter accepts in a header: it logs a header that it refuses, value and all.
_OTLP_HEADER = re.compile(r"([\w!#$%&'*+.^`|~-]+)\s*=\s*([^\x00-\x20\x7f-\U0010ffff\",;\\]*)", re.ASCII)
# Where AWS credentials can come from without a call to the network at start.
_AWS_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


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
    seconds_between_batches: float = 1.0


@dataclass(frozen=True)
class XRay:
    """Where the X-Ray daemon listens: segments go over UDP, sampling rules come over TCP."""

    off: str | None = None  # as above
    udp: Address = _NOWHERE
    tcp: Address = _NOWHERE


@dataclass(frozen=True)
class CloudWatch:
    """The log group that lines go to. It is there beforehand; the AWS SDK finds the credentials by itself."""

    off: str | None = None  # as above
    log_group: str = ""
    region: str = ""


@dataclass(frozen=True)
class Rollbar:
    """Where errors go."""

    off: str | None = None  # as above
    access_token: str = field(default="", repr=False)
    endpoint: str = "https://api.rollbar.com/api/1/"
    environment: str = "development"
    code_version: str | None = None


@dataclass(frozen=True)
class TraceHeaders:
    """Whose trace headers count, as an id from outside decides what sampling costs; and who is sent ours."""

    trusted: bool = False  # everybody's: for a service that only its siblings reach
    proof_key: bytes = field(default=b"", repr=False)  # else those that come with a proof made with this key
    peers: frozenset[Address] = frozenset()  # the siblings that it calls: ours go to nobody else


@dataclass(frozen=True)
class Settings:
    """Everything this service is told from outside."""

    service_name: str = "backend-flask"  # one name in every vendor, so that they cannot disagree
    origins: tuple[str, ...] = ()  # the web pages that may read the answers
    cors: str = "off: not configured"  # "on", "on, but " or "off: " and what is missing
    trace_headers: TraceHeaders = TraceHeaders()
    honeycomb: Honeycomb = Honeycomb(off="not configured")
    xray: XRay = XRay(off="not configured")
    cloudwatch: CloudWatch = CloudWatch(off="not configured")
    rollbar: Rollbar = Rollbar(off="not configured")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read `environ`. An empty variable counts as unset; a bad one turns its vendor off; none raises."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        origins, cors = _origins(given)
        return cls(
            service_name=given.get("OTEL_SERVICE_NAME", cls.service_name),
            origins=origins,
            cors=cors,
            trace_headers=TraceHeaders(
                trusted=given.get("TRACE_HEADERS", "").lower() == "trusted",
                proof_key=given.get("TRACE_PROOF_KEY", "").encode(),
                peers=_peers(given.get("TRACE_PEERS", "")),
            ),
            honeycomb=_honeycomb(given),
            xray=_xray(given),
            cloudwatch=_cloudwatch(given),
            rollbar=_rollbar(given),
        )

    def why_off(self) -> dict[str, str | None]:
        """Every vendor, by the name of its module in `observability`, and why it is off (None: it is on)."""
        return {
            "honeycomb": self.honeycomb.off,
            "xray": self.xray.off,
            "cloudwatch": self.cloudwatch.off,
            "rollbar": self.rollbar.off,
        }


def _peers(text: str) -> frozenset[Address]:
    """Read "host:port,host:port"; what is malformed names nobody."""
    return frozenset(peer for part in text.lower().split(",") if (peer := _address(part.strip())))


def _origins(given: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """Take the URLs of the frontend and of this service, without a path: browsers compare origins as text."""
    found: list[str] = []
    faults: list[str] = []
    for name in ("FRONTEND_URL", "BACKEND_URL"):
        if name not in given:
            faults.append(f"{name} is not set")
        elif (host := _http_host(given[name])) is None or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", host):
            faults.append(f"{name} is not an http or https URL")
        else:
            parts = urlsplit(given[name])
            port = f":{parts.port}" if parts.port and parts.port != PORTS[parts.scheme] else ""
            found.append(f"{parts.scheme}://{host}{port}")
    why = " and ".join(faults)
    state = "on" if not faults else f"on, but {why}" if found else f"off: {why}"
    return tuple(dict.fromkeys(found)), state


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
    delay = given.get("OTEL_BSP_SCHEDULE_DELAY", "")  # milliseconds
    return Honeycomb(
        endpoint=endpoint,
        headers=headers,
        seconds_between_batches=int(delay) / 1000 if re.fullmatch("[0-9]{1,9}", delay) else 1.0,
    )


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


def _cloudwatch(given: Mapping[str, str]) -> CloudWatch:
    """Ask for what the AWS SDK would miss later: without a region or credentials it raises."""
    log_group = given.get("CLOUDWATCH_LOG_GROUP")
    if log_group is None:
        return CloudWatch(off="CLOUDWATCH_LOG_GROUP is not set")
    if not re.fullmatch(r"[\w./#-]{1,512}", log_group, re.ASCII):
        return CloudWatch(off="CLOUDWATCH_LOG_GROUP is not the name of a log group")
    region = given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION")
    if region is None:
        return CloudWatch(off="AWS_REGION is not set")
    if not any(name in given for name in _AWS_CREDENTIALS):
        return CloudWatch(off="AWS_ACCESS_KEY_ID is not set, and nothing else that leads to credentials")
    if "AWS_ACCESS_KEY_ID" in given and "AWS_SECRET_ACCESS_KEY" not in given:
        return CloudWatch(off="AWS_SECRET_ACCESS_KEY is not set")
    return CloudWatch(log_group=log_group, region=region)


def _rollbar(given: Mapping[str, str]) -> Rollbar:
    token = given.get("ROLLBAR_ACCESS_TOKEN")
    if token is None:
        return Rollbar(off="ROLLBAR_ACCESS_TOKEN is not set")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        return Rollbar(off="ROLLBAR_ACCESS_TOKEN holds what no token holds")
    endpoint = given.get("ROLLBAR_ENDPOINT", Rollbar.endpoint)
    if _http_host(endpoint) is None:
        return Rollbar(off="ROLLBAR_ENDPOINT is not an http or https URL")
    return Rollbar(
        access_token=token,
        endpoint=endpoint.rstrip("/") + "/",
        environment=given.get("ROLLBAR_ENVIRONMENT", Rollbar.environment),
        code_version=given.get("ROLLBAR_CODE_VERSION"),
    )


PORTS = {"http": 80, "https": 443}


def _first(given: Mapping[str, str], name: str, otherwise: str) -> str:
    return name if name in given else otherwise


def _http_host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        in_range = parts.port != 0  # reading the port raises when it is no number, or too large
    except ValueError:
        return None
    return parts.hostname if parts.scheme in PORTS and in_range else None


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

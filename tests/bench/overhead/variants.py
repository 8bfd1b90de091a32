"""The apps that are compared: where each is served from, and what its environment says about telemetry."""

from collections.abc import Mapping
from pathlib import Path

from tests.bench import peers

BACKEND = peers.ROOT / "backend-flask"
OFF, ON, JOURNAL = "off", "on", "journal"
#: the first three are compared unless others are asked for; the rest says where the cost comes from
TITLES = {
    OFF: "all telemetry off",
    ON: "all four vendors on",
    JOURNAL: "the journal's design",
    "honeycomb": "only Honeycomb",
    "xray": "only X-Ray",
    "cloudwatch": "only CloudWatch Logs",
    "rollbar": "only Rollbar",
}
COMPARED = (OFF, ON, JOURNAL)
# Both apps answer browsers, so both check each request's origin.
_EVERYWHERE = {"FRONTEND_URL": "http://localhost:3000", "BACKEND_URL": "http://localhost:4567"}
_PREFIXES = {
    "honeycomb": ("OTEL_",),
    "xray": ("AWS_XRAY_",),
    "cloudwatch": ("CLOUDWATCH_", "AWS_"),
    "rollbar": ("ROLLBAR_",),
}


def folder(variant: str) -> Path:
    """Where to serve from: gunicorn.conf.py is there."""
    return peers.HERE / "journal" if variant == JOURNAL else BACKEND


def environ(variant: str, vendors: Mapping[str, str]) -> dict[str, str]:
    """What the app is told, when these variables of all vendors lead to the receivers."""
    if variant == OFF:
        return _EVERYWHERE
    told = {**_EVERYWHERE, **vendors, "OTEL_SERVICE_NAME": "backend-flask"}
    if variant == JOURNAL:
        daemon = vendors["AWS_XRAY_DAEMON_ADDRESS"].replace("127.0.0.1", "localhost")
        told |= {"AWS_XRAY_DAEMON_ADDRESS": daemon, "AWS_XRAY_URL": "*4567-made-up.example.com*"}
    elif variant in _PREFIXES:
        told = {name: value for name, value in told.items() if _belongs(name, variant)}
    return told


def _belongs(name: str, vendor: str) -> bool:
    if name.startswith("AWS_XRAY_"):
        return vendor == "xray"
    return name in _EVERYWHERE or name.startswith(_PREFIXES[vendor])

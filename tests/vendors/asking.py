"""A probe of one service, and the looks at what it left: what the tests of the vendors' evidence share."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from bootstrap.config.manifest import parse
from bootstrap.vendors import VENDORS
from bootstrap.verification.interface import Asking, Probe, Reading, Reply
from bootstrap.verification.sending import new_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.verification.interface import Look

NAME = "posts"
PAGE = "http://localhost:4318/api/traces/1?token=t"


def asking(
    values: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    daemon: Iterable[str] | None = None,
    requests: int = 1,
    **telemetry: Any,
) -> Asking:
    """Ask for a probe that was sent just now; `daemon` is what the X-Ray daemon has written."""
    project = parse(
        {
            "project": {"name": "Shop"},
            "services": {
                "web": {
                    "build": ".",
                    "port": 80,
                    "telemetry": list(VENDORS),
                    "otel_service_name": NAME,
                }
            },
            "telemetry": telemetry,
        },
        {name: vendor.options for name, vendor in VENDORS.items()},
    )
    now = time.time()
    probe = Probe(
        service="web",
        otel_name=NAME,
        trace_id=new_trace_id(now),
        span_id=secrets.token_hex(8),
        sent_at=now,
        replies=(Reply("/", 200),) * requests,
    )
    return Asking(
        project=project,
        service=project.services["web"],
        probe=probe,
        values=values,
        environ=environ,
        sidecar_lines=None if daemon is None else lambda: daemon,
        page=PAGE,
    )


def look_at(vendor: str, given: Asking) -> Look:
    """Make the look at a vendor itself; it shows no value that nobody may see."""
    read = VENDORS[vendor].read
    assert read is not None
    look = read(given)

    def checked() -> Reading:
        reading = look()
        assert not any(value in repr(reading) for value in given.values.values())
        return reading

    return checked


def found_in(vendor: str, given: Asking, trace: Mapping[str, Any]) -> Reading:
    """What there is in a trace of the collector's."""
    found = VENDORS[vendor].found
    assert found is not None
    return found(given, trace)

"""What became of a request at the vendors, collected by its trace id."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from receivers import PATIENCE, AllVendors, LogLine, ReceivedSpan, sampling_rule
from trace_headers import root

# What a caller sends so that a service joins its trace.
HEADERS_OF_TRACES = {"traceparent", "x-amzn-trace-id", "x-trace-proof"}

# How many spans, segments, log lines and items.
Counts = tuple[int, int, int, int]

# The daemon's rules in these tests: requests for one path are always sampled, and the rest never.
ALWAYS_SAMPLED = "/api/activities/notifications"
RULES = [
    sampling_rule("always", reservoir=0, rate=1.0) | {"URLPath": ALWAYS_SAMPLED},
    sampling_rule("never", reservoir=0, rate=0.0) | {"Priority": 2},
]


def trace_of(response: TestResponse) -> str:
    """Answer the id that the service says it used."""
    match = re.fullmatch(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})", response.headers["X-Amzn-Trace-Id"])
    assert match
    return match[1] + match[2]


def learn_rules(app: Flask, vendors: AllVendors) -> None:
    """Ask until `RULES` are in force: before that, the SDK samples one request a second, and some more."""
    vendors.xray.rules = RULES
    arrived = vendors.xray.inbox.items
    for _ in range(int(PATIENCE * 100)):
        trace_id = trace_of(app.test_client().get(ALWAYS_SAMPLED))
        settle(vendors)
        if arrived and arrived[-1]["trace_id"] == root(trace_id) and "always" in str(arrived[-1]["aws"]):
            break
    else:
        raise AssertionError("the rules never counted")
    app.extensions["tracer_provider"].force_flush()
    vendors.honeycomb.inbox.items.clear()
    arrived.clear()


def settle(vendors: AllVendors) -> None:
    """Wait for the segments that are on their way, as every change of faults does."""
    vendors.xray.fault = vendors.xray.fault


@dataclass(frozen=True)
class Evidence:
    """All that one trace left at the vendors."""

    spans: list[ReceivedSpan]
    segments: list[dict[str, Any]]
    lines: list[LogLine]
    items: list[dict[str, Any]]

    @property
    def counts(self) -> Counts:
        return len(self.spans), len(self.segments), len(self.lines), len(self.items)


def evidence(vendors: AllVendors, trace_id: str) -> Evidence:
    """Answer what has arrived of this trace."""
    return Evidence(
        spans=[span for span in vendors.honeycomb.inbox.items if span.span.trace_id.hex() == trace_id],
        segments=[segment for segment in vendors.xray.inbox.items if segment["trace_id"] == root(trace_id)],
        lines=[line for line in vendors.cloudwatch.inbox.items if line.fields.get("trace_id") == trace_id],
        items=[item for item in vendors.rollbar.inbox.items if item["custom"].get("trace_id") == trace_id],
    )


def tally(vendors: AllVendors) -> dict[str, Counts]:
    """Count what has arrived by trace id; what has none is under "None"."""
    ids = (
        (span.span.trace_id.hex() for span in vendors.honeycomb.inbox.items),
        (segment["trace_id"][2:].replace("-", "") for segment in vendors.xray.inbox.items),
        (str(line.fields.get("trace_id")) for line in vendors.cloudwatch.inbox.items),
        (str(item.get("custom", {}).get("trace_id")) for item in vendors.rollbar.inbox.items),
    )
    spans, segments, lines, items = map(Counter, ids)
    return {
        trace_id: (spans[trace_id], segments[trace_id], lines[trace_id], items[trace_id])
        for trace_id in {*spans, *segments, *lines, *items}
    }

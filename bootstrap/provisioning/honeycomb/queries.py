"""The saved queries of a service: what each asks, and the columns without which it cannot be asked.

The names of columns are those that spans really arrive with. Honeycomb itself makes `duration_ms`,
`trace.trace_id` and `trace.parent_id` of any span, and `error` of its status. The route is `http.route` in
OpenTelemetry's old conventions for HTTP and in the stable ones alike; the status code has a different name in
each, so that no query asks for it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

#: column -> its type, and what somebody should know who meets it in Honeycomb
COLUMNS = {
    "duration_ms": ("float", "How long the span took, in milliseconds."),
    "error": ("boolean", "True for a span that failed."),
    "http.route": ("string", "The pattern that a request's path fits; there are few."),
    "trace.parent_id": ("string", "The span that this one belongs to; the first of a trace has none."),
    "trace.trace_id": ("string", "The trace, the same in X-Ray, in the logs and at Rollbar."),
}

_ROOTS = [{"column": "trace.parent_id", "op": "does-not-exist"}]
_P90 = {"op": "P90", "column": "duration_ms"}
#: seconds of data, and groups: what Honeycomb takes where nothing is said
_DEFAULTS = {"time_range": 7200, "limit": 100}


class SavedQuery(Struct, frozen=True):
    """One question about one service."""

    title: str
    text: str
    #: as POST /1/queries takes it
    specification: Mapping[str, Any]
    #: how a board shows it
    style: str

    @property
    def fingerprint(self) -> str:
        """What is the same as long as the specification is."""
        return fingerprint(self.specification)


QUERIES = (
    SavedQuery(
        "duration of requests",
        "All requests by how long they took, and the time within which nine of ten were answered.",
        {
            "calculations": [{"op": "HEATMAP", "column": "duration_ms"}, _P90],
            "breakdowns": [],
            "filters": _ROOTS,
            "orders": [],
            **_DEFAULTS,
        },
        "graph",
    ),
    SavedQuery(
        "slowest traces",
        "The traces that took longest: click on one to see its spans.",
        {
            "calculations": [_P90],
            "breakdowns": ["trace.trace_id"],
            "filters": _ROOTS,
            "orders": [{**_P90, "order": "descending"}],
            **_DEFAULTS,
        },
        "table",
    ),
    SavedQuery(
        "errors by route",
        "Requests that failed, by the route that was asked for.",
        {
            "calculations": [{"op": "COUNT"}],
            "breakdowns": ["http.route"],
            "filters": [
                {"column": "error", "op": "=", "value": True},
                {"column": "http.route", "op": "exists"},
            ],
            "orders": [{"op": "COUNT", "order": "descending"}],
            **_DEFAULTS,
        },
        "combo",
    ),
)


def fingerprint(specification: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of a specification's digest."""
    text = json.dumps(specification, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def normal(theirs: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The parts `names` of a specification as Honeycomb gives it back, without what it adds by itself."""
    return {name: _plain(theirs.get(name, [] if isinstance(names[name], list) else None)) for name in names}


def _plain(value: Any) -> Any:
    """Without what says nothing: a null, and an order that is the usual one."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {
            name: _plain(part)
            for name, part in value.items()
            if part is not None and (name, part) != ("order", "ascending")
        }
    return value

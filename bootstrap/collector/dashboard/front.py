"""The front page: what arrives from whom, the latest traces and errors, how long things take."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from bootstrap.collector.asking.questions import EvidenceFilter, Expected, ItemGroup, Latency, TraceFilter
from bootstrap.collector.dashboard import heatmap
from bootstrap.collector.dashboard.asking import Asked, View, longest
from bootstrap.collector.dashboard.overview import overview
from bootstrap.collector.dashboard.wording import HOUR
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telemetry.records import TraceSummary

_TRACES, _ERRORS = 8, 5
_READ = 50
_FEWEST = 4
"""Columns with traces that make a curve; of fewer there would be dots in an empty field."""
_SPARK = (240, 48)


class Broken(NamedTuple):
    """An error report, or a trace with an error that nobody reported."""

    title: str
    service: str
    time_ns: int
    address: str
    times: int = 1


def show(store: Store, asked: Asked, expected: Sequence[Expected]) -> View:
    """Everything on one page."""
    # A health check that nobody measures leaves a log line with an id: nobody has sent a request.
    traces = store.search.traces(TraceFilter(measured=True), limit=_TRACES).traces
    return View(
        "front.html",
        {
            "seen": overview(expected, store.search.arrivals()),
            "traces": traces,
            "longest": longest([trace.duration_ns for trace in traces]),
            "errors": _errors(store),
            **(_latency(store, asked.now_ns) if traces else {}),
            "here": "Overview",
            "kinds": "traces,logs,items",
            "json_url": "/api/overview",
        },
    )


def _errors(store: Store) -> list[Broken]:
    """Of the latest reports each one once, and the latest traces that failed without one."""
    reports = store.search.item_groups(EvidenceFilter(), limit=_ERRORS)
    failed = store.search.traces(TraceFilter(status="error"), limit=_READ).traces
    reported = store.search.reported([trace.trace_id for trace in failed])
    found = [_of_group(group) for group in reports.groups]
    found += [_of_trace(trace) for trace in failed if trace.trace_id not in reported]
    return sorted(found, key=lambda each: -each.time_ns)[:_ERRORS]


def _of_group(group: ItemGroup) -> Broken:
    return Broken(group.title, group.service, group.last_ns, f"/errors/{quote(group.uuid)}", group.count)


def _of_trace(trace: TraceSummary) -> Broken:
    return Broken(trace.name, ", ".join(trace.services), trace.start_ns, f"/traces/{trace.trace_id}")


def _latency(store: Store, now_ns: int) -> dict[str, Any]:
    """Of the last hour or, where nothing came in it, of the one before the newest trace."""
    title, found = "last hour", store.search.latency(TraceFilter(start_ns=now_ns - HOUR), columns=60)
    if not found.count:
        title, found = "latest hour", store.search.latency(TraceFilter(), columns=60)
    percentiles = (
        ("p90", [each.p90_ns for each in found.columns]),
        ("p50", [each.p50_ns for each in found.columns]),
    )
    return {
        "latency_title": title,
        "figures": (("P50", found.p50_ns), ("P90", found.p90_ns), ("P99", found.p99_ns)),
        "sparks": _sparks(dict(percentiles)) if _filled(found) >= _FEWEST else [],
    }


def _filled(found: Latency) -> int:
    return sum(column.count > 0 for column in found.columns)


def _sparks(curves: dict[str, list[int | None]]) -> list[tuple[str, str]]:
    """Both on one scale."""
    top = max((value or 0 for values in curves.values() for value in values), default=0)
    return [(name, heatmap.line(values, *_SPARK, top=top)) for name, values in curves.items()]

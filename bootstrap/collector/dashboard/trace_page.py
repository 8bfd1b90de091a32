"""The page of one trace."""

from collections.abc import Mapping

from bootstrap.collector.asking.reading import Outline
from bootstrap.collector.dashboard import facts, lines, waterfall
from bootstrap.collector.dashboard.asking import Asked, Missing, View
from bootstrap.collector.dashboard.busiest import Busy, busiest
from bootstrap.collector.dashboard.facts import Details
from bootstrap.collector.dashboard.waterfall import Operation, Waterfall
from bootstrap.collector.dashboard.wording import duration
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telemetry.ids import parse_trace_id, to_xray
from bootstrap.collector.telemetry.records import Span

_MOST_ROWS = 300
_MOST_LINES = 200
_BUSIEST = 4
_TICKS = 5
_NAME = 200
"""Characters of a log line that stands for the name."""


def show(store: Store, asked: Asked, text: str) -> View:
    """Everything under one id, in either form; Missing."""
    trace_id = parse_trace_id(text)
    trace = store.search.outline(trace_id) if trace_id else None
    if trace is None:
        raise Missing(
            "There is no such trace",
            "It has not arrived here, or it was so long ago that it made room for newer ones. The id has 32 "
            "hexadecimal digits, or X-Ray's form, 1-8-24.",
        )
    below = asked.params.get("below") or None
    fall = waterfall.lay_out(trace, most=_MOST_ROWS, below=below)
    spans = _spans(store, trace.trace_id, fall)
    root = min(fall.rows, key=lambda row: (row.depth, row.orphan, row.kind != "span"), default=None)
    return View(
        "trace.html",
        {
            "trace": trace,
            "xray_id": to_xray(trace.trace_id),
            "fall": fall,
            "below": below,
            "name": _name(trace, root),
            "error": any(row.error for row in fall.rows),
            "length": fall.end_ns - fall.start_ns if fall.rows else None,
            "services": _services(trace, fall),
            "busy": _busy(fall),
            "ticks": _ticks(fall),
            "details": lambda row: _details(row, spans),
            "lines": [lines.view(line) for line in trace.lines[:_MOST_LINES]],
            "only": "error reports only" if trace.items and not trace.lines else "log lines only",
            "here": "Traces",
            "kinds": None,
            "json_url": f"/api/traces/{trace.trace_id}",
        },
    )


def _name(trace: Outline, root: Operation | None) -> str:
    if root:
        return root.name or "no name"
    if trace.items:
        return trace.items[0].title
    return lines.view(trace.lines[0]).message[:_NAME]


def _services(trace: Outline, fall: Waterfall) -> list[str]:
    named = [row.service for row in fall.rows]
    named += [line.service or "" for line in trace.lines]
    named += [item.service or "" for item in trace.items]
    return list(dict.fromkeys(filter(None, named)))


def _busy(fall: Waterfall) -> list[tuple[str, str, list[Busy]]]:
    """Where the time went: once for each protocol, because both tell of the same time."""
    spans = [row for row in fall.rows if row.kind == "span"]
    documents = [row for row in fall.rows if row.kind != "span"]
    both = (("OpenTelemetry", "span", spans), ("X-Ray", "segment", documents))
    # Of a single operation it goes without saying.
    found = [(title, kind, busiest(rows, _BUSIEST)) for title, kind, rows in both if len(rows) > 1]
    return [each for each in found if each[2]]


def _ticks(fall: Waterfall) -> list[tuple[float, str]]:
    """Places on the time line, in percent, and how long after its start they are."""
    parts = range(_TICKS)
    return [
        (100 * part / (_TICKS - 1), duration(fall.length_ns * part // (_TICKS - 1)) if part else "0")
        for part in parts
    ]


def _spans(store: Store, trace_id: str, fall: Waterfall) -> dict[str, Span]:
    """The spans that are shown, by their ids."""
    shown = [row.id for row in fall.rows if row.kind == "span"]
    return {span.span_id: span for span in store.search.spans(trace_id, shown)}


def _details(row: Operation, spans: Mapping[str, Span]) -> Details | None:
    """Everything else about an operation; None where that was not read."""
    if row.kind != "span":
        return facts.of_document(row.source)
    span = spans.get(row.id)
    return facts.of_span(span) if span else None

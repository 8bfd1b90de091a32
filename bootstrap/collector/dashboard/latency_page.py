"""The page that shows how long traces took, and what sets some of them apart."""

from typing import Any

from msgspec.structs import replace

from bootstrap.collector.answering.parameters import (
    ParameterError,
    read_region,
    write_duration,
    write_filter,
    write_moment,
)
from bootstrap.collector.asking.questions import Latency, Region, TraceFilter
from bootstrap.collector.dashboard import heatmap, links
from bootstrap.collector.dashboard.asking import LATELY, Asked, View, longest
from bootstrap.collector.dashboard.listing import filter_values
from bootstrap.collector.dashboard.wording import DAY
from bootstrap.collector.storing.store import Store

_ROWS = 20
_MOST_DIFFERENCES = 12
_PART = ("from", "to", "low", "high")


def show(store: Store, asked: Asked) -> View:
    """The heatmap and, where a part of it is chosen, its traces and their differences from the rest."""
    values: dict[str, Any] = {
        **filter_values(store, asked),
        "chart": None,
        "box": None,
        "region": None,
        "latency": None,
        "problem": "",
        "here": "Latency",
        "spans": [],
    }
    try:
        wanted = asked.filter()
        region = read_region(asked.params) if any(asked.params.get(name) for name in _PART) else None
        values["spans"] = _spans(asked)
        latency = store.search.latency(wanted)
        values |= _chart(latency, asked)
        if region:
            values |= _part(store, asked, wanted, region)
            values["box"] = heatmap.box(region, latency) if values["chart"] else None
    except ParameterError as error:
        values["problem"] = str(error)
    # A chosen part is to be read, not to move.
    values["kinds"] = None if values["region"] else "traces"
    return View("latency.html", values)


def _spans(asked: Asked) -> list[tuple[str, str, bool]]:
    """Links to stretches of time: label, address, whether it is the present one."""
    chosen = asked.lately
    fixed = any(name in ("start", "end") for name, _ in asked.pairs)
    leave = ("start", "end", "last", *_PART)
    spans = [(_label(name), asked.with_(leave=leave, last=name), name == chosen) for name in LATELY]
    return [("latest", asked.with_(leave=leave), chosen is None and not fixed), *spans]


def _label(name: str) -> str:
    number = name.rstrip("abcdefghijklmnopqrstuvwxyz")
    return f"last {number} {name.removeprefix(number)}"


def _chart(latency: Latency, asked: Asked) -> dict[str, Any]:
    figures = (("P50", latency.p50_ns), ("P90", latency.p90_ns), ("P99", latency.p99_ns))
    chart = heatmap.draw(latency) if latency.cells else None
    # The part stays in place while time goes on.
    pairs = links.without(asked.pairs, "last", "start", "end", *_PART)
    fixed = [("start", write_moment(latency.start_ns)), ("end", write_moment(latency.end_ns))]
    return {
        "latency": latency,
        "figures": figures,
        "chart": chart,
        "times": ",".join(map(write_moment, chart.column_bounds_ns)) if chart else "",
        "lengths": ",".join(map(write_duration, chart.row_bounds_ns)) if chart else "",
        "wide": "day" if latency.end_ns - latency.start_ns > DAY else "",
        "carried": [*pairs, *fixed],
        "part": {name: asked.params.get(name, "") for name in _PART},
        "whole": asked.with_(leave=_PART),
    }


def _part(store: Store, asked: Asked, wanted: TraceFilter, region: Region) -> dict[str, Any]:
    inside = replace(
        wanted,
        start_ns=max(region.start_ns, wanted.start_ns or 0),
        end_ns=min(region.end_ns, wanted.end_ns or region.end_ns),
        min_ns=max(region.min_ns, wanted.min_ns or 0),
        max_ns=min(region.max_ns, wanted.max_ns or region.max_ns),
    )
    page = store.search.traces(inside, limit=_ROWS)
    limits = {
        "start": write_moment(region.start_ns),
        "end": write_moment(region.end_ns),
        "min": write_duration(region.min_ns),
        "max": write_duration(region.max_ns),
    }
    pairs = links.without(asked.pairs, *_PART)

    def add(name: str, value: str) -> str:
        [attribute] = write_filter(TraceFilter(attributes=((name, value),)))
        return links.address("/latency", links.more(pairs, *attribute))

    return {
        "region": region,
        "apart": store.search.differences(wanted, region),
        "traces": page.traces,
        "longest": longest([trace.duration_ns for trace in page.traces]),
        "all_traces": asked.with_("/traces", leave=(*_PART, "last"), **limits) if page.next else None,
        "add": add,
        "shown": _MOST_DIFFERENCES,
        "differences_url": links.address("/api/differences", links.without(asked.pairs, "last")),
    }

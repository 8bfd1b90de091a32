"""The pages of errors: reports by what they say, traces that failed, and one report with its stack."""

from urllib.parse import quote

from bootstrap.collector.answering.parameters import ParameterError, read_evidence
from bootstrap.collector.asking.questions import EvidenceFilter, ItemGroups, TraceFilter, TracePage
from bootstrap.collector.dashboard import items
from bootstrap.collector.dashboard.asking import Asked, Missing, View, longest
from bootstrap.collector.dashboard.logs_page import services_with, wanted_of
from bootstrap.collector.storing.store import Store

_GROUPS = 100
_TRACES = 20


def show(store: Store, asked: Asked) -> View:
    """Reports by title, and the latest traces with an error."""
    wanted = wanted_of(asked)
    found, failed, problem = ItemGroups([], 0, 0), TracePage([]), ""
    try:
        evidence = read_evidence(asked.params)
        found = store.search.item_groups(evidence, limit=_GROUPS)
        failed = store.search.traces(_failed(evidence), limit=_TRACES)
    except ParameterError as error:
        problem = str(error)
    return View(
        "errors.html",
        {
            "reports": found,
            "traces": failed.traces,
            "longest": longest([trace.duration_ns for trace in failed.traces]),
            "more_traces": asked.with_("/traces", status="error"),
            "wanted": wanted,
            "services": services_with(store, wanted.service),
            "problem": problem,
            "here": "Errors",
            "kinds": "items,traces",
        },
    )


def _failed(evidence: EvidenceFilter) -> TraceFilter:
    return TraceFilter(service=evidence.service, text=evidence.text, status="error")


def show_item(store: Store, uuid: str) -> View:
    """One report; Missing."""
    item = store.search.item(uuid)
    if item is None:
        raise Missing("There is no such report", "It has not arrived here, or it made room for newer ones.")
    return View(
        "error.html",
        {"item": item, "shown": items.view(item), "here": "Errors", "json_url": f"/api/items/{quote(uuid)}"},
    )

"""The page that lists traces."""

from typing import Any

from bootstrap.collector.answering.parameters import ParameterError
from bootstrap.collector.asking.questions import TracePage
from bootstrap.collector.dashboard.asking import Asked, Moved, View, limit_of, longest
from bootstrap.collector.dashboard.logs_page import services_with
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telemetry.ids import parse_trace_id

_ROWS, _MOST_ROWS = 50, 500


def show(store: Store, asked: Asked) -> View:
    """The traces that are asked for; Moved where the text is the id of one."""
    trace_id = parse_trace_id((asked.params.get("q") or "").strip())
    if trace_id and store.search.summary(trace_id):
        raise Moved(f"/traces/{trace_id}")
    page, problem = TracePage([]), ""
    after = asked.params.get("after") or None
    try:
        limit = limit_of(asked.params, _ROWS, _MOST_ROWS)
        page = store.search.traces(asked.filter(), limit=limit, after=after)
    except ParameterError as error:
        problem = str(error)
    except ValueError:
        problem = "This place in the list is none that a page has given."
    return View(
        "traces.html",
        {
            **filter_values(store, asked),
            "traces": page.traces,
            "longest": longest([trace.duration_ns for trace in page.traces]),
            "older": asked.with_(after=page.next) if page.next else None,
            "newest": asked.with_() if after else None,
            "searched_to_ns": page.searched_to_ns,
            "problem": problem,
            "here": "Traces",
            # An older page stays as it is.
            "kinds": None if after else "traces",
        },
    )


def filter_values(store: Store, asked: Asked) -> dict[str, Any]:
    """What the bar of fields needs."""
    form = asked.form()
    return {
        "form": form,
        "services": services_with(store, form.service),
        "chips": asked.chips(),
        "extra": [(name, value) for name, value in asked.pairs if name in ("start", "end", "last", "limit")],
    }

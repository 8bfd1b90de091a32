from __future__ import annotations

import contextlib
import secrets
import sqlite3
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from starlette.datastructures import QueryParams

from bootstrap.collector.asking import reading
from bootstrap.collector.asking.reading import SpanOutline
from bootstrap.collector.dashboard import trace_page
from bootstrap.collector.dashboard.asking import Asked
from bootstrap.collector.dashboard.rendering import Renderer, Static
from tests.collector import records
from tests.collector.records import NOON, TRACES, span, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.collector.telemetry.records import Record, Span


def in_outline(span: Span) -> SpanOutline:
    return SpanOutline(
        span.span_id, span.parent_id, span.service, span.name, span.start_ns, span.end_ns,
        span.status.code == "error",
    )  # fmt: skip


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records.batches)
def test_an_outline_has_what_the_whole_trace_has(tmp_path: Path, made: list[list[Record]]) -> None:
    store = store_of(tmp_path / "telemetry.db", made)
    for trace_id in TRACES:
        whole, outline = store.trace(trace_id), store.search.outline(trace_id)
        if whole is None:
            assert outline is None
            continue
        assert outline
        assert outline.spans == [in_outline(span) for span in whole.spans]
        assert (outline.segments, outline.lines, outline.items) == (whole.segments, whole.lines, whole.items)
        read = store.search.spans(trace_id, [span.span_id for span in whole.spans[1:]])
        assert sorted(read, key=lambda span: (span.start_ns, span.span_id)) == whole.spans[1:]


def test_an_outline_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    made = [span(TRACES[0], start_ns=NOON + n, attributes={"a": "x" * 1_000}) for n in range(4)]
    store_of(path, [made])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        outline = reading.outline(connection, TRACES[0], most=3)
        some = reading.spans_of(connection, TRACES[0], [each.span_id for each in made], limit=1_500)
    assert outline
    assert (outline.spans, outline.truncated) == ([in_outline(each) for each in made[:3]], True)
    assert some == made[:2]


def test_a_page_tells_what_it_has_no_room_for(tmp_path: Path) -> None:
    made = [span(TRACES[0], attributes={"large": secrets.token_hex(3 << 20)}) for _ in range(4)]
    store = store_of(tmp_path / "telemetry.db", [[each] for each in made])
    view = trace_page.show(store, Asked("/traces", QueryParams()), TRACES[0])
    assert [bool(view.values["details"](row)) for row in view.values["fall"].rows] == [True] * 3 + [False]
    html = Renderer(Static()).html(view.template, {**view.values, "now": NOON})
    assert html.count("is too much for one page") == 1


def test_a_page_has_names_whole_where_lists_cut_them(tmp_path: Path) -> None:
    long = span(TRACES[0], name="n" * 300, service="s" * 300)
    store = store_of(tmp_path / "telemetry.db", [[long]])
    view = trace_page.show(store, Asked("/traces", QueryParams()), TRACES[0])
    [row] = view.values["fall"].rows
    assert (row.name, row.service) == ("n" * 200, "s" * 200)
    [section] = [each for each in view.values["details"](row).sections if each.title == "Span"]
    assert section.facts[:2] == [("name", "n" * 300, False), ("service", "s" * 300, False)]

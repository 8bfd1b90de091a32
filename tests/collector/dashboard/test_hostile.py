"""Whatever senders write, a page says it, and does nothing else with it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bootstrap.collector.dashboard.pages import Pages
from bootstrap.collector.receiving.log_events import Event as LogEvent
from bootstrap.collector.receiving.log_events import read_line
from bootstrap.collector.receiving.rollbar import read_item
from bootstrap.collector.storing.store import Store
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry import segments
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import Event, Link, Scope, Span, Status
from tests.collector.dashboard.asking import Page, get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE = "6b0b596c7038cc653177eddc63803bff"
NOW = 1_700_000_000_000_000_000
UUID = "12345678-1234-4234-8234-123456789012"
PAGES = (
    "/",
    "/traces",
    f"/traces/{TRACE}",
    "/latency",
    f"/logs?trace_id={TRACE}",
    "/errors",
    f"/errors/{UUID}",
)

HOSTILE = (
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></pre></textarea></style><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//",
    "&lt;b&gt;&#0;",
    "a\0b\x1b[2J\x7f\u202e\u2028\ufeff",
    "-->]]><!--",
)


def tell(store: Store, text: str) -> None:
    """Put the text into every field that a sender can fill."""
    now = NOW
    facts = {text: text, "nested": {text: [text, {text: text}]}, "http.route": text}
    raised = {"exception.type": text, "exception.message": text, "exception.stacktrace": text}
    span = Span(
        trace_id=TRACE, span_id="a" * 16, parent_id="b" * 16, service=text, name=text, kind="server",
        start_ns=now - 9_000_000, end_ns=now, status=Status("error", text), attributes=facts,
        events=[Event(text, now, facts), Event("exception", now, raised)],
        links=[Link(TRACE, "c" * 16, facts)],
        resource=facts, scope=Scope(text, text, facts), trace_state=text,
    )  # fmt: skip
    cause = {
        "exceptions": [{"type": text, "message": text, "stack": [{"path": text, "line": 1, "label": text}]}]
    }
    part = {
        "id": "e" * 16,
        "name": text,
        "start_time": now / 1e9 - 0.1,
        "end_time": now / 1e9,
        "namespace": text,
    }
    document = {
        **part, "id": "d" * 16, "trace_id": f"1-{TRACE[:8]}-{TRACE[8:]}", "error": True, "cause": cause,
        "user": text, "annotations": {text: text}, "metadata": {text: facts},
        "http": {"request": {"url": text}},
        "subsegments": [part],
    }  # fmt: skip
    fields = {**facts, "message": text, "level": text, "service": text, "trace_id": TRACE, "span_id": text}
    frame = {
        "filename": text, "lineno": 3, "method": text, "code": text,
        "context": {"pre": [text], "post": [text]},
        "locals": {text: text}, "argspec": [text], "args": [text],
    }  # fmt: skip
    item = {
        "environment": text, "title": text, "uuid": UUID, text: text, "person": {text: text},
        "custom": {"service": text, "trace_id": TRACE, text: text}, "server": {"host": text},
        "request": {"url": text, "headers": {text: text}},
        "body": {"trace": {"frames": [frame], "exception": {"class": text, "message": text}}},
    }  # fmt: skip
    batch = Batch(Masker(()))
    batch.add(span)
    # No X-Ray takes such names today; the store may have them all the same.
    named = {**document, "name": "a", "subsegments": []}
    segment = segments.decode(msgspec.json.encode(named))
    batch.add(msgspec.structs.replace(segment, name=text, document=document))
    batch.add(read_line(text, text, LogEvent(now // 1_000_000, json.dumps(fields)), now))
    batch.add(read_item(item, now))
    with store.writer() as writer:
        writer.write([batch])


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    return shown(tmp_path_factory.mktemp("harmless"), "harmless")


def shown(folder: Path, text: str) -> dict[str, Page]:
    store = Store(folder / f"{time.time_ns()}.db")
    tell(store, text)
    pages = Pages(store)
    found = {}
    for address in PAGES:
        status, html = get(pages, address)
        assert status == 200
        assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\ufeff]", html)
        found[address] = Page(html)
    return found


# No longer than names are kept, and neither empty nor blank: X-Ray takes no empty name.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)


def examples(function: Any) -> Any:
    for text in HOSTILE:
        function = example(text)(function)
    return function


@examples
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_no_text_becomes_an_element(tmp_path: Path, harmless: dict[str, Page], text: str) -> None:
    for address, page in shown(tmp_path, text).items():
        assert page.shape == harmless[address].shape
        assert set(addresses(page)) <= set("/#")


def addresses(page: Page) -> Iterator[str]:
    """How every address in a page begins: with a path or a place in it."""
    for tag, name in (("a", "href"), ("link", "href"), ("script", "src"), ("form", "action")):
        yield from (value[0] for value in page.attributes(tag, name) if not value.startswith("//"))


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_asked_for_stands_in_its_fields(tmp_path: Path, text: str) -> None:
    pages = Pages(Store(tmp_path / "store.db"))
    quoted = "".join(f"%{byte:02x}" for byte in text.encode())
    for name in ("traces", "latency", "logs", "errors"):
        every = (
            "service",
            "status",
            "min",
            "attribute",
            "q",
            "start",
            "after",
            "trace_id",
            "from",
            "last",
            "limit",
            "below",
        )
        alone = [f"{parameter}={quoted}" for parameter in every]
        shapes = []
        for query in (*alone, "&".join(alone)):
            status, html = get(pages, f"/{name}?{query}")
            assert status in {200, 400}
            shapes.append(Page(html))
        assert all(set(addresses(page)) <= set("/#") for page in shapes)
        assert {tag for page in shapes for tag, _ in page.elements} <= KNOWN


PARAMETERS = (
    *("service", "status", "min", "attribute", "q", "start"),
    *("after", "trace_id", "from", "last", "limit", "below"),
)
KNOWN = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "header",
        "nav",
        "main",
        "section",
        "footer",
        "dialog",
    ),
    *(
        "a",
        "form",
        "input",
        "button",
        "label",
        "select",
        "option",
        "fieldset",
        "legend",
        "details",
        "summary",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "span",
        "i",
        "strong",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "kbd",
        "code",
        "time",
    ),
    *("svg", "rect"),
}

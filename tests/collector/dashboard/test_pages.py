from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import bootstrap.collector.dashboard
from bootstrap.collector.access import cookie_name, session_value
from bootstrap.collector.asking.questions import Expected
from bootstrap.collector.dashboard.pages import Pages
from bootstrap.collector.storing.store import Store
from tests.collector.dashboard.asking import Page, get
from tests.collector.records import TRACES, item, line, store_of

if TYPE_CHECKING:
    from tests.collector.conftest import Answer, Collector
    from tests.collector.dashboard.conftest import Played

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
STATIC = Path(bootstrap.collector.dashboard.__file__).parent / "static"


def look(collector: Collector, address: str) -> Answer:
    cookie = f"{cookie_name(collector.token)}={session_value(collector.token)}"
    return collector.request("GET", address, headers={**HTML, "Cookie": cookie})


def page(collector: Collector, address: str) -> Page:
    answer = look(collector, address)
    assert answer.status == 200
    return Page(answer.body.decode())


def test_a_browser_without_the_token_reads_where_it_is(collector: Collector) -> None:
    for address in ("/", "/traces", "/nowhere", "/traces/" + "a" * 32):
        answer = collector.request("GET", address, headers=HTML)
        assert answer.status == 401
        assert "bootstrap up" in Page(answer.body.decode()).words


def test_a_page_may_run_and_load_only_what_is_ours(collector: Collector) -> None:
    answer = look(collector, "/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers.get_all("content-security-policy") == [policy]
    shown = Page(answer.body.decode())
    assert "style" not in {name for _, given in shown.elements for name in given}
    assert {tag for tag, _ in shown.elements} & {"style", "iframe", "object", "embed", "base"} == set()
    assert len(shown.attributes("script", "src")) == len(
        [tag for tag, _ in shown.elements if tag == "script"]
    )


def test_style_and_script_are_open_and_kept_for_good(collector: Collector) -> None:
    shown = page(collector, "/")
    files = shown.attributes("script", "src") + shown.attributes("link", "href")[:2]
    for address in files:
        answer = collector.request("GET", address)
        assert (answer.status, "immutable" in answer.headers["cache-control"]) == (200, True)
        assert answer.headers["content-type"].partition(";")[0] in {
            "text/javascript",
            "text/css",
            "image/svg+xml",
        }
    assert collector.request("GET", files[0] + "x").status == 401


def test_files_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in STATIC.iterdir()}
    assert sizes["dashboard.css"] < 22_000
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) < 25_000


def test_every_link_of_every_page_leads_somewhere(played: Played) -> None:
    """Pages are found from the first one, one of each kind with each set of parameters."""
    waiting, known = ["/"], set()
    while waiting:
        address = waiting.pop()
        answer = look(played.collector, address)
        assert answer.status == 200, address
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        shown = Page(answer.body.decode())
        targets = set(shown.attributes("a", "href") + shown.attributes("link", "href"))
        ids = {given["id"] for _, given in shown.elements if "id" in given}
        assert {target[1:] for target in targets if target.startswith("#")} <= ids
        for target in sorted(target for target in targets if target.startswith("/")):
            parts = urlsplit(target)
            names = tuple(sorted({pair.partition("=")[0] for pair in parts.query.split("&")}))
            kind = (*[part for part in parts.path.split("/") if len(part) < 30], *names)
            if kind not in known:
                known.add(kind)
                waiting.append(target)
    assert len(known) > 20


@pytest.mark.parametrize("address", ["/", "/traces", "/latency", "/logs", "/errors"])
def test_what_moves_can_be_had_alone(played: Played, address: str) -> None:
    answer = look(played.collector, f"{address}?fragment=live")
    part, whole = Page(answer.body.decode()), page(played.collector, address)
    assert answer.status == 200
    assert part.elements
    assert "main" not in {tag for tag, _ in part.elements}
    assert len(part.elements) < len(whole.elements)
    assert any(given.get("id") == "live" for _, given in whole.elements)


def test_the_front_page_says_what_arrived(played: Played) -> None:
    shown = page(played.collector, "/")
    assert "backend-flask" in shown.words
    assert f"{len(played.journal.segments)} segments" in shown.words
    assert "What is slow" in shown.words
    assert (
        f"/traces/{played.journal.slow[-1]}" in shown.attributes("a", "href") or len(played.journal.slow) > 8
    )


def test_an_empty_front_page_says_what_to_do(tmp_path: Path) -> None:
    _, html = get(Pages(Store(tmp_path / "store.db")), "/")
    assert "bootstrap verify" in Page(html).words


def test_a_health_check_that_only_logs_is_no_request(tmp_path: Path) -> None:
    store = store_of(tmp_path / "store.db", [[line(TRACES[0], '{"message": "GET /health 200"}')]])
    pages = Pages(store, [Expected("web", "honeycomb", "Honeycomb", "local", "")])
    _, html = get(pages, "/")
    words = Page(html).words
    assert "bootstrap verify" in words
    assert "GET /health 200" not in words
    _, html = get(pages, "/traces")
    assert "GET /health 200 web log lines only" in Page(html).words
    _, html = get(pages, f"/traces/{TRACES[0]}")
    assert "GET /health 200 12:00:00.000" not in Page(html).words
    assert "log lines only" in Page(html).words
    assert "{" not in Page(html).words


def test_a_report_without_any_trace_is_on_the_front_page(tmp_path: Path) -> None:
    store = store_of(tmp_path / "store.db", [[item(TRACES[0], title="It broke")]])
    _, html = get(Pages(store), "/")
    assert "Latest errors All errors It broke" in Page(html).words
    _, html = get(Pages(store), f"/traces/{TRACES[0]}")
    assert "error reports only" in Page(html).words


def test_where_else_things_go_and_why(tmp_path: Path) -> None:
    expected = (
        Expected("web", "honeycomb", "Honeycomb", "local", ""),
        Expected(
            "web",
            "xray",
            "AWS X-Ray",
            "cloud",
            "You agreed. Keep it here: bootstrap up --telemetry xray=local",
        ),
        Expected("web", "cloudwatch", "CloudWatch Logs", "off", "Nothing is sent. Turn it on: bootstrap up"),
    )
    _, html = get(Pages(Store(tmp_path / "store.db"), expected), "/")
    words = Page(html).words
    assert "waiting for the first span" in words
    assert "in the cloud You agreed. Keep it here: bootstrap up --telemetry xray=local" in words
    assert "off Nothing is sent. Turn it on: bootstrap up" in words


def test_a_trace_says_where_the_time_went(played: Played) -> None:
    trace_id = played.journal.slow[-1]
    shown = page(played.collector, f"/traces/{trace_id}")
    first = shown.words.index("Where the time went")
    assert "SELECT follows" in shown.words[first : first + 150]
    assert f"1-{trace_id[:8]}-{trace_id[8:]}" in shown.words
    assert "slow query: SELECT follows took" in shown.words
    titles = shown.words.count("X-Ray segment"), shown.words.count("OpenTelemetry span")
    assert min(titles) >= 1
    assert page(played.collector, f"/traces/1-{trace_id[:8]}-{trace_id[8:]}").words == shown.words


def test_a_trace_shows_its_error(played: Played) -> None:
    trace_id = played.journal.broken[-1]
    shown = page(played.collector, f"/traces/{trace_id}")
    assert "expires_at = now + ttl" in shown.words
    [report] = [address for address in shown.attributes("a", "href") if address.startswith("/errors/")]
    stack = page(played.collector, report)
    assert "/app/services/create_activity.py:31" in stack.words
    assert "7-days" in stack.words
    assert f"/traces/{trace_id}" in stack.attributes("a", "href")


def test_lists_are_filtered(played: Played) -> None:
    slow = page(played.collector, "/traces?min=900&attribute=db.replica%3Db&status=ok")
    rows = [given["id"] for tag, given in slow.elements if tag == "tr" and "id" in given]
    assert rows
    assert set(rows) <= {f"t-{trace_id}" for trace_id in played.journal.slow}
    assert "/traces?min=900&status=ok" in slow.attributes("a", "href")


def test_an_id_in_the_search_leads_to_its_trace(played: Played) -> None:
    trace_id = played.journal.slow[0]
    for text in (trace_id, f"1-{trace_id[:8]}-{trace_id[8:]}"):
        answer = look(played.collector, f"/traces?q={text}")
        assert (answer.status, answer.headers["location"]) == (303, f"/traces/{trace_id}")


def test_older_ones_are_on_further_pages(played: Played) -> None:
    first = page(played.collector, "/traces?limit=300")
    [older] = [address for address in first.attributes("a", "href") if "after=" in address]
    second = page(played.collector, older)
    ids = [
        {given.get("id") for tag, given in shown.elements if tag == "tr"} - {None}
        for shown in (first, second)
    ]
    # Fewer where the time for one answer was over.
    assert 0 < len(ids[0]) <= 300
    assert ids[1]
    assert not ids[0] & ids[1]
    assert "/traces?limit=300" in second.attributes("a", "href")


@pytest.mark.parametrize(
    "address",
    [
        "/traces?min=soon",
        "/traces?attribute=nothing",
        "/traces?after=x",
        "/traces?limit=0",
        "/latency?start=never",
        "/latency?last=1y",
        "/latency?from=2026-01-01&low=1",
        "/logs?trace_id=x",
        "/errors?trace_id=x",
    ],
)
def test_what_cannot_be_understood_is_said_beside_the_fields(collector: Collector, address: str) -> None:
    answer = look(collector, address)
    assert answer.status == 400
    shown = Page(answer.body.decode())
    assert "alert" in shown.attributes("p", "role")
    assert "form" in {tag for tag, _ in shown.elements}


@pytest.mark.parametrize(
    "address", ["/traces/" + "f" * 32, "/traces/x", "/errors/none", "/errors/a/b", "/nowhere"]
)
def test_what_is_not_there(collector: Collector, address: str) -> None:
    answer = look(collector, address)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such" in Page(answer.body.decode()).words


def test_a_trace_of_ten_thousand_spans(collector: Collector, made: object) -> None:
    trace_id = made.trace_id()  # type: ignore[attr-defined]
    root = made.span(trace_id)  # type: ignore[attr-defined]
    spans = [made.span(trace_id, parentSpanId=root["spanId"]) for _ in range(9_999)]  # type: ignore[attr-defined]
    assert collector.post_json(made.export(root, *spans)).status == 200  # type: ignore[attr-defined]
    shown = page(collector, f"/traces/{trace_id}")
    assert "300 of 10,000 operations are shown" in shown.words
    assert len([tag for tag, _ in shown.elements if tag == "details"]) == 300
    [below] = [address for address in shown.attributes("a", "href") if "below=" in address]
    assert "9,700 shorter operations below" in shown.words
    assert page(collector, below).words

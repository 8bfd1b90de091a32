"""The pages in Debian's Chromium."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.collector.dashboard.browsing import drag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.collector.conftest import Collector, Made
    from tests.collector.dashboard.conftest import Played, Visitor

pytestmark = pytest.mark.slow

PAGES = ("/", "/traces", "/latency", "/logs", "/errors")


def every_page(played: Played) -> list[str]:
    journal = played.journal
    report = journal.items[-1]["data"]["uuid"]
    return [
        *PAGES,
        f"/traces/{journal.slow[-1]}",
        f"/traces/{journal.broken[-1]}",
        f"/errors/{report}",
        "/nowhere",
    ]


def colour(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(played: Played, visitor: Visitor, scheme: Any) -> None:
    with visitor(played.collector, viewport={"width": 360, "height": 740}, color_scheme=scheme) as (
        visit,
        page,
    ):
        for address in every_page(played):
            page.goto(played.url + address)
            page.evaluate(OPEN)
            assert page.evaluate("document.documentElement.scrollWidth") == 360, address
            assert (colour(page) == "rgb(20, 22, 26)") == (scheme == "dark")
        visit.complaints = [each for each in visit.complaints if "404" not in each]  # /nowhere


CONTRAST = """() => {
  const channel = (value) => {
    value /= 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const each of colours) { canvas.fillStyle = each; canvas.fillRect(0, 0, 1, 1); }
    return light(canvas.getImageData(0, 0, 1, 1).data);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    const drawn = element instanceof SVGElement;
    if (!text || !element.checkVisibility() || element.closest("title, .unseen, .skip")) continue;
    const behind = [];
    for (let each = element; each; each = each.parentElement) {
      behind.unshift(getComputedStyle(each).backgroundColor);
    }
    const both = [over(behind), over([...behind, getComputedStyle(element)[drawn ? "fill" : "color"]])];
    const [dark, bright] = both.sort((one, other) => one - other);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${text}`);
  }
  return poor;
}"""

OPEN = "for (const each of [...document.querySelectorAll('main details')].slice(0, 4)) each.open = true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(played: Played, visitor: Visitor, scheme: Any) -> None:
    """With the contrast that WCAG asks for, level AA."""
    with visitor(played.collector, color_scheme=scheme) as (visit, page):
        for address in every_page(played):
            page.goto(played.url + address)
            page.evaluate(OPEN)
            assert page.evaluate(CONTRAST) == [], address
        visit.complaints = [each for each in visit.complaints if "404" not in each]


def test_everything_can_be_done_with_the_keyboard(played: Played, visitor: Visitor) -> None:
    with visitor(played.collector) as (_, page):
        keyboard = page.keyboard
        keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        keyboard.press("?")
        assert page.locator("dialog").is_visible()
        keyboard.press("Escape")
        assert not page.locator("dialog").is_visible()
        keyboard.press("t")
        page.wait_for_url("**/traces")
        keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        keyboard.type(played.journal.slow[-1])
        keyboard.press("Enter")
        page.wait_for_url("**/traces/*")
        for _step in range(3):
            keyboard.press("j")
        keyboard.press("k")
        row = page.locator(".tree details").nth(1)
        keyboard.press("Enter")
        assert row.get_attribute("open") is not None
        assert row.locator("dt", has_text="http.route").is_visible()
        keyboard.press("l")
        page.wait_for_url("**/latency")
        page.locator(".plot").focus()
        for key in ("ArrowUp", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowUp", "Enter"):
            assert key != "Enter" or " ms" in page.locator("[role=status]").inner_text()
            keyboard.press(key)
        page.wait_for_url("**/latency?*from=*")
        chosen = page.locator(".chosen")
        assert (float(chosen.get_attribute("width") or 0), float(chosen.get_attribute("height") or 0)) == (
            2,
            2,
        )


def test_dragging_tells_what_is_different(played: Played, visitor: Visitor) -> None:
    with visitor(played.collector) as (_, page):
        page.goto(f"{played.url}/latency?last=1h")
        drag(page, 0.6, 0.01, 0.99, 0.2)
        first = page.locator(".apart > li").filter(has_text="app.recommendations")
        assert "true" in first.inner_text()
        address = page.url
        traces = page.locator(".traces tbody tr").evaluate_all("rows => rows.map(row => row.id.slice(2))")
        assert traces
        assert set(traces) <= set(played.journal.slow)
        page.goto(address)  # the address says it all
        assert page.locator(".traces tbody tr").first.get_attribute("id") == f"t-{traces[0]}"
        first.get_by_role("link", name="true").click()
        page.wait_for_url("**attribute=app.recommendations%3Dtrue**")
        assert "app.recommendations=true" in page.locator(".chips").inner_text()


def test_what_arrives_shows_by_itself(collector: Collector, made: Made, visitor: Visitor) -> None:
    with visitor(collector) as (_, page):
        page.goto(f"{collector.url}/traces?service=shown")
        page.locator(".live[data-state=on]").wait_for()
        first, second, third = (made.trace_id() for _ in range(3))
        collector.post_json(made.export(made.span(first), service="shown"))
        page.locator(f"#t-{first}").wait_for()
        page.locator(".live").click()
        collector.post_json(made.export(made.span(second), service="shown"))
        page.wait_for_timeout(2_500)
        assert page.locator(f"#t-{second}").count() == 0
        page.locator(".live").click()
        page.locator(f"#t-{second}").wait_for()
        # What has the focus is not taken away.
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        collector.post_json(made.export(made.span(third), service="shown"))
        page.locator(".live[data-state=waiting]").wait_for()
        assert page.locator(f"#t-{third}").count() == 0
        page.keyboard.press("Escape")
        page.locator(f"#t-{third}").wait_for()


def test_a_page_that_nobody_sees_has_no_stream_and_catches_up(
    collector: Collector, made: Made, visitor: Visitor
) -> None:
    """Whether it is seen is all that is made up here: a browser without a window shows every page."""
    with visitor(collector) as (_, page):
        page.goto(f"{collector.url}/traces?service=unseen")
        page.locator(".live[data-state=on]").wait_for()
        with page.expect_event("requestfailed", lambda request: "/api/stream" in request.url):
            page.evaluate(SEEN, {"hidden": True})
        trace_id = made.trace_id()
        collector.post_json(made.export(made.span(trace_id), service="unseen"))
        page.wait_for_timeout(2_000)
        assert page.locator(f"#t-{trace_id}").count() == 0
        with page.expect_request("**/api/stream?*"):
            page.evaluate(SEEN, {"hidden": False})
        page.locator(f"#t-{trace_id}").wait_for()


SEEN = """({ hidden }) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_what_arrived_while_the_stream_was_broken_shows(
    collector: Collector, made: Made, visitor: Visitor
) -> None:
    with visitor(collector) as (visit, page):
        page.route("**/api/stream?*", lambda route: route.abort())
        page.goto(f"{collector.url}/traces?service=cut")
        page.locator(".live[data-state=waiting]").wait_for()
        trace_id = made.trace_id()
        collector.post_json(made.export(made.span(trace_id), service="cut"))
        page.wait_for_timeout(1_000)
        page.unroute("**/api/stream?*")
        page.locator(f"#t-{trace_id}").wait_for()
        # The stream tells of this one, but what is told of cannot be had at first.
        page.locator(".live[data-state=on]").wait_for()
        page.route("**fragment=live**", lambda route: route.abort())
        trace_id = made.trace_id()
        collector.post_json(made.export(made.span(trace_id), service="cut"))
        page.locator(".live[data-state=waiting]").wait_for()
        page.unroute("**fragment=live**")
        page.locator(f"#t-{trace_id}").wait_for()
        visit.complaints = [each for each in visit.complaints if "ERR_FAILED" not in each]


def test_the_front_page_fills_by_itself(start_collector: Any, made: Made, visitor: Visitor) -> None:
    collector = start_collector()
    with visitor(collector) as (_, page):
        assert "bootstrap verify" in page.locator("main").inner_text()
        page.locator(".live[data-state=on]").wait_for()
        collector.post_json(made.export(made.span(made.trace_id()), service="web"))
        page.locator(".arrivals .arrived").wait_for()
        assert "1 span" in page.locator(".arrivals").inner_text()


def test_without_scripts_all_of_it_works(played: Played, visitor: Visitor) -> None:
    with visitor(played.collector, java_script_enabled=False) as (_, page):
        page.get_by_role("link", name="All traces").click()
        page.get_by_label("Status").select_option("error")
        page.get_by_label("Attribute").fill("app.ttl=7-days")
        page.get_by_role("button", name="Filter").click()
        assert page.locator(".traces tbody tr").count() == len(played.journal.broken)
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", page.locator(".traces time").first.inner_text())
        page.locator(".traces a.cover").first.click()
        page.locator(".tree summary").nth(1).click()
        assert page.locator(".failure").nth(1).is_visible()
        page.goto(f"{played.url}/latency")
        page.get_by_text("A part by numbers").click()
        for label, placeholder in (("From (UTC)", "placeholder"), ("To (UTC)", "placeholder")):
            field = page.get_by_label(label)
            field.fill(field.get_attribute(placeholder) or "")
        fields = page.locator("[data-region]")
        fields.locator("[name=low]").fill("500")
        fields.locator("[name=high]").fill("9000")
        page.get_by_role("button", name="Look").click()
        assert "app.recommendations" in page.locator(".apart").inner_text()


def test_on_a_phone_the_filter_is_folded_and_needs_no_script(played: Played, visitor: Visitor) -> None:
    how: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "java_script_enabled": False}
    with visitor(played.collector, **how) as (_, page):
        for address in ("/traces", "/latency", "/logs", "/errors"):
            page.goto(played.url + address)
            service = page.locator("select[name=service]")
            assert not service.is_visible()
            page.get_by_text("Filter", exact=True).first.click()
            assert service.is_visible()
            page.goto(f"{played.url}{address}?service=backend-flask")
            assert service.is_visible()


def test_five_questions_of_a_stranger_in_two_clicks(played: Played, visitor: Visitor) -> None:
    with visitor(played.collector) as (_, page):
        front, main = page.url, page.locator("main")
        # Did my request arrive?
        assert page.locator(".traces tbody tr").count() > 0
        assert "400 segments" in main.inner_text()
        # Why was it slow?
        slow = page.locator(".traces tbody tr", has_text="recommendations").first
        slow.locator("a").first.click()
        assert "SELECT follows" in page.locator(".busy li").first.inner_text()
        # Which log lines belong to it?
        assert "slow query: SELECT follows took" in page.locator(".along").inner_text()
        # What broke, and where?
        page.goto(front)
        page.locator(".brief a").first.click()
        assert "/app/services/create_activity.py:31" in main.inner_text()
        assert "expires_at = now + ttl" in page.locator(".ran").first.inner_text()
        # What differs between the slow ones and the rest?
        page.goto(front)
        page.get_by_role("link", name="What is slow").click()
        drag(page, 0.7, 0.01, 0.99, 0.2)
        assert "app.recommendations" in page.locator(".apart").inner_text()


def test_a_place_in_a_trace_has_an_address(played: Played, visitor: Visitor) -> None:
    with visitor(played.collector) as (_, page):
        page.goto(f"{played.url}/traces/{played.journal.slow[-1]}")
        own = page.locator(".tree details").last.get_attribute("id")
        page.goto(f"{played.url}/traces/{played.journal.slow[-1]}#{own}")
        page.reload()
        assert page.locator(f"#{own}[open]").count() == 1


@pytest.fixture
def other_site() -> Iterator[list[str]]:
    """Another site of this machine, whose pages link to the addresses in the list."""
    addresses: list[str] = []

    class Links(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write("".join(f'<a href="{each}">go</a>' for each in addresses).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Links)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    addresses.append(f"http://localhost:{server.server_port}/")
    yield addresses
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_link_from_another_site_opens_the_page(
    collector: Collector, visitor: Visitor, other_site: list[str]
) -> None:
    """As that in the terminal of a workspace in a browser."""
    context = visitor.browser.new_context()
    page = context.new_page()
    away = other_site.pop()
    other_site.append(f"{collector.url}/traces?token={collector.token}")
    page.goto(away)
    page.get_by_role("link").click()
    page.wait_for_url(f"{collector.url}/traces")
    assert page.locator("h1").inner_text() == "Traces"
    context.close()

"""A collector with an hour of the journal's backend in it, and a browser."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.collector.conftest import PATIENCE, Collector, Starter
from tests.collector.dashboard.scenario import Journal, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

EXPECTED = (
    ("backend-flask", "honeycomb", "Honeycomb", "local", ""),
    ("backend-flask", "xray", "AWS X-Ray", "local", ""),
    ("backend-flask", "cloudwatch", "CloudWatch Logs", "local", ""),
    ("backend-flask", "rollbar", "Rollbar", "local", ""),
)


@dataclass(frozen=True)
class Played:
    """A collector that has received the journal's hour."""

    collector: Collector
    journal: Journal

    @property
    def url(self) -> str:
        return self.collector.url


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Only read it: all tests share it. It must have had nothing to complain about."""
    start = Starter(tmp_path_factory.mktemp("dashboard"))
    try:
        fields = ("service", "vendor", "title", "where", "reason")
        expected = tuple(dict(zip(fields, each, strict=True)) for each in EXPECTED)
        collector = start(expected=expected)
        yield Played(collector, play(collector, time.time_ns()))
        assert collector.stop() == ("returned\n", "")
    finally:
        start.stop_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window; its driver has a loop on this thread, until the module ends."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as running:
        # In a container that runs as root there is no sandbox; the pages are our own. Letters in shades of
        # grey make pictures smaller.
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-lcd-text"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """One browser's look at a collector, and what went wrong in it."""

    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """A new tab; whatever it complains about, or asks of others, is noted down."""
        page = self.context.new_page()
        page.on("console", lambda message: self._complain(message.type, message.text))
        page.on("pageerror", lambda error: self._complain("error", str(error)))
        page.on("request", lambda request: self._asks(request.url))
        return page

    def _complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _asks(self, address: str) -> None:
        if not address.startswith((self.url + "/", "data:")):
            self.complaints.append(f"asks for {address}")


@dataclass(frozen=True)
class Visitor:
    """Opens the pages in a browser, the first time by the address with the token."""

    browser: Browser

    @contextlib.contextmanager
    def __call__(self, collector: Collector, **how: Any) -> Iterator[tuple[Visit, Page]]:
        """The front page; at the end, nothing must have gone wrong."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        context.set_default_timeout(PATIENCE * 1_000)
        visit = Visit(context, collector.url)
        try:
            page = visit.page()
            page.goto(f"{collector.url}/?token={collector.token}")
            yield visit, page
            assert visit.complaints == []
        finally:
            context.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Visitor:
    return Visitor(browser)

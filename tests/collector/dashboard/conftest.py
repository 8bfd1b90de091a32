"""A collector with an hour of the journal's backend in it, and a browser."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.collector.conftest import Collector, Starter
from tests.collector.dashboard.scenario import Journal, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as running:
        # In a container that runs as root there is no sandbox; the pages are our own.
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()

"""The pictures of docs/images: BOOTSTRAP_SCREENSHOTS=write takes them anew."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.collector.dashboard.browsing import drag

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.collector.dashboard.conftest import Played, Visitor

pytestmark = pytest.mark.slow

IMAGES = Path(__file__).parents[3] / "docs" / "images"
MOST_BYTES = 150_000


def front(_page: Page, _played: Played) -> None:
    pass


def traces(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/traces")


def trace(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/traces/{played.journal.slow[-1]}")


def latency(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/latency?last=1h")
    drag(page, 0.75, 0.01, 0.99, 0.2)


def logs(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/logs")


def errors(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/errors")


def error(page: Page, played: Played) -> None:
    page.goto(f"{played.url}/errors")
    page.locator(".groups a.cover").first.click()


class Picture(NamedTuple):
    """What is in it, and how wide and by which light it is seen."""

    show: Callable[[Page, Played], None]
    expects: str
    width: int = 1200
    height: int = 800
    scheme: str = "light"

    @property
    def name(self) -> str:
        """The file's, without its ending."""
        narrow, dark = "-narrow" if self.width < 600 else "", "-dark" if self.scheme == "dark" else ""
        return f"{self.show.__name__}{narrow}{dark}"


PICTURES = (
    Picture(front, "What arrives"),
    Picture(traces, "GET /api/activities/home"),
    Picture(trace, "Where the time went"),
    Picture(latency, "What sets them apart", height=960),
    Picture(logs, "slow query", height=640),
    Picture(errors, "Traces with an error"),
    Picture(error, "expires_at = now + ttl"),
    Picture(front, "What arrives", scheme="dark"),
    Picture(trace, "Where the time went", scheme="dark"),
    Picture(front, "What arrives", 360, 780),
    Picture(trace, "Where the time went", 360, 780, "dark"),
)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture(played: Played, visitor: Visitor, picture: Picture) -> None:
    size = {"width": picture.width, "height": picture.height}
    seen: dict[str, Any] = {"viewport": size, "color_scheme": picture.scheme, "timezone_id": an_afternoon()}
    with visitor(played.collector, **seen) as (_, page):
        picture.show(page, played)
        assert picture.expects in page.locator("main").inner_text()
        image = page.screenshot()
    if os.environ.get("BOOTSTRAP_SCREENSHOTS") == "write":
        assert len(image) < MOST_BYTES
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{picture.name}.png").write_bytes(image)


def an_afternoon() -> str:
    """A time zone in which it is about two, so that no picture shows midnight."""
    ahead = (14 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def test_every_picture_is_there() -> None:
    assert {path.stem for path in IMAGES.glob("*.png")} == {picture.name for picture in PICTURES}

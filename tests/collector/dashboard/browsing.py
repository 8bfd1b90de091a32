"""What tests do with a page in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def drag(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Choose a part of the heatmap with the mouse; each place is a share of its width or height."""
    plot = page.locator(".plot")
    plot.hover()  # what is under a pointer stands still
    area = plot.bounding_box()
    assert area
    page.mouse.move(area["x"] + area["width"] * left, area["y"] + area["height"] * top)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * right, area["y"] + area["height"] * bottom, steps=4)
    page.mouse.up()
    page.wait_for_url("**/latency?*from=*")

"""Asks pages without a server, and reads what a browser would."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette

if TYPE_CHECKING:
    from bootstrap.collector.dashboard.pages import Pages

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def get(pages: Pages, address: str) -> tuple[int, str]:
    """The status and the body of an answer."""
    application = Starlette(routes=pages.routes())
    parts = urlsplit(address)
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": "GET",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [],
    }
    # Not on this thread, where a browser's driver may have a loop of its own.
    with ThreadPoolExecutor() as other:
        other.submit(asyncio.run, application(scope, receive, send)).result()
    return status, body.decode()


class Page(HTMLParser):
    """A page taken apart; what is not closed, or closed twice, fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements and the names of their attributes, in order."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    @property
    def words(self) -> str:
        """All text, with single spaces, and one between two elements."""
        return " ".join(" ".join(self.text).split())

    def attributes(self, tag: str, name: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [given[name] for each, given in self.elements if each == tag and name in given]

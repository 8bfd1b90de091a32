"""The pages: which address shows what."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bootstrap.collector.access import REFUSAL, is_browser
from bootstrap.collector.answering.api import WELCOME
from bootstrap.collector.asking.questions import Expected
from bootstrap.collector.dashboard import (
    errors_page,
    front,
    latency_page,
    links,
    listing,
    logs_page,
    trace_page,
)
from bootstrap.collector.dashboard.asking import Asked, Missing, Moved, View
from bootstrap.collector.dashboard.rendering import Renderer, Static, page
from bootstrap.collector.storing.store import Store

Handler = Callable[[Request], Awaitable[Response]]
Show = Callable[[Store, Asked, Request], View]

#: which of the API's addresses says the same as a page, for the same query
_JSON = {"/traces": "/api/traces", "/latency": "/api/latency", "/logs": "/api/logs", "/errors": "/api/items"}


class Pages:
    """Shows what the store holds to a browser; `expected` is what this run is to send, and where."""

    def __init__(self, store: Store, expected: Sequence[Expected] = ()) -> None:
        self._store = store
        self._static = Static()
        self._renderer = Renderer(self._static)
        self._expected = tuple(expected)

    @property
    def open_paths(self) -> list[str]:
        """What needs no token: style, script and icon."""
        return self._static.paths()

    def routes(self) -> list[Route]:
        """What the pages answer to."""
        shown: dict[str, Show] = {
            "/": lambda store, asked, _: front.show(store, asked, self._expected),
            "/traces": lambda store, asked, _: listing.show(store, asked),
            "/traces/{trace_id}": lambda store, asked, request: trace_page.show(
                store, asked, request.path_params["trace_id"]
            ),
            "/latency": lambda store, asked, _: latency_page.show(store, asked),
            "/logs": lambda store, asked, _: logs_page.show(store, asked),
            "/errors": lambda store, asked, _: errors_page.show(store, asked),
            "/errors/{uuid:path}": lambda store, _, request: errors_page.show_item(
                store, request.path_params["uuid"]
            ),
        }
        return [Route(path, self._handler(show)) for path, show in shown.items()] + self._static.routes()

    def refused(self, request: HTTPConnection) -> Response:
        """The answer for whoever comes without the token: a page for a browser, words for the root of it."""
        if is_browser(request):
            return page(self._renderer.html("refused.html", {}), 401)
        if request.scope["path"] == "/":
            return PlainTextResponse(WELCOME, 401)
        return JSONResponse({"error": REFUSAL}, 401)

    def unknown(self, _: Request) -> Response:
        """The page for an address that is none."""
        return self.missing("There is no such page", "The address may be of another version, or mistyped.")

    def missing(self, title: str, text: str) -> Response:
        """The page for an address, or a thing, that is not there."""
        values = {"title": title, "text": text, "link": "/", "label": "Overview"}
        return page(self._render(View("missing.html", values), None), 404)

    def _handler(self, show: Show) -> Handler:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._answer, request, show)

        return answer

    def _answer(self, request: Request, show: Show) -> Response:
        asked = Asked(request.url.path, request.query_params)
        part = "live" if request.query_params.get("fragment") == "live" else None
        try:
            view = show(self._store, asked, request)
        except Moved as moved:
            return RedirectResponse(moved.address, 303)
        except Missing as missing:
            return self.missing(missing.title, missing.text)
        status = 400 if view.values.get("problem") else 200
        return page(self._render(view, asked, part), status)

    def _render(self, view: View, asked: Asked | None, part: str | None = None) -> str:
        path = _JSON.get(asked.path) if asked else None
        common = {
            "now": asked.now_ns if asked else 0,
            "json_url": links.address(path, asked.pairs) if asked and path else None,
            "here": "",
            "kinds": None,
        }
        return self._renderer.html(view.template, {**common, **view.values}, part=part)

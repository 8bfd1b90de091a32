"""The JSON API: traces and how long they took, log lines and items, and what has been received."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bootstrap.collector.answering.parameters import (
    ParameterError,
    read_after,
    read_columns,
    read_evidence,
    read_filter,
    read_limit,
    read_region,
)
from bootstrap.collector.answering.views import (
    iso,
    item_view,
    latency_view,
    line_view,
    optional,
    overview_view,
    summary_view,
    trace_view,
)
from bootstrap.collector.asking.questions import Expected, ItemPage, LinePage, TracePage
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telemetry.ids import parse_trace_id

#: for whoever comes with a program, and without the token
WELCOME = """\
This is the telemetry collector of this workspace. It keeps what it receives on this machine, and shows it
at the address that was printed at the start. For programs:

  /api/overview      what arrived from whom, and how full the store is
  /api/traces        the latest traces, filtered by
                     service=  status=ok|error  min=, max= (milliseconds)  start=, end= (ISO 8601)
                     attribute=NAME=VALUE  q=TEXT
  /api/traces/<id>   one trace, its id in W3C or X-Ray form: spans, segments, log lines, items
  /api/latency       how long traces took, over time; filtered as above
  /api/differences   what sets those of a region (from=, to=, low=, high=) apart from the others
  /api/logs          the latest log lines (service=, trace_id=, q=)
  /api/items         the latest items of Rollbar's (service=, trace_id=, level=, q=)
  /api/items/<uuid>  one of them

Lists take limit=, and after= with what the page before calls next. All of them ask for the token that was
printed at the start: add token=...
"""

_Answer = Callable[[QueryParams], Any]


class Api:
    """Answers from the store; every answer is JSON, an error is {"error": "..."}."""

    OPEN_PATHS = ("/healthz",)

    def __init__(self, store: Store, tally: Tally, expected: Sequence[Expected] = ()) -> None:
        self._store = store
        self._tally = tally
        self._expected = expected

    def routes(self) -> list[Route]:
        """What the API answers to."""
        return [
            Route("/healthz", self.health),
            Route("/api/received", self.received),
            Route("/api/overview", self.overview),
            Route("/api/traces", self.traces),
            Route("/api/traces/{trace_id}", self.trace),
            Route("/api/latency", self.latency),
            Route("/api/differences", self.differences),
            Route("/api/logs", self.logs),
            Route("/api/items", self.items),
            # Whoever sends an item chooses its id.
            Route("/api/items/{uuid:path}", self.item),
        ]

    async def health(self, _: Request) -> Response:
        """Say that the server runs."""
        return PlainTextResponse("ok")

    async def received(self, _: Request) -> Response:
        """What each receiver has taken and refused since the start."""
        return JSONResponse(self._tally.snapshot())

    async def overview(self, request: Request) -> Response:
        """What arrived from whom, and how full the store is."""
        search = self._store.search
        return await _answer(
            request,
            lambda _: overview_view(
                arrivals=search.arrivals(),
                expected=self._expected,
                received=self._tally.snapshot(),
                room=search.room(self._store.limit),
            ),
        )

    async def traces(self, request: Request) -> Response:
        """The latest traces, newest first."""

        def read(params: QueryParams) -> dict[str, Any]:
            found = self._store.search.traces(
                read_filter(params), limit=read_limit(params), after=read_after(params)
            )
            return {"traces": [summary_view(summary) for summary in found.traces], **_rest(found)}

        return await _answer(request, read)

    async def trace(self, request: Request) -> Response:
        """One trace whole."""
        trace_id = parse_trace_id(request.path_params["trace_id"])

        def read(_: QueryParams) -> dict[str, Any] | None:
            trace = self._store.trace(trace_id) if trace_id else None
            return trace_view(trace) if trace else None

        return await _answer(request, read, "There is no trace with this id.")

    async def latency(self, request: Request) -> Response:
        """How long traces took, over time."""

        def read(params: QueryParams) -> dict[str, Any]:
            return latency_view(self._store.search.latency(read_filter(params), columns=read_columns(params)))

        return await _answer(request, read)

    async def differences(self, request: Request) -> Response:
        """What sets the traces of a region apart."""

        def read(params: QueryParams) -> Any:
            return self._store.search.differences(read_filter(params), read_region(params))

        return await _answer(request, read)

    async def logs(self, request: Request) -> Response:
        """The latest log lines, newest first."""

        def read(params: QueryParams) -> dict[str, Any]:
            found = self._store.search.lines(
                read_evidence(params), limit=read_limit(params), after=read_after(params)
            )
            return {"logs": [line_view(line) for line in found.lines], **_rest(found)}

        return await _answer(request, read)

    async def items(self, request: Request) -> Response:
        """The latest items, newest first."""

        def read(params: QueryParams) -> dict[str, Any]:
            found = self._store.search.items(
                read_evidence(params), limit=read_limit(params), after=read_after(params)
            )
            return {"items": [item_view(item) for item in found.items], **_rest(found)}

        return await _answer(request, read)

    async def item(self, request: Request) -> Response:
        """One item."""
        uuid = request.path_params["uuid"]

        def read(_: QueryParams) -> dict[str, Any] | None:
            item = self._store.search.item(uuid)
            return item_view(item) if item else None

        return await _answer(request, read, "There is no item with this uuid.")


def _rest(page: TracePage | LinePage | ItemPage) -> dict[str, Any]:
    """Where the list goes on, and how far it was looked through where the time did not suffice for all."""
    return {"next": page.next, "searched_to": optional(iso, page.searched_to_ns)}


async def _answer(request: Request, read: _Answer, missing: str = "") -> Response:
    """Read on a worker thread, as JSON; 400 for a parameter that is none, 404 where there is nothing."""

    def answer() -> Response:
        try:
            found = read(request.query_params)
        except ParameterError as error:
            return JSONResponse({"error": str(error)}, 400)
        if found is None:
            return JSONResponse({"error": missing}, 404)
        return Response(msgspec.json.encode(found), media_type="application/json")

    return await run_in_threadpool(answer)

"""The JSON API: the latest traces, log lines and items, one trace whole, and what has been received."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bootstrap.collector.ids import parse_trace_id
from bootstrap.collector.reporting import Tally
from bootstrap.collector.store import Store
from bootstrap.collector.views import item_view, line_view, summary_view, trace_view

_DEFAULT_LIMIT = 50
_MAX_LIMIT = 1_000

_WELCOME = """\
This is the telemetry collector of this workspace. It keeps what it receives on this machine.

  /api/traces       the latest traces (?limit=, ?service=)
  /api/traces/<id>  one trace, its id in W3C or X-Ray form: spans, segments, log lines, items
  /api/logs         the latest log lines (?limit=, ?service=, ?trace_id=)
  /api/items        the latest items of Rollbar's (?limit=, ?service=, ?trace_id=)

They ask for the token that was printed at the start: add ?token=...
"""


class Api:
    """Answers from the store; every answer is JSON, an error is {"error": "..."}."""

    OPEN_PATHS = ("/", "/healthz")

    def __init__(self, store: Store, tally: Tally) -> None:
        self._store = store
        self._tally = tally

    def routes(self) -> list[Route]:
        """What the API answers to."""
        return [
            Route("/", self.welcome),
            Route("/healthz", self.health),
            Route("/api/received", self.received),
            Route("/api/traces", self.traces),
            Route("/api/traces/{trace_id}", self.trace),
            Route("/api/logs", self.logs),
            Route("/api/items", self.items),
        ]

    async def welcome(self, _: Request) -> Response:
        """Say what this is, to somebody who came with a browser."""
        return PlainTextResponse(_WELCOME)

    async def health(self, _: Request) -> Response:
        """Say that the server runs."""
        return PlainTextResponse("ok")

    async def received(self, _: Request) -> Response:
        """What each receiver has taken and refused since the start."""
        return JSONResponse(self._tally.snapshot())

    async def traces(self, request: Request) -> Response:
        """The latest traces, newest first."""
        limit = _limit(request)
        if limit is None:
            return _bad_limit()
        service = request.query_params.get("service") or None
        summaries = await run_in_threadpool(self._store.latest, limit=limit, service=service)
        return JSONResponse({"traces": [summary_view(summary) for summary in summaries]})

    async def trace(self, request: Request) -> Response:
        """One trace whole."""
        body = await run_in_threadpool(self._read_trace, request.path_params["trace_id"])
        if body is None:
            return JSONResponse({"error": "There is no trace with this id."}, 404)
        return Response(body, media_type="application/json")

    async def logs(self, request: Request) -> Response:
        """The latest log lines, newest first."""
        lines = self._store.evidence.lines

        def read(limit: int, trace_id: str | None, service: str | None) -> dict[str, Any]:
            found = lines(limit=limit, trace_id=trace_id, service=service)
            return {"logs": [line_view(line) for line in found]}

        return await _latest(request, read)

    async def items(self, request: Request) -> Response:
        """The latest items, newest first."""
        items = self._store.evidence.items

        def read(limit: int, trace_id: str | None, service: str | None) -> dict[str, Any]:
            found = items(limit=limit, trace_id=trace_id, service=service)
            return {"items": [item_view(item) for item in found]}

        return await _latest(request, read)

    def _read_trace(self, text: str) -> bytes | None:
        trace_id = parse_trace_id(text)
        trace = self._store.trace(trace_id) if trace_id else None
        return msgspec.json.encode(trace_view(trace)) if trace else None


async def _latest(
    request: Request, read: Callable[[int, str | None, str | None], dict[str, Any]]
) -> Response:
    """Answer a list that may be of one trace, and of one service."""
    limit = _limit(request)
    if limit is None:
        return _bad_limit()
    text = request.query_params.get("trace_id")
    trace_id = parse_trace_id(text) if text else None
    if text and trace_id is None:
        return JSONResponse({"error": "trace_id is 32 hexadecimal digits, or in X-Ray's form."}, 400)
    service = request.query_params.get("service") or None
    body = await run_in_threadpool(lambda: msgspec.json.encode(read(limit, trace_id, service)))
    return Response(body, media_type="application/json")


def _limit(request: Request) -> int | None:
    """How many are asked for; None if that is no number, or out of range."""
    text = request.query_params.get("limit", str(_DEFAULT_LIMIT))
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_LIMIT)) else 0
    return limit if 1 <= limit <= _MAX_LIMIT else None


def _bad_limit() -> Response:
    return JSONResponse({"error": f"limit is a number from 1 to {_MAX_LIMIT}."}, 400)

"""The JSON API: the latest traces, log lines and items, one trace whole, and what has been received."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bootstrap.collector.ids import parse_trace_id, to_xray
from bootstrap.collector.records import Item, LogLine, Span, Trace, TraceSummary
from bootstrap.collector.reporting import Tally
from bootstrap.collector.segments import assemble
from bootstrap.collector.store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        return JSONResponse({"traces": [_summary_view(summary) for summary in summaries]})

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
            return {"logs": [_line_view(line) for line in found]}

        return await _latest(request, read)

    async def items(self, request: Request) -> Response:
        """The latest items, newest first."""
        items = self._store.evidence.items

        def read(limit: int, trace_id: str | None, service: str | None) -> dict[str, Any]:
            found = items(limit=limit, trace_id=trace_id, service=service)
            return {"items": [_item_view(item) for item in found]}

        return await _latest(request, read)

    def _read_trace(self, text: str) -> bytes | None:
        trace_id = parse_trace_id(text)
        trace = self._store.trace(trace_id) if trace_id else None
        return msgspec.json.encode(_trace_view(trace)) if trace else None


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


def _summary_view(summary: TraceSummary) -> dict[str, Any]:
    return {
        "trace_id": summary.trace_id,
        "xray_trace_id": to_xray(summary.trace_id),
        "services": summary.services,
        "name": summary.name,
        "start": _iso(summary.start_ns),
        "duration_ms": None if summary.duration_ns is None else _milliseconds(summary.duration_ns),
        "span_count": summary.span_count,
        "segment_count": summary.segment_count,
        "error": summary.error,
    }


def _trace_view(trace: Trace) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "xray_trace_id": to_xray(trace.trace_id),
        "spans": [_span_view(span) for span in trace.spans],
        "segments": assemble(trace.segments),
        "logs": [_line_view(line) for line in trace.lines],
        "items": [_item_view(item) for item in trace.items],
        "truncated": trace.truncated,
    }


def _span_view(span: Span) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "trace_state": span.trace_state,
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "start": _iso(span.start_ns),
        "duration_ms": _milliseconds(span.end_ns - span.start_ns),
        "status": span.status,
        "attributes": span.attributes,
        "events": [
            {"name": event.name, "time": _iso(event.time_ns), "attributes": event.attributes}
            for event in span.events
        ],
        "links": span.links,
        "resource": span.resource,
        "scope": span.scope,
    }


def _line_view(line: LogLine) -> dict[str, Any]:
    return {
        "timestamp": _iso(line.time_ns),
        "trace_id": line.trace_id,
        "group": line.group,
        "stream": line.stream,
        "service": line.service,
        "message": line.message,
        "fields": line.fields,
    }


def _item_view(item: Item) -> dict[str, Any]:
    return {
        "uuid": item.uuid,
        "trace_id": item.trace_id,
        "level": item.level,
        "title": item.title,
        "environment": item.environment,
        "service": item.service,
        "timestamp": _iso(item.time_ns),
        "body": item.data,
    }


def _iso(nanoseconds: int) -> str:
    """ISO 8601 in UTC with microseconds, all that Python's clock knows."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _milliseconds(nanoseconds: int) -> float:
    return nanoseconds / 1_000_000

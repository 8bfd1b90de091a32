"""GET /api/stream: what arrives, as Server-Sent Events, for as long as the reader stays.

Events are `trace`, `log` and `item`, each with the JSON that the lists of the API have, and `skipped` with
how many were left out for a reader that is slow. `kinds` has some of traces,logs,items; with `last` it begins
with so many that are stored already.
"""

from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bootstrap.collector.answering.parameters import read_filter
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telling.events import last, of_skipped
from bootstrap.collector.telling.feed import MOST_READERS, Feed, Reader
from bootstrap.collector.telling.wishes import KINDS, Wishes

MOST_LAST = 1_000

_HEARTBEAT_SECONDS = 15.0
#: after which a browser whose connection broke asks again
_RETRY_MILLISECONDS = 2_000
_MEDIA_TYPE = "text/event-stream"
# Else a proxy in between may keep events until it has many of them.
_HEADERS = {"X-Accel-Buffering": "no"}


class Stream:
    """Answers with the feed."""

    def __init__(self, feed: Feed, store: Store) -> None:
        self._feed = feed
        self._store = store

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [Route("/api/stream", self.stream)]

    async def stream(self, request: Request) -> Response:
        """Begin a stream; 400 for a filter that is none, 503 where there are too many."""
        try:
            wishes = read_wishes(request.query_params)
            count = read_last(request.query_params)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        if request.method == "HEAD":
            return Response(media_type=_MEDIA_TYPE, headers=_HEADERS)
        reader = self._feed.join(wishes)
        if reader is None:
            refusal = f"{MOST_READERS} streams are open, and there are no more."
            return JSONResponse({"error": refusal}, 503, headers={"Retry-After": "5"})
        try:
            before = await run_in_threadpool(last, self._store, wishes, count) if count else []
        except BaseException:
            self._feed.leave(reader)
            raise
        return _Events(self._feed, reader, before)


def read_wishes(params: QueryParams) -> Wishes:
    """What the query asks for; ValueError, in words for people."""
    kinds = {part.strip() for part in params.get("kinds", ",".join(KINDS)).split(",")}
    if not kinds or not kinds.issubset(KINDS):
        raise ValueError(f"kinds has some of {', '.join(KINDS)}, with commas between.")
    return Wishes(frozenset(kind for kind in KINDS if kind in kinds), read_filter(params))


def read_last(params: QueryParams) -> int:
    """How many are told that are stored already; ValueError, in words for people."""
    text = params.get("last", "0")
    if not (
        text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_LAST)) and int(text) <= MOST_LAST
    ):
        raise ValueError(f"last is a number up to {MOST_LAST}.")
    return int(text)


class _Events(StreamingResponse):
    """The answer; whoever is gone is a reader no more."""

    def __init__(self, feed: Feed, reader: Reader, before: Sequence[bytes]) -> None:
        super().__init__(_written(reader, before), media_type=_MEDIA_TYPE, headers=_HEADERS)
        self._feed = feed
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave(self._reader)


async def _written(reader: Reader, before: Sequence[bytes]) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
    for event in before:
        yield event
    # What came while that was read may be told already.
    told = frozenset(before)
    while (taken := await reader.mailbox.take(_HEARTBEAT_SECONDS)) is not None:
        events, skipped = taken
        if skipped:
            yield of_skipped(skipped)
        for event in events or [b": still here\n\n"]:
            if event not in told:
                yield event
        told = frozenset() if events else told

"""The receiver of Rollbar's item API: POST /api/1/item/, answered and refused as Rollbar does.

https://docs.rollbar.com/reference/create-item: success is {"err": 0, "result": {...}}, failure {"err": 1,
"message": "..."} with 400, 401, 413, 422 or 429. Any access token will do; none is stored.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bootstrap.collector.receiving.bodies import MAX_BODY, BodyError
from bootstrap.collector.receiving.intake import Intake
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry import lenient_json
from bootstrap.collector.telemetry.ids import parse_trace_id
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import Item

MAX_PAYLOAD = 512 * 1024
"""Bytes of one item."""

_LEVELS = {"critical", "error", "warning", "info", "debug"}
_TITLE = 255  # characters, as Rollbar cuts it
_SECOND = 1_000_000_000  # ns
_LAST_SECOND = 9_000_000_000
_MIN_TOKEN = 16  # characters; what is shorter stands in for a token, and may be any word
_BUSY = 503


class ItemError(Exception):
    """Rollbar refuses; the HTTP status that says so, and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Taken(NamedTuple):
    uuid: str
    stored: Future[None]


class RollbarReceiver:
    """Takes items."""

    def __init__(self, writer: Writer, tally: Tally) -> None:
        self._writer = writer
        self._tally = tally
        self._intake = Intake(MAX_BODY)

    def routes(self) -> list[Route]:
        """What the receiver answers to."""
        return [
            # Some clients leave the slash out.
            Route("/api/1/item/", self.item, methods=["POST"]),
            Route("/api/1/item", self.item, methods=["POST"]),
            Route("/api/1/status/ping", self.ping),
        ]

    async def ping(self, _: Request) -> Response:
        """Say that the API is there."""
        return PlainTextResponse("pong")

    async def item(self, request: Request) -> Response:
        """Answer once the item is committed."""
        header = request.headers.get("x-rollbar-access-token", "")
        try:
            taken = await self._intake.take(request, lambda body: self._take(body, header))
        except BodyError as error:
            return _limited() if error.status == _BUSY else _failure(error.status, error.reason)
        except ItemError as error:
            self._tally.add("rollbar", "invalid")
            return _failure(error.status, str(error))
        try:
            await asyncio.wrap_future(taken.stored)
        except OSError:
            self._tally.add("rollbar", "lost")
            return _failure(500, "The item could not be stored.")
        self._tally.add("rollbar", "stored")
        return JSONResponse({"err": 0, "result": {"id": None, "uuid": taken.uuid}})

    def _take(self, body: bytes, header: str) -> _Taken:
        """Everything that takes time, for a worker thread."""
        if len(body) > MAX_PAYLOAD:
            raise ItemError(413, f"Request entity too large: {MAX_PAYLOAD} bytes are taken.")
        try:
            payload = lenient_json.decode(body, dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ItemError(400, "Invalid JSON payload.") from error
        given = payload.get("access_token")
        tokens = {token for token in (header, given) if isinstance(token, str) and token}
        if not tokens:
            raise ItemError(401, "access token required")
        # The token may stand in the item once more, in what a frame's variables hold.
        own = Masker(token for token in tokens if len(token) >= _MIN_TOKEN)
        item = read_item(
            payload.get("data"), time.time_ns(), lambda text: self._writer.masker.text(own.text(text))
        )
        batch = self._writer.batch()
        try:
            batch.add(item.masked(own))
        except ValueError as error:
            raise ItemError(422, "Invalid format. data is nested too deep.") from error
        return _Taken(item.uuid, self._writer.submit(batch))


def read_item(data: Any, now_ns: int, mask: Callable[[str], str] = str) -> Item:
    """Read `data` of an item; ItemError 422. `mask` takes secrets out of what is cut: half of one is none."""
    if not isinstance(data, dict):
        raise _invalid("data is missing and it is required.")
    environment, level = data.get("environment"), data.get("level", "error")
    if not isinstance(environment, str) or not 1 <= len(environment) <= 255:  # noqa: PLR2004 - Rollbar's limit
        raise _invalid("data.environment is missing and it is required.")
    if not isinstance(level, str) or level not in _LEVELS:
        raise _invalid("data.level is not one of critical, error, warning, info and debug.")
    own = data.get("uuid") or uuid.uuid4().hex
    if not isinstance(own, str) or len(own) > 36:  # noqa: PLR2004 - Rollbar's limit
        raise _invalid("data.uuid is no string of up to 36 characters.")
    custom, message = data.get("custom"), _message(data)
    return Item(
        uuid=own,
        trace_id=parse_trace_id(_text("trace_id", custom, message) or ""),
        service=_text("service", custom, message),
        level=level,
        title=mask(_text("title", data) or _title(data.get("body")))[:_TITLE],
        environment=environment,
        time_ns=_time_ns(data.get("timestamp"), now_ns),
        data=data,
    )


def _title(body: Any) -> str:
    """Say what the item is about, as Rollbar does; ItemError 422 unless its body is of exactly one kind."""
    match body:
        case {"message": {"body": str(text)}}:
            kind, title = "message", text
        case {"trace": {"frames": list(), "exception": {"class": str(name)} as exception}}:
            kind, title = "trace", _exception(name, exception)
        case {"trace_chain": [{"frames": list(), "exception": {"class": str(name)} as exception}, *_]}:
            kind, title = "trace_chain", _exception(name, exception)
        case {"crash_report": {"raw": str(text)}}:
            kind, title = "crash_report", text.partition("\n")[0]
        case _:
            kind, title = "", ""
    if isinstance(body, dict) and body.keys() & _BODIES == {kind}:
        return title
    raise _invalid(f"data.body needs exactly one of {', '.join(sorted(_BODIES))}.")


_BODIES = {"trace", "trace_chain", "message", "crash_report"}


def _exception(name: str, exception: dict[str, Any]) -> str:
    message = exception.get("message")
    return f"{name}: {message}" if message else name


def _message(data: dict[str, Any]) -> Any:
    """What `extra_data` of a message ends up in."""
    body = data.get("body")
    return body.get("message") if isinstance(body, dict) else None


def _text(name: str, *places: Any) -> str | None:
    """The first text of this name."""
    values = (place.get(name) for place in places if isinstance(place, dict))
    return next((value for value in values if isinstance(value, str) and value), None)


def _time_ns(seconds: Any, now_ns: int) -> int:
    """The item's own time, in seconds since 1970; now where it has none."""
    usable = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return round(seconds * _SECOND) if usable and 0 < seconds < _LAST_SECOND else now_ns


def _invalid(message: str) -> ItemError:
    return ItemError(422, f"Invalid format. {message}")


def _limited() -> Response:
    headers = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Remaining-Seconds": "1"}
    return _failure(429, "Over rate limit: too many items are on their way.", headers)


def _failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    closing = {"Connection": "close"} if status in {408, 413, 429} else {}
    return JSONResponse({"err": 1, "message": message}, status, headers={**closing, **(headers or {})})

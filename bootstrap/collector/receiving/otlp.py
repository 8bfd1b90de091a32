"""The OTLP/HTTP receiver: POST /v1/traces, answered as the protocol says.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: success is 200 with an ExportTraceServiceResponse in the
request's own encoding (with partial_success where some spans were unusable), failure carries a
google.rpc.Status; 400, 413 and 507
(the store is full) are final, 503 asks the client to try again.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bootstrap.collector.receiving.bodies import BodyError
from bootstrap.collector.receiving.intake import Intake
from bootstrap.collector.receiving.spans import Reader, UndecodableError, decode_json, decode_protobuf
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.transactions import StoreFullError
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry.limits import TooMuchError

_INVALID_ARGUMENT = 3  # google.rpc.Code
_RESOURCE_EXHAUSTED = 8
_UNAVAILABLE = 14

_BUSY = 503

_Decoder = Callable[[bytes], ExportTraceServiceRequest]

_DECODERS: dict[str, _Decoder] = {
    "application/x-protobuf": decode_protobuf,
    "application/json": decode_json,
}


class _Taken(NamedTuple):
    """Spans on their way into the store, how many others are not, and why the first of those is not."""

    accepted: int
    rejected: int
    reason: str
    stored: Future[None]


class OtlpReceiver:
    """Takes export requests."""

    def __init__(self, writer: Writer, tally: Tally) -> None:
        self._writer = writer
        self._tally = tally
        self._intake = Intake()

    def routes(self) -> list[Route]:
        """What the receiver answers to."""
        return [Route("/v1/traces", self.export, methods=["POST"])]

    async def export(self, request: Request) -> Response:
        """Answer once the spans are committed."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        decode = _DECODERS.get(media_type)
        if decode is None:
            kinds = " and ".join(_DECODERS)
            return _failure(
                415, _INVALID_ARGUMENT, f"The content types taken are {kinds}.", "application/json"
            )
        try:
            taken = await self._receive(request, decode)
        except BodyError as error:
            code = _UNAVAILABLE if error.status == _BUSY else _INVALID_ARGUMENT
            return _failure(error.status, code, error.reason, media_type)
        except UndecodableError as error:
            self._tally.add("otlp", "undecodable")
            return _failure(400, _INVALID_ARGUMENT, self._writer.masker.text(str(error)), media_type)
        try:
            await asyncio.wrap_future(taken.stored)
        except StoreFullError:
            self._tally.add("otlp", "lost", taken.accepted)
            return _failure(507, _RESOURCE_EXHAUSTED, "The telemetry store is full.", media_type)
        except OSError:
            return _failure(503, _UNAVAILABLE, "The spans could not be stored.", media_type)
        self._tally.add("otlp", "stored", taken.accepted)
        self._tally.add("otlp", "rejected", taken.rejected)
        return _success(taken.rejected, taken.reason, media_type)

    async def _receive(self, request: Request, decode: _Decoder) -> _Taken:
        try:
            return await self._intake.take(request, lambda body: self._take(body, decode))
        except TooMuchError as error:
            self._tally.add("otlp", "too large")
            raise BodyError(413, str(error)) from error

    def _take(self, body: bytes, decode: _Decoder) -> _Taken:
        """Everything that takes time, for a worker thread."""
        reader = Reader(self._writer.masker)
        batch = self._writer.batch()
        batch.add_all(reader.spans(decode(body)), reader.reject)
        return _Taken(len(batch.rows), reader.rejected, reader.reason, self._writer.submit(batch))


def _success(rejected: int, reason: str, media_type: str) -> Response:
    """An export response."""
    if media_type == "application/json":
        document: dict[str, object] = {}
        if rejected:
            document["partialSuccess"] = {"rejectedSpans": str(rejected), "errorMessage": reason}
        return Response(json.dumps(document), media_type=media_type)
    answer = ExportTraceServiceResponse()
    if rejected:
        partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=reason)
        answer.partial_success.CopyFrom(partial)
    return Response(answer.SerializeToString(), media_type=media_type)


def _failure(status: int, code: int, message: str, media_type: str) -> Response:
    """A google.rpc.Status in the request's encoding."""
    headers = {"Connection": "close"} if status in {408, 413, _BUSY} else {}
    if media_type == "application/json":
        return Response(
            json.dumps({"code": code, "message": message}), status, headers=headers, media_type=media_type
        )
    return Response(_status_message(code, message), status, headers=headers, media_type=media_type)


def _status_message(code: int, message: str) -> bytes:
    """Encode google.rpc.Status, whose generated class is in a package that the collector does not need.

    Field 1 is `int32 code`, field 2 is `string message`:
    https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto
    """
    text = message.encode()
    return bytes([0x08, code, 0x12]) + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    """A number in protobuf's base 128, least significant group first."""
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte, the eighth says that more follow
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)

"""The OTLP/HTTP receiver: POST /v1/traces, answered as the protocol says.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: success is 200 with an ExportTraceServiceResponse in the
request's own encoding (with partial_success where some spans were unusable), failure carries a
google.rpc.Status; 400 is final, 503 asks the client to try again.
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
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bootstrap.collector.bodies import BodyError, read_body, unpack
from bootstrap.collector.reporting import Tally
from bootstrap.collector.spans import UndecodableError, decode_json, decode_protobuf, read_spans
from bootstrap.collector.writer import Writer

_INVALID_ARGUMENT = 3  # google.rpc.Code
_UNAVAILABLE = 14

_DECODERS: dict[str, Callable[[bytes], ExportTraceServiceRequest]] = {
    "application/x-protobuf": decode_protobuf,
    "application/json": decode_json,
}


class _Taken(NamedTuple):
    """Spans on their way into the store, and why others are not."""

    accepted: int
    reasons: list[str]
    stored: Future[None]


class OtlpReceiver:
    """Takes export requests."""

    def __init__(self, writer: Writer, tally: Tally) -> None:
        self._writer = writer
        self._tally = tally

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
            body = await read_body(request)
            encoding = request.headers.get("content-encoding", "")
            taken = await run_in_threadpool(self._take, body, encoding, decode)
        except BodyError as error:
            return _failure(error.status, _INVALID_ARGUMENT, error.reason, media_type)
        except UndecodableError as error:
            self._tally.add("otlp", "undecodable")
            return _failure(400, _INVALID_ARGUMENT, self._writer.masker.text(str(error)), media_type)
        try:
            await asyncio.wrap_future(taken.stored)
        except OSError:
            return _failure(503, _UNAVAILABLE, "The spans could not be stored.", media_type)
        self._tally.add("otlp", "stored", taken.accepted)
        self._tally.add("otlp", "rejected", len(taken.reasons))
        return _success(taken.reasons, media_type)

    def _take(
        self, body: bytes, encoding: str, decode: Callable[[bytes], ExportTraceServiceRequest]
    ) -> _Taken:
        """Everything that takes time, for a worker thread."""
        spans, reasons = read_spans(decode(unpack(body, encoding)), self._writer.masker)
        rows = [self._writer.prepare(span) for span in spans]
        return _Taken(len(rows), reasons, self._writer.submit(rows))


def _success(reasons: list[str], media_type: str) -> Response:
    """An export response; several reasons are told by the first one."""
    if media_type == "application/json":
        document: dict[str, object] = {}
        if reasons:
            document["partialSuccess"] = {"rejectedSpans": str(len(reasons)), "errorMessage": reasons[0]}
        return Response(json.dumps(document), media_type=media_type)
    answer = ExportTraceServiceResponse()
    if reasons:
        partial = ExportTracePartialSuccess(rejected_spans=len(reasons), error_message=reasons[0])
        answer.partial_success.CopyFrom(partial)
    return Response(answer.SerializeToString(), media_type=media_type)


def _failure(status: int, code: int, message: str, media_type: str) -> Response:
    """A google.rpc.Status in the request's encoding."""
    headers = {"Connection": "close"} if status in {408, 413} else {}
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

"""The X-Ray API: where the daemon delivers (its outlet), and what it passes on for the SDKs' samplers.

Answers as the service does (https://docs.aws.amazon.com/xray/latest/api/Welcome.html), with one rule that
samples every request: whoever sees the first trace of a service should see the first request.
"""

import asyncio
from concurrent.futures import Future
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bootstrap.collector.receiving.bodies import MAX_BODY, BodyError
from bootstrap.collector.receiving.intake import Intake
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry import lenient_json
from bootstrap.collector.telemetry.limits import TooMuchError
from bootstrap.collector.telemetry.segments import InvalidSegmentError, decode, explain

_RULE = {
    "RuleName": "Default",
    "RuleARN": "arn:aws:xray:local:000000000000:sampling-rule/Default",
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 1.0,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
MAX_SEGMENTS = 50
"""Documents in one call."""

_NEVER_CHANGED = 0.0
_REPORT_SECONDS = 10


_Count = Annotated[int, Meta(ge=0)]
_Time = Annotated[float, Meta(ge=0)]


class _Statistics(Struct, rename="pascal"):
    """What a client's sampler did with one rule."""

    rule_name: Annotated[str, Meta(min_length=1, max_length=32)]
    client_id: Annotated[str, Meta(min_length=24, max_length=24)] = msgspec.field(name="ClientID")
    timestamp: _Time
    request_count: _Count
    sampled_count: _Count
    borrow_count: _Count = 0


class _TargetsRequest(Struct, rename="pascal"):
    """What a client asks for new targets with."""

    sampling_statistics_documents: Annotated[list[_Statistics], Meta(max_length=25)]


class _SegmentsRequest(Struct, rename="pascal"):
    """What the daemon delivers."""

    trace_segment_documents: list[str]


class _Telemetry(Struct, rename="pascal"):
    """What the daemon has counted; the numbers are of no use here."""

    timestamp: _Time


class _TelemetryRequest(Struct, rename="pascal"):
    """What the daemon says about itself."""

    telemetry_records: list[_Telemetry]


class _Taken(NamedTuple):
    """Segments on their way into the store, and what is said of those that are not."""

    accepted: int
    unprocessed: list[dict[str, str]]
    stored: Future[None]


_Asked = TypeVar("_Asked")


class XRayApi:
    """Takes segments, and answers the sampler's questions."""

    def __init__(self, writer: Writer, tally: Tally) -> None:
        self._writer = writer
        self._tally = tally
        self._intake = Intake(2 * MAX_BODY)

    def sampling_routes(self) -> list[Route]:
        """What the daemon's TCP port answers to: it passes on what SDKs ask."""
        return [
            Route("/GetSamplingRules", self.rules, methods=["POST"]),
            Route("/SamplingTargets", self.targets, methods=["POST"]),
        ]

    def routes(self) -> list[Route]:
        """What the service answers to, whom the daemon talks to."""
        return [
            Route("/TraceSegments", self.segments, methods=["POST"]),
            Route("/TelemetryRecords", self.telemetry, methods=["POST"]),
            *self.sampling_routes(),
        ]

    async def segments(self, request: Request) -> Response:
        """PutTraceSegments: answer once the segments are committed, and name those that are none."""
        try:
            taken = await self._intake.take(request, self._take)
            await asyncio.wrap_future(taken.stored)
        except BodyError as error:
            return _refusal(error.status, error.reason)
        except (TooMuchError, msgspec.MsgspecError) as error:
            return _refusal(400, self._writer.masker.text(str(error)))
        except OSError:
            self._tally.add("xray", "lost")
            return _refusal(503, "The segments could not be stored.", "ServiceUnavailableException")
        self._tally.add("xray", "stored", taken.accepted)
        if taken.unprocessed:
            self._tally.add("xray", "invalid", len(taken.unprocessed))
        return JSONResponse({"UnprocessedTraceSegments": taken.unprocessed})

    def _take(self, body: bytes) -> _Taken:
        """Everything that takes time, for a worker thread."""
        documents = lenient_json.decode(body, _SegmentsRequest).trace_segment_documents
        if len(documents) > MAX_SEGMENTS:
            # The error keeps this frame, and with it what may be a million texts.
            documents.clear()
            raise TooMuchError(f"Exceeding maximum segment count: {MAX_SEGMENTS}")
        batch = self._writer.batch()
        unprocessed = []
        for document in documents:
            text = document.encode()
            try:
                batch.add(decode(text))
            except InvalidSegmentError:
                unprocessed.append(_unprocessed(text))
            except ValueError:
                unprocessed.append(_unprocessed(text, "ParseError"))
        return _Taken(len(batch.rows), unprocessed, self._writer.submit(batch))

    async def telemetry(self, request: Request) -> Response:
        """PutTelemetryRecords: what the daemon counts is of no use here."""
        try:
            await self._read(request, _TelemetryRequest)
        except BodyError as error:
            return _refusal(error.status, error.reason)
        except msgspec.MsgspecError as error:
            return _refusal(400, str(error))
        return JSONResponse({})

    async def rules(self, _: Request) -> Response:
        """GetSamplingRules: the one rule."""
        record = {"SamplingRule": _RULE, "CreatedAt": _NEVER_CHANGED, "ModifiedAt": _NEVER_CHANGED}
        return JSONResponse({"SamplingRuleRecords": [record]})

    async def targets(self, request: Request) -> Response:
        """GetSamplingTargets: the same rate again for our rule; any other rule is unknown."""
        try:
            asked = await self._read(request, _TargetsRequest)
        except BodyError as error:
            return _refusal(error.status, error.reason)
        except msgspec.MsgspecError as error:
            return _refusal(400, str(error))
        names = [statistics.rule_name for statistics in asked.sampling_statistics_documents]
        return JSONResponse(
            {
                "SamplingTargetDocuments": [_target() for name in names if name == _RULE["RuleName"]],
                "LastRuleModification": _NEVER_CHANGED,
                "UnprocessedStatistics": [_unknown_rule(name) for name in names if name != _RULE["RuleName"]],
            }
        )

    async def _read(self, request: Request, kind: type[_Asked]) -> _Asked:
        return await self._intake.take(request, lambda body: lenient_json.decode(body, kind))


def _unprocessed(document: bytes, code: str = "") -> dict[str, str]:
    """An UnprocessedTraceSegment, worded as X-Ray does; without an Id where the document has none."""
    fault = explain(document)
    code = code or fault.code
    identity = {"Id": fault.segment_id} if fault.segment_id else {}
    return {**identity, "ErrorCode": code, "Message": f"Invalid {fault.kind}. ErrorCode: {code}"}


def _target() -> dict[str, Any]:
    return {"RuleName": _RULE["RuleName"], "FixedRate": _RULE["FixedRate"], "Interval": _REPORT_SECONDS}


def _unknown_rule(name: str) -> dict[str, Any]:
    return {"RuleName": name, "ErrorCode": "400", "Message": "There is no such sampling rule."}


def _refusal(status: int, message: str, kind: str = "InvalidRequestException") -> Response:
    """An error as AWS clients read it."""
    headers = {"x-amzn-ErrorType": kind}
    return JSONResponse({"Message": message}, status, headers=headers)

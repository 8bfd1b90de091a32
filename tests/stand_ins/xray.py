"""X-Ray as it is read from: every call is checked against AWS's own model of the API, and its signature."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.stand_ins.server import Request, Response
from tests.stand_ins.sts import Known, Signed

_MODEL = botocore.session.get_session().get_service_model("xray")
_OPERATIONS = {
    (operation.http["method"], operation.http["requestUri"]): operation
    for operation in map(_MODEL.operation_model, _MODEL.operation_names)
}
#: documents on one page, so that there are several
_PAGE = 1


class XRay(Signed):
    """One region. `searched`: Transaction Search is on."""

    service = "xray"
    unknown, unsigned = "UnrecognizedClientException", "InvalidSignatureException"
    expired = "ExpiredTokenException"

    def __init__(
        self, *, region: str = "us-east-1", searched: bool = False, ahead: timedelta = timedelta(0)
    ) -> None:
        super().__init__(ahead=ahead)
        self.region = region
        self.searched = searched
        #: X-Ray's trace id -> documents
        self.traces: dict[str, list[dict[str, Any]]] = {}
        #: the actions that the policy denies
        self.denied: set[str] = set()
        #: how many calls are answered with "busy" from now on
        self.busy = 0
        #: how many looks a retrieval takes
        self.slow = 1
        self.calls: Counter[str] = Counter()
        self._retrievals: dict[str, list[str]] = {}
        self._looks: Counter[str] = Counter()

    def serve(self, request: Request, _known: Known) -> Response:
        operation = _OPERATIONS.get((request.method, request.path))
        if operation is None:
            return self.error(404, "UnknownOperationException", f"{request.method} {request.path}")
        if f"/{self.region}/xray/" not in request.headers["Authorization"]:
            return self.error(403, self.unsigned, "Credential should be scoped to a valid region.")
        return self._call(operation, request)

    def _call(self, operation: Any, request: Request) -> Response:
        self.calls[operation.name] += 1
        if operation.name in self.denied:
            words = f"User: arn:aws:iam::1:user/u is not authorized to perform: xray:{operation.name}"
            return self.error(403, "AccessDeniedException", words)
        if self.busy:
            self.busy -= 1
            return self.error(429, "ThrottledException", "Rate exceeded")
        arguments = json.loads(request.body or b"{}")
        report = ParamValidator().validate(arguments, operation.input_shape)
        if report.has_errors():
            return self.error(400, "InvalidRequestException", report.generate_report())
        answer = getattr(self, f"_{operation.name}")(arguments)
        if isinstance(answer, Response):
            return answer
        report = ParamValidator().validate(answer, operation.output_shape)
        assert not report.has_errors(), report.generate_report()
        return self._response(200, json.dumps(answer).encode(), {})

    def _GetTraceSegmentDestination(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Destination": "CloudWatchLogs" if self.searched else "XRay", "Status": "ACTIVE"}

    def _BatchGetTraces(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """With Transaction Search it finds nothing, and says so in no way."""
        found = {} if self.searched else self.traces
        asked = arguments["TraceIds"]
        start = int(arguments.get("NextToken", "0"))
        documents = [(name, part) for name in asked for part in found.get(name, [])]
        page = documents[start : start + _PAGE]
        traces = [{"Id": name, "Segments": [_part(part)]} for name, part in page]
        answer: dict[str, Any] = {"Traces": traces, "UnprocessedTraceIds": []}
        return answer | ({"NextToken": str(start + _PAGE)} if start + _PAGE < len(documents) else {})

    def _StartTraceRetrieval(self, arguments: dict[str, Any]) -> dict[str, Any] | Response:  # noqa: N802
        if not self.searched:
            return self.error(400, "InvalidRequestException", "Transaction Search is not enabled")
        now = datetime.now(UTC).timestamp()
        if not arguments["StartTime"] <= now <= arguments["EndTime"]:
            return self.error(400, "InvalidRequestException", "not the time of these tests")
        token = secrets.token_hex(16)
        self._retrievals[token] = arguments["TraceIds"]
        return {"RetrievalToken": token}

    def _ListRetrievedTraces(self, arguments: dict[str, Any]) -> dict[str, Any] | Response:  # noqa: N802
        token = arguments["RetrievalToken"]
        if token not in self._retrievals:
            return self.error(404, "ResourceNotFoundException", "no such retrieval")
        self._looks[token] += 1
        if self._looks[token] < self.slow:
            return {"RetrievalStatus": "RUNNING", "TraceFormat": "XRAY", "Traces": []}
        traces = [
            {"Id": name, "Spans": [_part(part) for part in self.traces[name]]}
            for name in self._retrievals[token]
            if name in self.traces
        ]
        return {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": traces}

    def error(self, status: int, code: str, message: str) -> Response:
        body = json.dumps({"Message": message}).encode()
        return self._response(status, body, {"x-amzn-ErrorType": f"{code}:"})

    def _response(self, status: int, body: bytes, headers: dict[str, str]) -> Response:
        date = format_datetime(self.now(), usegmt=True)
        return Response(status, body, {"Content-Type": "application/json", "Date": date, **headers})


def _part(document: dict[str, Any]) -> dict[str, Any]:
    return {"Id": document["id"], "Document": json.dumps(document)}

"""X-Ray and CloudWatch Logs, as far as they are asked whether they would take telemetry."""

from __future__ import annotations

import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from tests.stand_ins.sts import Known, Signed

if TYPE_CHECKING:
    from tests.stand_ins.server import Request

from tests.stand_ins.server import Response


class _Json(Signed):
    """A service that answers in JSON, and has other codes than STS."""

    unknown, unsigned = "UnrecognizedClientException", "InvalidSignatureException"
    expired = "ExpiredTokenException"

    def error(self, status: int, code: str, message: str) -> Response:
        return self.document(400 if status == 403 else status, {"__type": code, "message": message})

    def denied(self, known: Known, action: str) -> Response:
        """Refuse a key whose policy does not allow the action, naming its owner as AWS does."""
        words = f"User: {known.arn} is not authorized to perform: {action} because no identity-based policy"
        return self.document(400, {"__type": "AccessDeniedException", "message": words})

    def document(self, status: int, document: Any) -> Response:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Date": format_datetime(self.now(), usegmt=True),
        }
        if status != 200:
            headers["x-amzn-ErrorType"] = document["__type"]
        return Response(status, json.dumps(document).encode(), headers)


class Xray(_Json):
    """Gives sampling rules to who may ask for them."""

    service = "xray"
    action = "xray:GetSamplingRules"

    def serve(self, request: Request, known: Known) -> Response:
        if (request.method, request.path) != ("POST", "/GetSamplingRules"):
            return self.error(404, "UnknownOperationException", "")
        if self.action not in known.allowed:
            return self.denied(known, self.action)
        return self.document(200, {"SamplingRuleRecords": []})


class Logs(_Json):
    """Has log groups by their names and no stream in them, and says so to who may write to one."""

    service = "logs"
    action = "logs:PutLogEvents"

    def __init__(self, *groups: str) -> None:
        super().__init__()
        self._groups = groups

    def serve(self, request: Request, known: Known) -> Response:
        if request.headers.get("X-Amz-Target") != "Logs_20140328.PutLogEvents":
            return self.error(400, "UnknownOperationException", "")
        if self.action not in known.allowed:
            return self.denied(known, self.action)
        if json.loads(request.body)["logGroupName"] not in self._groups:
            return self.error(400, "ResourceNotFoundException", "The specified log group does not exist.")
        return self.error(400, "ResourceNotFoundException", "The specified log stream does not exist.")

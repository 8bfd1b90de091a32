"""CloudWatch Logs, written to and read from: calls are checked against AWS's model, signature and policy."""

from __future__ import annotations

import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator

from tests.stand_ins.server import Request, Response
from tests.stand_ins.sts import Known, Signed

if TYPE_CHECKING:
    from collections.abc import Callable

_MODEL = botocore.session.get_session().get_service_model("logs")
_TARGET = "Logs_20140328."


class CloudWatchLogs(Signed):
    """Has log groups by their names, and keeps what is written to their streams."""

    service = "logs"
    unknown, unsigned = "UnrecognizedClientException", "InvalidSignatureException"
    expired = "ExpiredTokenException"

    def __init__(self, *groups: str) -> None:
        super().__init__()
        #: group -> stream -> events
        self.groups: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in groups}

    def serve(self, request: Request, known: Known) -> Response:
        name = request.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
        operations: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
            "CreateLogStream": self._create_stream,
            "DescribeLogStreams": self._describe_streams,
            "FilterLogEvents": self._filter,
            "PutLogEvents": self._put,
        }
        if name not in operations:
            return self.error(400, "UnknownOperationException", name)
        if f"logs:{name}" not in known.allowed:
            words = f"User: {known.arn} is not authorized to perform: logs:{name}"
            return self.error(400, "AccessDeniedException", words)
        operation, arguments = _MODEL.operation_model(name), json.loads(request.body)
        report = ParamValidator().validate(arguments, operation.input_shape)
        if report.has_errors():
            return self.error(400, "InvalidParameterException", report.generate_report())
        group = self.groups.get(arguments["logGroupName"])
        if group is None:
            return self.error(400, "ResourceNotFoundException", "The specified log group does not exist.")
        answer = operations[name](group, arguments)
        return answer if isinstance(answer, Response) else self._document(200, answer)

    def _create_stream(self, group: dict[str, Any], arguments: dict[str, Any]) -> Any:
        if arguments["logStreamName"] in group:
            words = "The specified log stream already exists"
            return self.error(400, "ResourceAlreadyExistsException", words)
        group[arguments["logStreamName"]] = []
        return {}

    def _describe_streams(self, group: dict[str, Any], _: dict[str, Any]) -> Any:
        return {"logStreams": [{"logStreamName": name} for name in group]}

    def _put(self, group: dict[str, Any], arguments: dict[str, Any]) -> Any:
        stream = group.get(arguments["logStreamName"])
        if stream is None:
            words = "The specified log stream does not exist."
            return self.error(400, "ResourceNotFoundException", words)
        stream += arguments["logEvents"]
        return {"nextSequenceToken": "1"}

    def _filter(self, group: dict[str, Any], arguments: dict[str, Any]) -> Any:
        """A pattern in double quotes is a phrase that the message holds."""
        pattern = arguments["filterPattern"]
        if pattern[:1] + pattern[-1:] != '""':
            return self.error(400, "InvalidParameterException", "Invalid filter pattern")
        found = [
            {**event, "logStreamName": name}
            for name, events in group.items()
            for event in events
            if pattern[1:-1] in event["message"] and event["timestamp"] >= arguments.get("startTime", 0)
        ]
        return {"events": found, "searchedLogStreams": []}

    def error(self, status: int, code: str, message: str) -> Response:
        return self._document(400 if status == 403 else status, {"__type": code, "message": message})

    def _document(self, status: int, document: Any) -> Response:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Date": format_datetime(self.now(), usegmt=True),
        }
        if status != 200:
            headers["x-amzn-ErrorType"] = document["__type"]
        return Response(status, json.dumps(document).encode(), headers)

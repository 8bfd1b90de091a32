"""The CloudWatch Logs API, as far as an application that writes logs may reach it."""

import json
import secrets
from collections import Counter
from typing import Any

from receivers.faults import BROKEN, THROTTLED, UNAUTHORIZED, Fault
from receivers.log_groups import LogGroups, LogsError
from receivers.sigv4 import Credentials, SignatureError
from receivers.wire import HttpReceiver, RefusedError, Request, Response

_JSON = "application/x-amz-json-1.1"
_TARGET = "Logs_20140328."


class CloudWatchLogs(HttpReceiver):
    """Takes signed calls in AWS's JSON 1.1 protocol; the log group is there from the beginning.

    `calls` counts them by operation: an application whose group is provisioned calls no `CreateLogGroup`.
    `inbox` holds a `LogLine` for each event.
    """

    def __init__(self, *, group: str = "cruddur", region: str = "eu-central-1", keep: bool = True) -> None:
        super().__init__(keep=keep)
        self.credentials = Credentials(
            access_key=f"AKIA{secrets.token_hex(8).upper()}",
            secret_key=secrets.token_hex(20),
            region=region,
            service="logs",
        )
        self.group = group
        self.groups = LogGroups(group, region=region)
        self.calls: Counter[str] = Counter()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "CLOUDWATCH_LOG_GROUP": self.group,
            "AWS_REGION": self.credentials.region,
            "AWS_DEFAULT_REGION": self.credentials.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.url,
        }

    def counts(self) -> dict[str, int]:
        return {"log_lines": self.inbox.count, "log_streams": self.groups.count_streams()}

    def answer(self, request: Request) -> Response:
        operation, body = self._read(request)
        with self._counting:
            self.calls[operation] += 1
        try:
            if operation == "PutLogEvents":
                lines, result = self.groups.put_log_events(body)
                self.inbox.add(lines, len(request.body))
            else:
                result = self.groups.call(operation, body)
        except LogsError as error:
            raise _refused(error.kind, str(error)) from error
        return Response(200, json.dumps(result).encode(), _JSON)

    def failure(self, fault: Fault) -> Response:
        return {
            THROTTLED: _failed(400, "ThrottlingException", "Rate exceeded"),
            BROKEN: _failed(500, "InternalFailure", "Internal failure"),
            UNAUTHORIZED: _failed(
                400, "UnrecognizedClientException", "The security token included in the request is invalid."
            ),
        }[fault]

    def _read(self, request: Request) -> tuple[str, dict[str, Any]]:
        target = request.headers.get("x-amz-target", "")
        if (request.method, request.path) != ("POST", "/") or not target.startswith(_TARGET):
            raise _refused("UnknownOperationException", f"{request.method} {request.path} {target}")
        if request.headers.get("content-type") != _JSON:
            raise _refused("UnknownOperationException", f"not {_JSON}")
        try:
            self.credentials.check(request)
        except SignatureError as error:
            raise _refused(error.kind, str(error)) from error
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise _refused("SerializationException", "the body is not JSON") from error
        if not isinstance(body, dict):
            raise _refused("SerializationException", "the body is not an object")
        return target.removeprefix(_TARGET), body


def _failed(status: int, kind: str, message: str) -> Response:
    return Response(status, json.dumps({"__type": kind, "message": message}).encode(), _JSON)


def _refused(kind: str, message: str) -> RefusedError:
    return RefusedError(_failed(400, kind, message), f"{kind}: {message}")

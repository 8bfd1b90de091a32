"""Raw calls to the receivers: for each one that it takes, to be sent as it is or spoilt first."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from receivers import PATIENCE, CloudWatchLogs, HttpReceiver, OtlpSink, RollbarApi, XRayDaemon


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Call:
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def send(self, port: int, timeout: float = PATIENCE) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request(self.method, self.path, self.body, dict(self.headers))
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()


def good_call(receiver: HttpReceiver) -> Call:
    """A call that this receiver takes."""
    match receiver:
        case OtlpSink():
            headers = {"Content-Type": "application/x-protobuf", "x-honeycomb-team": receiver.key or ""}
            return Call("/v1/traces", one_span().SerializeToString(), headers)
        case XRayDaemon():
            return Call("/GetSamplingRules", b"{}")
        case CloudWatchLogs():
            return logs_call(receiver, "DescribeLogGroups", {})
        case RollbarApi():
            return rollbar_call(receiver.token, item())
    raise TypeError(receiver)


def one_span() -> ExportTraceServiceRequest:
    span = Span(name="GET /", trace_id=bytes(range(16)), span_id=bytes(range(8)))
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])


def item(**changes: Any) -> dict[str, Any]:
    body = {"message": {"body": "Hello World!"}}
    return {"environment": "testing", "level": "warning", "body": body, **changes}


def rollbar_call(token: str, data: Any) -> Call:
    body = json.dumps({"access_token": token, "data": data}).encode()
    return Call("/api/1/item/", body, {"X-Rollbar-Access-Token": token})


def logs_call(logs: CloudWatchLogs, operation: str, body: dict[str, Any]) -> Call:
    """Signed by botocore, as boto3 would."""
    mine = logs.credentials
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Logs_20140328.{operation}"}
    request = AWSRequest("POST", f"{logs.url}/", headers, json.dumps(body).encode())
    SigV4Auth(Credentials(mine.access_key, mine.secret_key), "logs", mine.region).add_auth(request)
    return Call("/", json.dumps(body).encode(), dict(request.headers))


def segment(**changes: Any) -> dict[str, Any]:
    now = time.time()
    trace_id = f"1-{int(now):08x}-{24 * 'a'}"
    times = {"start_time": now - 1, "end_time": now}
    return {"name": "backend-flask", "id": 16 * "b", "trace_id": trace_id, **times, **changes}

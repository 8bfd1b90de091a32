"""Receives what the four vendors would: prints its variables at the start, and what came once its input ends.

While a measurement runs it only keeps what it gets: decoding would take the processor from the client.
"""

import json
import socket
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_RULE = {
    "RuleName": "bench",
    "Priority": 9000,
    "FixedRate": 0.1,
    "ReservoirSize": 5,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "ResourceARN": "*",
    "Version": 1,
    "Attributes": {},
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the vendors do when all is well."""

    protocol_version = "HTTP/1.1"
    received: list[tuple[str, bytes]] = []  # noqa: RUF012 - one list for all connections is the point

    def do_POST(self) -> None:
        """Keep the body and answer 200."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        call = self.headers.get("X-Amz-Target", self.path).rpartition(".")[2]
        self.received.append((call, body))
        content, kind = _answer(call, body)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _answer(call: str, body: bytes) -> tuple[bytes, str]:
    if call == "/v1/traces":
        return b"", "application/x-protobuf"
    if call == "/GetSamplingRules":
        return json.dumps({"SamplingRuleRecords": [{"SamplingRule": _RULE}]}).encode(), "application/json"
    if call == "/SamplingTargets":
        asked = json.loads(body)["SamplingStatisticsDocuments"]
        targets = [
            {"RuleName": each["RuleName"], "FixedRate": 0.1, "ReservoirQuota": 5, "ReservoirQuotaTTL": 4e9}
            for each in asked
        ]
        answer = {"SamplingTargetDocuments": targets, "LastRuleModification": 0}
        return json.dumps(answer).encode(), "application/json"
    if call == "DescribeLogGroups":
        answer = {"logGroups": [{"logGroupName": "bench"}]}
        return json.dumps(answer).encode(), "application/x-amz-json-1.1"
    if call.startswith("/"):
        return b'{"err": 0, "result": {}}', "application/json"
    return b"{}", "application/x-amz-json-1.1"


def _counts(received: list[tuple[str, bytes]], segments: list[bytes]) -> dict[str, Any]:
    spans: Counter[str] = Counter()
    lines = items = 0
    for call, body in received:
        if call == "/v1/traces":
            spans.update(
                span.name
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            )
        elif call == "PutLogEvents":
            lines += len(json.loads(body)["logEvents"])
        elif "/item" in call:
            items += 1
    return {"spans": spans.total(), "log_lines": lines, "items": items, "segments": len(segments)}


def main() -> None:
    """Listen until standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_port
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    udp.bind(("127.0.0.1", port))
    segments: list[bytes] = []

    def receive() -> None:
        while datagram := udp.recv(65536):
            segments.append(datagram)

    for target in (server.serve_forever, receive):
        threading.Thread(target=target, daemon=True).start()
    url = f"http://127.0.0.1:{port}"
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{port}",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "CLOUDWATCH_LOG_GROUP": "bench",
        "ROLLBAR_ACCESS_TOKEN": "made-up",
        "ROLLBAR_ENDPOINT": f"{url}/api/1/",
        "ROLLBAR_ENVIRONMENT": "bench",
    }
    print(json.dumps(environ), flush=True)
    sys.stdin.read()
    print(json.dumps(_counts(Handler.received, segments)), flush=True)


if __name__ == "__main__":
    main()

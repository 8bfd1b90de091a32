"""Real receivers on loopback: an OTLP/HTTP backend and an X-Ray daemon."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE = 30.0  # seconds that a loaded machine may need for anything


class Inbox:
    """What a receiver has received; waits for more."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def add(self, items: list[Any]) -> None:
        with self._changed:
            self.items += items
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[Any]:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.items) >= count, PATIENCE)
            assert arrived, f"{len(self.items)} of {count} arrived: {self.items}"
            return list(self.items)


@dataclass
class ReceivedSpan:
    """One span, with what OTLP says around it."""

    span: Span
    service: str
    headers: dict[str, str]

    @property
    def attributes(self) -> dict[str, Any]:
        return _plain(list(self.span.attributes))


@dataclass
class OtlpSink:
    """An OTLP/HTTP receiver on loopback."""

    url: str
    inbox: Inbox

    @property
    def environ(self) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url}


@dataclass
class XRayDaemon:
    """The daemon's two sides on loopback: segments over UDP, sampling rules over TCP."""

    port: int
    inbox: Inbox
    rules: list[dict[str, Any]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        return {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self.port}"}


@contextmanager
def otlp_sink() -> Iterator[OtlpSink]:
    inbox = Inbox()

    def receive(path: str, headers: dict[str, str], body: bytes) -> bytes:
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        inbox.add(
            [
                ReceivedSpan(span, _plain(list(resource.resource.attributes))["service.name"], headers)
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        )
        return b""

    with _http_server(receive) as server:
        yield OtlpSink(f"http://127.0.0.1:{server.server_port}", inbox)


@contextmanager
def xray_daemon() -> Iterator[XRayDaemon]:
    daemon = XRayDaemon(0, Inbox())

    def answer(path: str, _headers: dict[str, str], _body: bytes) -> bytes:
        if path == "/GetSamplingRules":
            return json.dumps({"SamplingRuleRecords": [{"SamplingRule": r} for r in daemon.rules]}).encode()
        assert path == "/SamplingTargets"
        return json.dumps({"SamplingTargetDocuments": [], "LastRuleModification": 0}).encode()

    with _http_server(answer) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        daemon.port = server.server_port
        udp.bind(("127.0.0.1", daemon.port))
        receiver = threading.Thread(target=_receive_segments, args=(udp, daemon.inbox))
        receiver.start()
        yield daemon
        udp.sendto(b"", udp.getsockname())  # an empty datagram ends the thread
        receiver.join()


def _receive_segments(udp: socket.socket, inbox: Inbox) -> None:
    while datagram := udp.recv(65536):
        header, _, document = datagram.partition(b"\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        inbox.add([json.loads(document)])


class _HttpServer(ThreadingHTTPServer):
    """Serves in a thread of its own for as long as the block lasts."""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def _http_server(answer: Callable[[str, dict[str, str], bytes], bytes]) -> _HttpServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            content = answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return _HttpServer(("127.0.0.1", 0), Handler)


def _plain(attributes: list[KeyValue]) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in attributes}

"""The least that receives, for the collector to be measured against: python -m tests.bench.sink DATABASE.

The standard library's HTTP server with a thread for each connection, the same generated messages of OTLP, and
one row for each span, committed before the answer; X-Ray's datagrams are read as JSON and committed by
hundreds. It masks nothing, checks nothing, bounds nothing and has one index. Prints its ports as JSON.
"""

import json
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_TABLE = (
    "CREATE TABLE operation (trace_id TEXT, id TEXT, name TEXT, start_ns INTEGER, end_ns INTEGER, body TEXT)"
)
_INDEX = "CREATE UNIQUE INDEX operation_by_id ON operation (trace_id, id)"
_INSERT = "INSERT OR IGNORE INTO operation VALUES (?, ?, ?, ?, ?, ?)"
_TOGETHER = 100


class _Table:
    """One connection that all threads share."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", _TABLE, _INDEX):
            self._connection.execute(statement)

    def insert(self, rows: Iterable[tuple[object, ...]]) -> None:
        with self._lock, self._connection:
            self._connection.executemany(_INSERT, rows)


def _rows(body: bytes) -> Iterable[tuple[object, ...]]:
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                text = json.dumps(json_format.MessageToDict(span))
                times = span.start_time_unix_nano, span.end_time_unix_nano
                yield span.trace_id.hex(), span.span_id.hex(), span.name, *times, text


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, table: _Table) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.table = table


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Store the spans of an export request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.table.insert(list(_rows(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _receive(udp: socket.socket, table: _Table) -> None:
    while True:
        udp.settimeout(None)
        rows = [_segment(udp.recv(65_535))]
        udp.settimeout(0.01)
        try:
            while len(rows) < _TOGETHER:
                rows.append(_segment(udp.recv(65_535)))
        except TimeoutError:
            pass
        table.insert(rows)


def _segment(datagram: bytes) -> tuple[object, ...]:
    text = datagram.partition(b"\n")[2].decode()
    document = json.loads(text)
    times = int(document["start_time"] * 1e9), int(document["end_time"] * 1e9)
    return document["trace_id"], document["id"], document["name"], *times, text


def main() -> None:
    """Receive until it is killed."""
    table = _Table(sys.argv[1])
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    udp.bind(("127.0.0.1", 0))
    threading.Thread(target=_receive, args=(udp, table), daemon=True).start()
    server = _Server(table)
    print(json.dumps([server.server_port, udp.getsockname()[1]]), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

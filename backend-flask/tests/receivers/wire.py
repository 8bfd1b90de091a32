"""The HTTP side of every receiver: a server on loopback that can be made to fail while it runs."""

import contextlib
import socket
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeVar

from receivers.faults import BLACK_HOLE, HEALTHY, REFUSED, Fault
from receivers.inbox import PATIENCE, Inbox

HOST = "127.0.0.1"
MAX_BODY = 64 << 20  # bytes, whatever the vendor

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Request:
    """One request, as it stood on the wire; the names of its headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request is not one that the real service takes; `reason` is for the test's author."""

    def __init__(self, response: Response, reason: str) -> None:
        super().__init__(reason)
        self.response = response
        self.reason = f"{response.status} {reason}"


class HttpReceiver(ABC):
    """A vendor's HTTP API on a port of its own, for as long as the `with` block lasts.

    `inbox` holds what it took and counts what it refused; `requests` counts both. What it answers because of
    a fault is in none of them. `spoilt` counts the requests that met a fault.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.inbox = Inbox(keep=keep)
        self.spoilt = Inbox(keep=False)
        self.requests = 0
        self.port = 0
        self._in_force = (REFUSED, threading.Event())  # the event: it is lifted
        self._counting = threading.Lock()
        self._reserved: socket.socket | None = None
        self._server: _Server | None = None

    @property
    @abstractmethod
    def environ(self) -> dict[str, str]:
        """The variables that point a backend here."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Take the request as the vendor would. Raises `RefusedError`."""

    @abstractmethod
    def failure(self, fault: Fault) -> Response:
        """What the vendor says when it is throttling, broken, or does not know the credentials."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """How much has arrived, by kind."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def fault(self) -> Fault:
        return self._in_force[0]

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._change(fault)

    def _change(self, fault: Fault) -> None:
        before, lifted = self._in_force
        self._in_force = (fault, threading.Event())
        lifted.set()
        if before == BLACK_HOLE and self._server:
            self._server.drop_connections()
        if before != REFUSED and fault == REFUSED:
            self._close()
        elif before == REFUSED and fault != REFUSED:
            self._open()

    def __enter__(self) -> Self:
        self.fault = HEALTHY
        return self

    def __exit__(self, *_: object) -> None:
        self.fault = REFUSED
        if self._reserved:
            self._reserved.close()

    def _open(self) -> None:
        if self._reserved:
            self._reserved.close()
        self._server = retrying(lambda: _Server(self))
        self.port = self._server.server_port
        self._server.start()

    def _close(self) -> None:
        assert self._server
        self._server.stop()
        self._server = None
        # Bound, but not listening: nobody else gets this port, and who connects is refused.
        self._reserved = reserved = socket.socket()
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        retrying(lambda: reserved.bind((HOST, self.port)))

    def respond(self, request: Request) -> Response | None:
        """Answer as the fault in force demands; None: not at all."""
        fault, lifted = self._in_force
        if fault != HEALTHY:
            self.spoilt.add([request])
        if fault in {BLACK_HOLE, REFUSED}:
            return None
        if fault.name == "slow":
            lifted.wait(fault.seconds)
            if self.fault == REFUSED:
                return None
        elif fault != HEALTHY:
            return self.failure(fault)
        with self._counting:
            self.requests += 1
        try:
            return self.answer(request)
        except RefusedError as refusal:
            self.inbox.refuse(refusal.reason)
            return refusal.response


def retrying(make: Callable[[], _Made]) -> _Made:
    """Make something of a port that somebody may hold for a moment longer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return make()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(self, receiver: HttpReceiver) -> None:
        self.receiver = receiver
        self._connections: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self.serve_forever, args=(0.02,))
        super().__init__((HOST, receiver.port), _Handler)

    def start(self) -> None:
        self._accepting.start()

    def stop(self) -> None:
        self.shutdown()
        self._accepting.join()
        self.socket.close()
        self.drop_connections()
        self.server_close()

    def drop_connections(self) -> None:
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """A client may hang up at any time; anything else is a bug here, and must fail the test."""
        error = sys.exception()
        if error and not isinstance(error, OSError):
            raise error


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the whole answer in one packet
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        receiver = self.server.receiver
        length = int(self.headers.get("Content-Length", "0" if self.command == "GET" else "-1"))
        if not 0 <= length <= MAX_BODY:
            status = 413 if length > 0 else 411
            receiver.inbox.refuse(f"{status} a body of {length} bytes")
            self._send(Response(status), close=True)
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = receiver.respond(Request(self.command, self.path, headers, body))
        if response:
            self._send(response)
        else:
            self._swallow()

    def _send(self, response: Response, *, close: bool = False) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def _swallow(self) -> None:
        self.close_connection = True
        while self.connection.recv(1 << 16):
            pass

    def log_message(self, *_: object) -> None:
        pass

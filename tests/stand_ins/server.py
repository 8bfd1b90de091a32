"""An HTTP server on loopback that remembers what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class HangUpError(Exception):
    """The connection ends without an answer."""


def json_response(status: int, document: Any, kind: str = "application/json") -> Response:
    return Response(status, json.dumps(document).encode(), {"Content-Type": kind})


class StandIn:
    """Answers while it is entered; `answer` says what."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):  # one for each method
                    return self._respond
                raise AttributeError(name)

            def _respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                stand_in.requests.append(request)
                try:
                    response = stand_in.answer(request)
                except HangUpError:
                    self.close_connection = True
                    return
                self.send_response_only(response.status)
                size = {"Content-Length": str(len(response.body)), "Connection": "close"}
                for name, value in {"Date": self.date_time_string(), **size, **response.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def answer(self, request: Request) -> Response:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Fixed(StandIn):
    """Gives everybody the same answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response

    def answer(self, _request: Request) -> Response:
        return self.response

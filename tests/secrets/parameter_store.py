"""Parameter Store for tests: moto's, behind a front that refuses what moto forgives, and counts the calls."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/[0-9]{8}/([^/]+)/ssm/aws4_request, ")
_NAME = re.compile(r"/bootstrap(/[A-Za-z0-9_.-]+){2,14}")
_FIRST_PAGE = "after the empty page"

Refusal = tuple[str, str]


class Front:
    """The address of one Parameter Store, what was asked of it, and what it is to refuse."""

    def __init__(self, backend: str) -> None:
        self._backend = urlsplit(backend).netloc
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in two packets would wait for the first one's receipt

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = front.answer(dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Forget every parameter, every call, and what was to be refused."""
        self._planned: dict[str, list[str]] = {}
        self.calls: Counter[str] = Counter()
        #: the ids and regions of the keys that signed
        self.keys: set[str] = set()
        self.regions: set[str] = set()
        #: action -> the beginning of the names that it is denied for
        self.denied: dict[str, str] = {}
        #: action -> the error that each call of it gets
        self.broken: dict[str, str] = {}
        #: the value that is given back in place of each other one
        self.mangled: str | None = None
        with contextlib.closing(http.client.HTTPConnection(self._backend, timeout=30)) as connection:
            connection.request("POST", "/moto-api/reset")
            assert connection.getresponse().status == 200

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)

    def plan(self, action: str, *codes: str) -> None:
        """Let the next calls of an action end in these errors; "" stands for one that works."""
        self._planned[action] = list(codes)

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Count a call, and refuse it or hand it on."""
        action = headers["X-Amz-Target"].removeprefix("AmazonSSM.")
        signed = _SIGNED.match(headers.get("Authorization", ""))
        if signed is None:
            return _error("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        self.calls[action] += 1
        self.keys.add(signed[1])
        self.regions.add(signed[2])
        asked = json.loads(body)
        refusal = self._refusal(action, asked)
        if refusal is not None:
            return _error(*refusal)
        if action == "GetParametersByPath":
            if "NextToken" not in asked:
                return 200, json.dumps({"Parameters": [], "NextToken": _FIRST_PAGE}).encode()
            if asked["NextToken"] == _FIRST_PAGE:
                del asked["NextToken"]
        status, answer = self._hand_on(headers, json.dumps(asked).encode())
        if self.mangled is not None and action == "GetParameters":
            data = json.loads(answer)
            for parameter in data["Parameters"]:
                parameter["Value"] = self.mangled
            answer = json.dumps(data).encode()
        return status, answer

    def _refusal(self, action: str, asked: Mapping[str, Any]) -> Refusal | None:
        planned = self._planned.get(action)
        code = (planned.pop(0) if planned else "") or self.broken.get(action, "")
        if code:
            # AWS quotes what it was given in some of its errors.
            return code, f"Rate exceeded, or whatever it is: {asked.get('Value', '')}"
        names = asked.get("Names") or [asked.get("Name") or asked["Path"]]
        prefix = self.denied.get(action)
        if prefix is not None and any(name.startswith(prefix) for name in names):
            arn = f"arn:aws:ssm:eu-central-1:123456789012:parameter{names[0]}"
            user = "arn:aws:iam::123456789012:user/tester"
            return "AccessDeniedException", (
                f"User: {user} is not authorized to perform: ssm:{action} on resource: {arn} because no "
                f"identity-based policy allows the ssm:{action} action"
            )
        return _strict(action, asked, names)

    def _hand_on(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        kept = ("X-Amz-Target", "Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token")
        connection = http.client.HTTPConnection(self._backend, timeout=30)
        with contextlib.closing(connection):
            sent = {name: headers[name] for name in kept if name in headers}
            connection.request("POST", "/", body, sent)
            response = connection.getresponse()
            return response.status, response.read()


def _strict(action: str, asked: Mapping[str, Any], names: list[str]) -> Refusal | None:
    """What AWS refuses and moto does not."""
    if len(names) > 10 or len(set(names)) < len(names) or asked.get("MaxResults", 10) > 10:
        return "ValidationException", "1 validation error: one to ten names, each of them once"
    if not all(_NAME.fullmatch(name) for name in names):
        return "ValidationException", "Parameter name: holds other characters, or has too many levels"
    if action == "PutParameter":
        value = asked["Value"]
        if not value or len(value.encode()) > 4096 or asked["Type"] != "SecureString":
            return "ValidationException", f"1 validation error: Value '{value}' at 'value' failed to satisfy"
        if "{{" in value and "}}" in value:
            return "ValidationException", f"Parameter value can't nest another parameter: {value}"
    return None


def _error(code: str, message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": message}).encode()


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """Run moto's server, and return its address."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextlib.contextmanager
def front(backend: str) -> Iterator[Front]:
    """Put a front before moto's server."""
    opened = Front(backend)
    opened.reset()
    try:
        yield opened
    finally:
        opened.close()

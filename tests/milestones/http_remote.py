"""Serves bare repositories over HTTP as hosts do, through git's own `http-backend`.

with Host(folder) as host:
    host.url("remote.git")                 http://127.0.0.1:PORT/remote.git
    host.password = "made-up"              asks for it, user `ann`
    host.forbid_pushes = True              403, as for somebody who may only read
    host.lose_answer = "git-receive-pack"  does what was asked, and then hangs up
    host.drop = "git-receive-pack"         hangs up before anything is done
"""

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Host:
    """A server on a port of its own, for the repositories below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = ""
        self.forbid_pushes = False
        self.lose_answer = ""
        self.drop = ""
        #: method and path of every request
        self.requests: list[str] = []
        host = self

        class Handler(_Handler):
            owner = host

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, name: str, user: str = "") -> str:
        """The address of the repository `name`."""
        at = f"{user}@" if user else ""
        return f"http://{at}127.0.0.1:{self._server.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    """One request: hand it to the CGI program and give back its answer."""

    owner: Host
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _answer(self, body: bytes) -> None:
        host = self.owner
        host.requests.append(f"{self.command} {self.path}")
        pushes = "git-receive-pack" in self.path
        if host.drop and self.command == "POST" and self.path.endswith(host.drop):
            self.close_connection = True
            return
        if host.password and not self._knows(host.password):
            self._plain(401, "say who you are", ("WWW-Authenticate", 'Basic realm="tags"'))
        elif host.forbid_pushes and pushes:
            self._plain(403, "you may only read")
        else:
            self._serve(body)

    def _knows(self, password: str) -> bool:
        wanted = base64.b64encode(f"ann:{password}".encode()).decode()
        return bool(self.headers.get("Authorization") == f"Basic {wanted}")

    def _plain(self, status: int, words: str, *headers: tuple[str, str]) -> None:
        self._send(status, [("Content-Type", "text/plain"), *headers], words.encode())

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.owner.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environ, input=body, capture_output=True, check=False
        )
        if self.owner.lose_answer and self.command == "POST" and parts.path.endswith(self.owner.lose_answer):
            self.close_connection = True
            return
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [_header(line) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self._send(int(status.split()[0]), [pair for pair in headers if pair[0] != "Status"], rest)

    def log_message(self, *_: object) -> None:
        """Keep quiet: what was asked stands in `requests`."""


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()

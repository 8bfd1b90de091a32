"""A stand-in for the X-Ray daemon: takes segments over UDP, sends batches of them, and signs what TCP brings.

It refuses what the real one refuses: an unknown key in its configuration, one without a version, a datagram
without its header. Like Go's flags, it stops reading arguments at the first that is none. It needs nothing
but Python.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VERSION = "3.6.6"
_WITH_VALUE = {
    "-a": "resource-arn",
    "-m": "buffer",
    "-n": "region",
    "-b": "udp",
    "-t": "tcp",
    "-r": "role-arn",
    "-c": "config",
    "-f": "log-file",
    "-l": "log-level",
    "-p": "proxy",
}
_KEYS = {
    *(
        "TotalBufferSizeMB",
        "Concurrency",
        "Region",
        "Socket",
        "Logging",
        "LocalMode",
        "ResourceARN",
        "RoleARN",
    ),
    *("NoVerifySSL", "ProxyAddress", "Endpoint", "Version", "UDPAddress", "TCPAddress", "LogRotation"),
    *("LogLevel", "LogPath"),
}
_BATCH = 50
_IDLE = 1.0
_LARGEST = 64 * 1024


def say(level: str, text: str) -> None:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"{now} [{level}] {text}", flush=True)  # noqa: T201


def stop(text: str) -> None:
    say("Error", text)
    sys.exit(1)


@dataclass
class Options:
    """What flags, configuration and environment say."""

    flags: dict[str, str] = field(default_factory=dict)
    local: bool = False
    endpoint: str = ""
    region: str = ""

    @classmethod
    def read(cls, argv: list[str]) -> Options:
        made = cls()
        rest = list(argv)
        while rest and rest[0].startswith("-"):
            flag = rest.pop(0)
            if flag in _WITH_VALUE:
                if not rest:
                    stop(f"flag needs an argument: {flag}")
                made.flags[_WITH_VALUE[flag]] = rest.pop(0)
            elif flag == "-o":
                made.local = True
            elif flag == "-v":
                print(f"AWS X-Ray daemon version: {VERSION}")  # noqa: T201
                sys.exit(0)
            else:
                stop(f"flag provided but not defined: {flag}")
        made._configure()
        return made

    def _configure(self) -> None:
        configured = self._file(self.flags["config"]) if "config" in self.flags else {}
        self.endpoint = configured.get("Endpoint", "")
        self.region = (
            self.flags.get("region") or configured.get("Region") or os.environ.get("AWS_REGION") or ""
        )
        if not self.region:
            stop("Cannot fetch region variable from config file, environment variables and ec2 metadata.")
        self.endpoint = self.endpoint or f"https://xray.{self.region}.amazonaws.com"

    @staticmethod
    def _file(path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        with Path(path).open(encoding="utf-8") as stream:
            for line in stream:
                key, colon, value = line.strip().partition(":")
                if not key or key.startswith("#"):
                    continue
                if not colon or key not in _KEYS:
                    stop(f"Unknown key in the config file: {key}")
                found[key] = value.strip().strip('"')
        if found.get("Version") not in {"1", "2"}:
            stop("Config Version is missing. Use X-Ray Daemon Config Migration Script")
        return found


class Signer:
    """AWS Signature Version 4 with the keys of the environment."""

    def __init__(self, region: str) -> None:
        self._region = region

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        if not key or not secret:
            raise PermissionError("NoCredentialProviders: no valid providers in chain")
        parts = urlsplit(url)
        moment = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": parts.netloc, "x-amz-date": moment}
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            signed["x-amz-security-token"] = token
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            [
                *("POST", parts.path, ""),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                *("", names, hashlib.sha256(body).hexdigest()),
            ]
        )
        scope = f"{moment[:8]}/{self._region}/xray/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        derived = f"AWS4{secret}".encode()
        for part in (moment[:8], self._region, "xray", "aws4_request"):
            derived = hmac.new(derived, part.encode(), "sha256").digest()
        signature = hmac.new(derived, text.encode(), "sha256").hexdigest()
        return {
            **{name: value for name, value in signed.items() if name != "host"},
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
            f"Signature={signature}",
            "Content-Type": "application/json",
        }


class Daemon:
    """The daemon at work."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._signer = Signer(options.region)
        self._segments: queue.Queue[str | None] = queue.Queue(1000)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        url = self._options.endpoint.rstrip("/") + path
        request = urllib.request.Request(url, body, self._signer.headers(url, body), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def receive(self, udp: socket.socket) -> None:
        while True:
            data = udp.recv(65_536)
            header, _, segment = data.partition(b"\n")
            try:
                parsed: Any = json.loads(header)
                known = parsed["format"].lower() == "json" and parsed["version"] == 1
            except (ValueError, KeyError, TypeError, AttributeError):
                known = False
            if not known:
                say("Warn", f"Invalid header: {header[:100]!r}")
            elif not segment:
                say("Warn", "Missing header or segment")
            elif len(segment) > _LARGEST:
                say("Warn", "Segment is too large")
            else:
                self._segments.put(segment.decode("utf-8", "replace"))

    def send(self) -> None:
        ended = False
        while not ended:
            batch: list[str] = []
            deadline = time.monotonic() + _IDLE
            while len(batch) < _BATCH and (left := deadline - time.monotonic()) > 0:
                try:
                    segment = self._segments.get(timeout=left)
                except queue.Empty:
                    break
                if segment is None:
                    ended = True
                    break
                batch.append(segment)
            if batch:
                self._put(batch)

    def _put(self, batch: list[str]) -> None:
        started = time.monotonic()
        try:
            status, answer = self.post(
                "/TraceSegments", json.dumps({"TraceSegmentDocuments": batch}).encode()
            )
        except (OSError, http.client.HTTPException) as error:
            say("Error", f"Sending segment batch failed with: {error}")
            return
        if status != http.client.OK:
            say("Error", f"Sending segment batch failed with: {status} {answer[:200]!r}")
            return
        unprocessed = json.loads(answer).get("UnprocessedTraceSegments") or []
        seconds = time.monotonic() - started
        if unprocessed:
            say(
                "Info", f"Sent batch of {len(batch)} segments but had {len(unprocessed)} Unprocessed segments"
            )
            for each in unprocessed:
                say(
                    "Error",
                    f"Unprocessed trace {each.get('Id')}: {each.get('ErrorCode')} {each.get('Message')}",
                )
        else:
            say("Info", f"Successfully sent batch of {len(batch)} segments ({seconds:1.3f} seconds)")

    def report(self) -> None:
        record = {"Timestamp": time.time(), "SegmentsReceivedCount": 0, "SegmentsSentCount": 0}
        while True:
            time.sleep(60)
            body = json.dumps({"TelemetryRecords": [record], "Hostname": socket.gethostname()})
            try:
                self.post("/TelemetryRecords", body.encode())
            except OSError as error:
                say("Debug", f"Telemetry could not be sent: {error}")

    def finish(self) -> None:
        self._segments.put(None)


def proxy(daemon: Daemon) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        """Signs and passes on whatever is posted."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, answer = daemon.post(self.path, body)
            except OSError as error:
                say("Error", f"http: proxy error: {error}")
                status, answer = 502, b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    options = Options.read(sys.argv[1:])
    say("Info", f"Initializing AWS X-Ray daemon {VERSION}")
    say("Info", f"Using region: {options.region}")
    if not options.local:
        say("Debug", "asks EC2's metadata who it is")
    say("Info", f"HTTP Proxy server using X-Ray Endpoint : {options.endpoint}")
    daemon = Daemon(options)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(address(options.flags.get("udp", "127.0.0.1:2000")))
    tcp = options.flags.get("tcp", "127.0.0.1:2000")
    server = ThreadingHTTPServer(address(tcp), proxy(daemon))
    sender = threading.Thread(target=daemon.send)
    for work in (lambda: daemon.receive(udp), daemon.report, server.serve_forever):
        threading.Thread(target=work, daemon=True).start()
    sender.start()
    say("Info", f"Starting proxy http server on {tcp}")
    signal.signal(signal.SIGTERM, lambda *_: daemon.finish())
    signal.signal(signal.SIGINT, lambda *_: daemon.finish())
    sender.join()


main()

"""A collector in its own process, and the few ways to talk to it."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from email.message import Message
    from pathlib import Path

PATIENCE = 30.0
"""Seconds after which something that should have happened has not."""

SERVER = """
import json, signal, sys
from pathlib import Path
from bootstrap.collector.asking.questions import Expected
from bootstrap.collector.server import Settings, serve
given = json.loads(sys.argv[1])
settings = Settings(
    database=Path(given["database"]), token=given["token"], http=("127.0.0.1", 0), daemon=("127.0.0.1", 0),
    allowed_hosts=frozenset(given["allowed_hosts"]), hidden=tuple(given["hidden"]),
    store_bytes=given["store_bytes"], log_groups=tuple(given["log_groups"]),
    expected=tuple(Expected(**each) for each in given["expected"]),
)
# What serve() puts back when it returns: signals that come later are nobody's business here.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
serve(settings, lambda at: print(json.dumps([at.http_url, at.daemon_address, at.token]), flush=True))
print("returned", flush=True)
"""

SEGMENT_HEADER = b'{"format":"json","version":1}\n'


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Collector:
    """A running collector and its client side."""

    process: subprocess.Popen[str]
    url: str
    daemon: str
    token: str
    database: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def daemon_port(self) -> int:
        return int(self.daemon.rpartition(":")[2])

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
    ) -> Answer:
        """One request as it stands: no token, no redirects; a Host given replaces the usual one."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def read(self, path: str) -> Answer:
        """GET with the token."""
        return self.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})

    def post_json(self, document: Any) -> Answer:
        """Send an export request in OTLP's JSON."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})

    def send(self, *datagrams: bytes) -> None:
        """Send to the X-Ray inlet."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for datagram in datagrams:
                udp.sendto(datagram, ("127.0.0.1", self.daemon_port))

    def send_segment(self, document: Mapping[str, Any]) -> None:
        self.send(SEGMENT_HEADER + json.dumps(document).encode())

    def logs(self, operation: str, body: object, **headers: str) -> Answer:
        """Call the CloudWatch Logs API by hand; `body` is JSON unless it is bytes."""
        named = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Logs_20140328.{operation}",
            "X-Amz-Security-Token": self.token,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", "/", content, named)

    def item(self, payload: object, **headers: str) -> Answer:
        """Send an item to Rollbar's API by hand; `payload` is JSON unless it is bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.request("POST", "/api/1/item/", content, {"Content-Type": "application/json", **named})

    def received(self, receiver: str, outcome: str) -> int:
        count: int = self.read("/api/received").json().get(receiver, {}).get(outcome, 0)
        return count

    def trace(self, trace_id: str, **counts: int) -> Any:
        """Wait until the trace has that many `spans`, `segments`, `logs` and `items`, then return it."""

        def whole() -> Any:
            answer = self.read(f"/api/traces/{trace_id}")
            found = answer.json() if answer.status == 200 else {}
            there = all(len(found.get(kind, ())) >= count for kind, count in counts.items())
            return found if found and there else None

        return self.eventually(whole)

    def eventually(self, check: Callable[[], Any]) -> Any:
        """Wait for the first true answer of `check`."""
        deadline = time.monotonic() + PATIENCE
        while not (answer := check()):
            assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain"
            time.sleep(0.02)
        return answer

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
        """Send a signal and wait; what the process wrote to stdout (after the addresses) and stderr."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE)


@dataclass
class Starter:
    """Starts collectors and leaves none behind."""

    folder: Path
    started: list[Collector] = field(default_factory=list)

    def __call__(
        self,
        *,
        database: Path | None = None,
        hidden: tuple[str, ...] = (),
        allowed_hosts: tuple[str, ...] = (),
        store_bytes: int = 1 << 30,
        log_groups: tuple[str, ...] = ("cruddur",),
        expected: tuple[dict[str, str], ...] = (),
    ) -> Collector:
        database = database or self.folder / "telemetry.db"
        settings = {
            "database": str(database),
            "token": secrets.token_urlsafe(16),
            "hidden": hidden,
            "allowed_hosts": allowed_hosts,
            "store_bytes": store_bytes,
            "log_groups": log_groups,
            "expected": expected,
        }
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVER, json.dumps(settings)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"the collector did not start: {process.communicate()[1]}")
        url, daemon, token = json.loads(line)
        collector = Collector(process, url, daemon, token, database)
        self.started.append(collector)
        return collector

    def stop_all(self) -> None:
        for collector in self.started:
            if collector.process.poll() is None:
                collector.process.kill()
            collector.process.communicate()


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One collector for all tests that only talk to it; it must have had nothing to complain about."""
    start = Starter(tmp_path_factory.mktemp("collector"))
    try:
        running = start(allowed_hosts=("4318-workspace.example.test",))
        yield running
        output, complaints = running.stop()
        assert (output, complaints) == ("returned\n", "")
    finally:
        start.stop_all()


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[Starter]:
    """Start collectors of your own."""
    start = Starter(tmp_path)
    yield start
    start.stop_all()


@dataclass(frozen=True)
class Made:
    """Makes telemetry by hand."""

    def trace_id(self) -> str:
        return f"{int(time.time()):08x}{secrets.token_hex(12)}"

    def span(self, trace_id: str, **overrides: Any) -> dict[str, Any]:
        """A span in OTLP's JSON."""
        now = time.time_ns()
        span = {
            "traceId": trace_id,
            "spanId": secrets.token_hex(8),
            "name": "home",
            "kind": 2,
            "startTimeUnixNano": str(now - 5_000_000),
            "endTimeUnixNano": str(now),
        }
        return {**span, **overrides}

    def export(self, *spans: dict[str, Any], service: str = "backend-flask") -> dict[str, Any]:
        """An export request in OTLP's JSON."""
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}

    def segment(self, trace_id: str, **overrides: Any) -> dict[str, Any]:
        """A segment document."""
        now = time.time()
        segment = {
            "name": "backend-flask",
            "id": secrets.token_hex(8),
            "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
            "start_time": now - 0.01,
            "end_time": now,
        }
        return {**segment, **overrides}


@pytest.fixture(scope="session")
def made() -> Made:
    return Made()

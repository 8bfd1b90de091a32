"""Requests to a running backend, and the telemetry that they ask for."""

import contextlib
import http.client
import itertools
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from receivers import PATIENCE

CLIENTS = 4


@dataclass(frozen=True)
class Route:
    """One request of the mix, the status of its answer, and the telemetry that it makes."""

    line: str  # METHOD PATH [JSON]
    status: int
    spans: int
    lines: int
    items: int = 0
    sampled: bool = True  # X-Ray is told to record it; else its rules decide


MIX = (
    Route("GET /api/activities/home", 200, spans=2, lines=2),
    Route("GET /api/activities/notifications", 200, spans=2, lines=2),
    Route("GET /api/activities/@andrewbrown", 200, spans=1, lines=2),
    Route('POST /api/activities {"message": "Made up", "ttl": "7-days"}', 200, spans=1, lines=2),
    Route("GET /api/activities/home", 200, spans=2, lines=2, sampled=False),
    Route("GET /api/nowhere", 404, spans=1, lines=1),
    Route("GET /api/activities/@", 422, spans=1, lines=1),
    Route("GET /rollbar/test", 200, spans=1, lines=1, items=1),
)
HELLO = MIX[-1]


@dataclass
class Due:
    """The telemetry that the requests so far have asked for, by vendor. X-Ray's rules may add `undecided`."""

    of: Counter[str] = field(default_factory=Counter)
    undecided: int = 0

    def add(self, route: Route) -> None:
        self.of.update(honeycomb=route.spans, cloudwatch=route.lines, rollbar=route.items)
        self.of["xray"] += route.sampled
        self.undecided += not route.sampled


class Traffic:
    """Clients that keep their connections. Every request carries secrets that nobody else shall learn.

    The backend has to trust trace headers.
    """

    def __init__(self, port: int) -> None:
        self.due = Due()
        self.secrets = [secrets.token_hex(16), secrets.token_hex(16)]
        self._port = port
        self._lock = threading.Lock()

    def send(self, count: int) -> None:
        """Send that many requests of the mix; each has to get its answer."""
        routes = itertools.islice(itertools.cycle(MIX), count)
        with ThreadPoolExecutor(CLIENTS) as clients:
            for client in [clients.submit(self._client, routes) for _ in range(CLIENTS)]:
                client.result()

    def greet(self) -> str:
        """Make one request that all four vendors hear of; answer its trace id."""
        trace_id = f"{int(time.time()):08x}{random.getrandbits(96):024x}"
        with self._connected() as connection:
            self._request(connection, HELLO, trace_id)
        return trace_id

    def _client(self, routes: Iterator[Route]) -> None:
        with self._connected() as connection:
            while route := self._next(routes):
                self._request(connection, route, f"{int(time.time()):08x}{random.getrandbits(96):024x}")

    def _next(self, routes: Iterator[Route]) -> Route | None:
        with self._lock:
            return next(routes, None)

    def _connected(self) -> contextlib.closing[http.client.HTTPConnection]:
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE))

    def _request(self, connection: http.client.HTTPConnection, route: Route, trace_id: str) -> None:
        method, path, *body = route.line.split(" ", 2)
        token, query = self.secrets
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if route.sampled:
            headers["X-Amzn-Trace-Id"] = f"Root=1-{trace_id[:8]}-{trace_id[8:]};Sampled=1"
        connection.request(method, f"{path}?token={query}", "".join(body), headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == route.status, (route.line, response.status, answer)
        with self._lock:
            self.due.add(route)

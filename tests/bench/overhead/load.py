"""Sends a fixed mix of requests over a few connections: with wrk, or client.py where there is no wrk."""

import http.client
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CONNECTIONS = 8
# Where wrk finds a stall, it also counts the requests that it would have sent meanwhile; client.py does not.
WRK, OWN = CLIENTS = ("wrk", "client.py")
_HERE = Path(__file__).parent
_NEW_ACTIVITY = '{"message": "A made-up activity", "ttl": "7-days"}'


@dataclass(frozen=True)
class Route:
    """One request of the mix, and the telemetry that an instrumented app makes of it."""

    line: str  # METHOD PATH [JSON]
    status: int
    spans: int
    log_lines: int


MIX = (
    Route("GET /api/activities/home", 200, spans=2, log_lines=2),
    Route("GET /api/activities/notifications", 200, spans=2, log_lines=2),
    Route("GET /api/activities/@andrewbrown", 200, spans=1, log_lines=2),
    Route(f"POST /api/activities {_NEW_ACTIVITY}", 200, spans=1, log_lines=2),
    Route("GET /api/nowhere", 404, spans=1, log_lines=1),
)


class NoAnswerError(Exception):
    """Some requests were not answered, within seconds: the machine stood still, or the app has a fault."""


@dataclass(frozen=True)
class Load:
    """What one run has sent and seen. Times in seconds."""

    client: str
    seconds: float
    sent: list[int]  # of each route; those that were under way at the end have no status
    failed: int
    p50: float
    p99: float
    statuses: dict[str, int]

    @cached_property
    def answered(self) -> int:
        """The number of requests that were answered in time."""
        return sum(self.statuses.values())

    @property
    def per_second(self) -> float:
        """Requests answered per second."""
        return self.answered / self.seconds


def default_client() -> str:
    """The better of the clients that are here."""
    return WRK if shutil.which(WRK) else OWN


def run(client: str, port: int, seconds: int, mix: Sequence[Route] = MIX) -> Load:
    """Send the mix for that long. Raises NoAnswerError, and RuntimeError for a wrong status."""
    if client == WRK:
        argv = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_HERE / "mix.lua")]
        argv += [f"http://127.0.0.1:{port}", "--"]
    else:
        argv = [sys.executable, str(_HERE / "client.py"), str(port), str(CONNECTIONS), str(seconds)]
    argv += [route.line for route in mix]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    load = Load(client, **json.loads(done.stdout.splitlines()[-1]))
    if load.failed:
        raise NoAnswerError(str(load))
    expected = Counter(str(route.status) for route in mix)
    for status, count in load.statuses.items():
        if abs(load.answered * expected[status] / len(mix) - count) > CONNECTIONS:
            raise RuntimeError(f"not every request was answered as it should be: {load}")
    return load


def lengths(port: int) -> list[int]:
    """Send each route once; return how long the answers are. Raises RuntimeError for a wrong status."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for route in MIX:
        method, path, *body = route.line.split(" ", 2)
        connection.request(method, path, "".join(body), {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        found.append(len(response.read()))
        if response.status != route.status:
            raise RuntimeError(f"{route.line}: {response.status}, not {route.status}")
    connection.close()
    return found

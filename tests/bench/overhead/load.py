"""Sends a fixed mix of requests over a few connections for some seconds: wrk where it is installed."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Route:
    """One request of the mix, and the telemetry that answering it makes."""

    line: str  # METHOD PATH [JSON]
    status: int
    spans: int
    lines: int


MIX = (
    Route("GET /api/activities/home", 200, spans=2, lines=2),
    Route("GET /api/activities/@andrewbrown", 200, spans=1, lines=1),
    Route("GET /api/nowhere", 404, spans=1, lines=1),
)


@dataclass(frozen=True)
class Load:
    """What one run has sent and seen. Times in seconds."""

    seconds: float
    sent: int
    completed: int
    failed: int
    p50: float
    p99: float
    statuses: dict[str, int]

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.completed / self.seconds


def client() -> str:
    """The name of the client that is used here."""
    return "wrk" if shutil.which("wrk") else "client.py"


def run(port: int, seconds: float) -> Load:
    """Send the mix for that long. Raises RuntimeError when a request fails or has another status."""
    url = f"http://127.0.0.1:{port}"
    wrk = ("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(_HERE / "mix.lua"), url, "--")
    done = subprocess.run(
        (*wrk, *(route.line for route in MIX)), stdout=subprocess.PIPE, stderr=sys.stderr, check=True
    )
    load = Load(**json.loads(done.stdout.splitlines()[-1]))
    if load.failed or set(load.statuses) != {str(route.status) for route in MIX}:
        raise RuntimeError(f"not every request was answered as it should be: {load}")
    return load

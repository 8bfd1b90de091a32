"""One run: receivers, an app under gunicorn, the load, SIGTERM; what it took, and what has arrived."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import peers, projects
from tests.bench.overhead import cores, load
from tests.bench.overhead.load import Load
from tests.bench.overhead.serve import serving

OFF, ON, JOURNAL = "off", "on", "journal"
VARIANTS = {
    OFF: "all telemetry off",
    ON: "all four vendors on",
    JOURNAL: "the journal's design",
}
_BACKEND = peers.ROOT / "backend-flask"
_WARM_UP = 1  # seconds


@dataclass
class Arrived:
    """What the receivers have got from one server, from its start to its end."""

    spans: int = 0
    segments: int = 0
    log_lines: int = 0
    items: int = 0


@dataclass
class Run:
    """One server's life. CPU in seconds, memory in bytes."""

    load: Load
    sent: list[int]  # of each route, those that warm up included
    lengths: list[int]  # of each route's answer
    memory: int
    seconds: float  # of the whole life, for what X-Ray samples each second
    cpu_per_request: float = 0.0  # from the first request to the end, which has sent all telemetry
    arrived: Arrived = field(default_factory=Arrived)


def run(variant: str, folder: Path, seconds: int) -> Run:
    """Let one variant serve for some seconds."""
    arrived = Arrived()
    with cores.bound_to(cores.others()), _receivers(arrived) as vendors:
        environ = projects.surroundings(folder, Path(sys.executable).parent)
        with serving(*_app(variant, {**environ, **_ORIGINS}, vendors), folder / "log") as server:
            lengths = load.lengths(server.port)
            at_start = server.cpu_seconds()
            warm_up = load.run(server.port, _WARM_UP)
            taken = load.run(server.port, seconds)
            sent = [sum(counts) + 1 for counts in zip(warm_up.sent, taken.sent, strict=True)]
            result = Run(taken, sent, lengths, server.memory(), warm_up.seconds + taken.seconds)
    result.cpu_per_request = (server.whole_cpu_seconds - at_start) / (sum(sent) - len(sent))
    result.arrived = arrived
    return result


# Both apps answer browsers, so both check each request's origin.
_ORIGINS = {"FRONTEND_URL": "http://localhost:3000", "BACKEND_URL": "http://localhost:4567"}


def _app(variant: str, environ: dict[str, str], vendors: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """The folder to serve from, and the environment."""
    if variant == OFF:
        return _BACKEND, environ
    environ |= vendors | {"OTEL_SERVICE_NAME": "backend-flask"}
    if variant == ON:
        return _BACKEND, environ
    daemon = environ["AWS_XRAY_DAEMON_ADDRESS"].replace("127.0.0.1", "localhost")
    environ |= {"AWS_XRAY_DAEMON_ADDRESS": daemon, "AWS_XRAY_URL": "*4567-made-up.example.com*"}
    return peers.HERE / "journal", environ


@contextmanager
def _receivers(arrived: Arrived) -> Iterator[dict[str, str]]:
    """Receive in the block; give the variables that lead there. Afterwards `arrived` is filled in."""
    with subprocess.Popen(
        (sys.executable, "-m", "tests.bench.overhead.receivers"),
        cwd=peers.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        for name, count in json.loads(process.stdout.readline()).items():
            setattr(arrived, name, count)

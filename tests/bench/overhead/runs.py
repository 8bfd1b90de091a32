"""One run: receivers, an app under gunicorn, the load, SIGTERM; what it took, and what has arrived."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tests.bench import peers, projects
from tests.bench.overhead import cores, load
from tests.bench.overhead.delivery import Arrived
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
class Run:
    """One server's life. CPU in seconds, memory in bytes."""

    load: Load
    sent: list[int]  # of each route, those that warm up included
    lengths: list[int]  # of each route's answer
    memory: int
    seconds: float  # of the whole life, for what X-Ray samples each second
    share_of_core: float  # that the server had under load: less than 1 when others disturbed it
    cpu_per_request: float  # from the first request to the end, which has sent all telemetry
    arrived: Arrived


def run(variant: str, folder: Path, seconds: int) -> Run:
    """Let one variant serve for some seconds."""
    with cores.bound_to(cores.others()), _Receivers() as receivers:
        environ = projects.surroundings(folder, Path(sys.executable).parent)
        app = _app(variant, {**environ, **_ORIGINS}, receivers.environ)
        with serving(*app, folder / "log") as server:
            lengths = load.lengths(server.port)
            at_start = server.cpu_seconds()
            warm_up = load.run(server.port, _WARM_UP)
            under_load = server.cpu_seconds()
            taken = load.run(server.port, seconds)
            under_load = server.cpu_seconds() - under_load
            memory = server.memory()
        arrived = receivers.stop()
    sent = [sum(counts) for counts in zip(warm_up.sent, taken.sent, strict=True)]
    return Run(
        load=taken,
        sent=[count + 1 for count in sent],
        lengths=lengths,
        memory=memory,
        seconds=warm_up.seconds + taken.seconds,
        share_of_core=under_load / taken.seconds,
        cpu_per_request=(server.whole_cpu_seconds - at_start) / sum(sent),
        arrived=arrived,
    )


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


class _Receivers:
    """All vendors' receivers in a process of their own, for as long as the block lasts."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.bench.overhead.receivers"),
            cwd=peers.ROOT,
            env={**os.environ, "PYTHONPATH": str(_BACKEND / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("no pipe")
        self.environ: dict[str, str] = json.loads(self._process.stdout.readline())
        return self

    def stop(self) -> Arrived:
        """End them, and return what has arrived."""
        counts = json.loads(self._process.communicate()[0])
        return Arrived(**{each.name: counts[each.name] for each in fields(Arrived)})

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

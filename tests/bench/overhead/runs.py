"""One run: receivers, an app under gunicorn, the load, SIGTERM; what it took, and what has arrived."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tests.bench import peers, projects
from tests.bench.overhead import cores, load, variants
from tests.bench.overhead.delivery import Arrived
from tests.bench.overhead.load import Load
from tests.bench.overhead.serve import serving

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


def run(variant: str, folder: Path, seconds: int, client: str) -> Run:
    """Let one variant serve for some seconds."""
    with cores.bound_to(cores.others()), _Receivers() as receivers:
        environ = projects.surroundings(folder, Path(sys.executable).parent)
        app = variants.folder(variant)
        environ |= variants.environ(variant, receivers.environ)
        with serving(app, environ, folder / "log") as server:
            lengths = load.lengths(server.port)
            at_start = server.cpu_seconds()
            warm_up = load.run(client, server.port, _WARM_UP)
            under_load = server.cpu_seconds()
            taken = load.run(client, server.port, seconds)
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


class _Receivers:
    """All vendors' receivers in a process of their own, for as long as the block lasts."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.bench.overhead.receivers"),
            cwd=peers.ROOT,
            env={**os.environ, "PYTHONPATH": str(variants.BACKEND / "tests")},
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

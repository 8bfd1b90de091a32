"""Measures what telemetry costs the backend: python -m tests.bench.overhead --help."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import peers, projects, scenarios
from tests.bench.measure import Spread
from tests.bench.overhead import cores, load
from tests.bench.overhead.load import Load
from tests.bench.overhead.serve import serving

BACKEND = peers.ROOT / "backend-flask"
JOURNAL = peers.HERE / "journal"


@dataclass
class Run:
    """One server's life."""

    load: Load
    warm: Load
    memory: int
    cpu_per_request: float
    cpu_under_load: float
    stop_seconds: float
    counts: dict[str, Any]


@contextmanager
def receivers(counts: dict[str, Any]) -> Iterator[dict[str, str]]:
    ours = cores.available()
    with cores.bound_to(ours[:-1]):
        process = subprocess.Popen(
            (sys.executable, "-m", "tests.bench.overhead.receivers"),
            cwd=peers.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        assert process.stdout
        assert process.stdin
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        counts.update(json.loads(process.stdout.readline()))


def run(variant: str, folder: Path, seconds: float) -> Run:
    counts: dict[str, Any] = {}
    with receivers(counts) as vendors:
        environ = projects.surroundings(folder, Path(sys.executable).parent)
        if variant != "off":
            environ |= vendors | {"OTEL_SERVICE_NAME": "backend-flask"}
        where, app = BACKEND, ("--config", "gunicorn.conf.py")
        if variant == "journal":
            where = JOURNAL
        with serving(where, app, environ, folder / "log") as server, cores.bound_to(cores.available()[:-1]):
            warm = load.run(server.port, 1)
            before = server.busy()
            taken = load.run(server.port, seconds)
            under = server.busy() - before
            memory = server.memory()
            start = time.monotonic()
        stop = time.monotonic() - start
    after = server.cpu_seconds
    return Run(
        taken,
        warm,
        memory,
        after / (taken.sent + warm.sent),
        under / taken.completed,
        stop,
        counts,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overhead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--variants", default="off,on")
    asked = parser.parse_args()
    variants = asked.variants.split(",")
    runs: dict[str, list[Run]] = {variant: [] for variant in variants}
    with scenarios.scratch() as folder:
        for turn in range(asked.rounds):
            order = variants[turn % len(variants) :] + variants[: turn % len(variants)]
            for variant in order:
                one = run(variant, folder, asked.seconds)
                runs[variant].append(one)
                print(
                    f"{turn} {variant:8} {one.load.per_second:7.0f}/s p50 {one.load.p50 * 1e3:6.2f} "
                    f"p99 {one.load.p99 * 1e3:6.2f} ms  CPU {one.cpu_under_load * 1e6:5.0f} us/request "
                    f"memory {one.memory / 2**20:.0f} MiB, stop {one.stop_seconds:.1f} s, "
                    f"sent {one.load.sent + one.warm.sent}: {one.counts}",
                    flush=True,
                )
    for variant in variants[1:]:
        pairs = list(zip(runs[variant], runs["off"], strict=True))
        for name, ratio in (
            ("requests per second", [a.load.per_second / b.load.per_second for a, b in pairs]),
            ("p50", [a.load.p50 / b.load.p50 for a, b in pairs]),
            ("p99", [a.load.p99 / b.load.p99 for a, b in pairs]),
            ("CPU per request", [a.cpu_under_load / b.cpu_under_load for a, b in pairs]),
            ("memory", [a.memory / b.memory for a, b in pairs]),
        ):
            s = Spread.of(ratio)
            print(f"{variant}/off {name}: {s.median:.2f} ({s.least:.2f} to {s.greatest:.2f})")


if __name__ == "__main__":
    main()

"""One run: receivers, the app under gunicorn, a fault, the load, SIGTERM."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from tests.bench import projects, scenarios
from tests.bench.faults.cases import HEALTHY, Case
from tests.bench.overhead import cores, load, variants
from tests.bench.overhead.load import MIX, Load, NoAnswerError, Route
from tests.bench.overhead.serve import serving

_WARM_UP = 1  # seconds
# Now and then an error that goes to Rollbar.
_MIX = (*MIX * 8, Route("GET /rollbar/test", 200, spans=1, log_lines=1))


@dataclass
class Run:
    """One server's life. Times in seconds, memory in bytes."""

    load: Load
    memory: int
    ending: float  # from SIGTERM to the end
    share_of_core: float  # that the server had under load: less than 1 when others disturbed it


def measure(cases: Sequence[Case], rounds: int, seconds: int = 4) -> dict[Case, list[Run]]:
    """Run every case and the healthy one once a round, each round in another order. Raises as `load.run`."""
    every = (HEALTHY, *cases)
    runs: dict[Case, list[Run]] = {case: [] for case in every}
    with scenarios.scratch() as folder:
        for turn in range(rounds):
            first = turn % len(every)
            for case in (*every[first:], *every[:first]):
                done = _run_again_if_stalled(case, folder, seconds)
                runs[case].append(done)
                _tell(
                    f"  {turn + 1} {case.title}: p99 {done.load.p99 * 1000:.1f} ms, end {done.ending:.1f} s"
                )
    return runs


def _run_again_if_stalled(case: Case, folder: Path, seconds: int) -> Run:
    """Run it, once more if the machine stood still; who never answers has a fault."""
    try:
        return _run(case, folder, seconds)
    except NoAnswerError as error:
        _tell(f"  {case.title}, again: {error}")
        return _run(case, folder, seconds)


def _run(case: Case, folder: Path, seconds: int) -> Run:
    client = load.default_client()
    with cores.bound_to(cores.others()), _Receivers() as receivers:
        environ = projects.surroundings(folder, Path(sys.executable).parent)
        environ |= variants.environ(variants.ON, case.environ(receivers.environ))
        with serving(variants.BACKEND, environ, folder / "log") as server:
            load.lengths(server.port)  # waits until it answers
            load.run(client, server.port, _WARM_UP, _MIX)
            receivers.tell(case.command)
            under_load = server.cpu_seconds()
            taken = load.run(client, server.port, seconds, _MIX)
            under_load = server.cpu_seconds() - under_load
            memory = server.memory()
            told = time.monotonic()
        ending = time.monotonic() - told
    return Run(taken, memory, ending, under_load / taken.seconds)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Receivers:
    """All vendors' receivers in a process of their own, for as long as the block lasts."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "receivers"),
            cwd=variants.BACKEND / "tests",
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.environ: dict[str, str] = self._answer()
        return self

    def tell(self, command: str) -> None:
        """Put a fault in force; return when it is."""
        stdin = _pipe(self._process.stdin)
        stdin.write(f"{command}\n")
        stdin.flush()
        self._answer()

    def _answer(self) -> dict[str, str]:
        answer: dict[str, str] = json.loads(_pipe(self._process.stdout).readline())
        return answer

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("no pipe")
    return pipe

"""How many calls it costs to copy secrets to SSM Parameter Store, beside the fewest that its API allows."""

import json
import math
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import peers, projects
from tests.secrets.parameter_store import Front, front, moto

SECRETS = 500
CHANGED = 25
_BATCH = 10  # names that GetParameters takes; PutParameter takes one


@dataclass(frozen=True)
class Step:
    """One run of the command: what it asked of AWS, and what that takes at least."""

    name: str
    calls: Mapping[str, int]
    fewest: Mapping[str, int]
    seconds: float


def copying(folder: Path) -> list[Step]:
    """Copy to an empty store, copy what is there already, and copy a few new values."""
    values = {f"SECRET_{number:03}": secrets.token_hex(16) for number in range(SECRETS)}
    declared = "".join(f'[secrets.{name}]\ndescription = "One of many"\n' for name in values)
    service = f'[services.api]\nimage = "made:up"\nport = 4567\nsecrets = {json.dumps(list(values))}\n'
    text = f'[project]\nname = "bench"\nregion = "eu-central-1"\n{service}{declared}'
    project = projects.make_project(folder / "project", text)
    remote = ("git", "remote", "add", "origin", "https://github.com/acme/bench.git")
    subprocess.run(remote, cwd=project, check=True)
    with moto() as backend, front(backend) as aws:
        environ = projects.surroundings(folder, Path(sys.executable).parent) | {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE0000BENCH",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_ENDPOINT_URL_SSM": aws.url,
        }
        bench = _Bench(aws, project, environ)
        return [
            bench.step(f"{SECRETS} new ones", values, SECRETS),
            bench.step(f"the same {SECRETS} again", values, 0),
            bench.step(f"{CHANGED} of {SECRETS} changed", values | _other(values), CHANGED),
        ]


def _other(values: Mapping[str, str]) -> dict[str, str]:
    """Replace a few, spread over all of them."""
    return {name: secrets.token_hex(16) for name in list(values)[:: SECRETS // CHANGED]}


@dataclass(frozen=True)
class _Bench:
    """Where the command runs, and what it talks to."""

    aws: Front
    project: Path
    environ: Mapping[str, str]

    def step(self, name: str, values: Mapping[str, str], written: int) -> Step:
        """Have `values` in the file, copy them, and count; AWS has all but `written` of them."""
        self._bootstrap("secrets", "import", "-", "--format", "json", "--store", "file", values=values)
        self.aws.calls.clear()
        start = time.perf_counter()
        self._bootstrap("secrets", "copy", "--from", "file", "--to", "ssm")
        seconds = time.perf_counter() - start
        reads = math.ceil(len(values) / _BATCH) + math.ceil(written / _BATCH)
        fewest = {"GetParameters": reads} | ({"PutParameter": written} if written else {})
        return Step(name, dict(self.aws.calls), fewest, seconds)

    def _bootstrap(self, *arguments: str, values: Mapping[str, str] | None = None) -> None:
        done = subprocess.run(
            (sys.executable, "-m", "bootstrap", *arguments),
            cwd=self.project,
            env={**self.environ, "PYTHONPATH": str(peers.ROOT)},
            input=json.dumps(values) if values else "",
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"bootstrap {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")


def failures(steps: Sequence[Step]) -> list[str]:
    """Say which step asked more than it had to."""
    return [f"{step.name}: {step.calls}, not {step.fewest}" for step in steps if step.calls != step.fewest]


def as_data(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Everything, in calls and seconds."""
    return [asdict(step) for step in steps]


def as_markdown(steps: Sequence[Step]) -> str:
    """One line for each kind of call."""
    lines = ["| copied to SSM | call | made | fewest | seconds |", "|---|---|--:|--:|--:|"]
    for step in steps:
        for call in sorted(step.calls.keys() | step.fewest.keys()):
            made, fewest = step.calls.get(call, 0), step.fewest.get(call, 0)
            lines.append(f"| {step.name} | {call} | {made} | {fewest} | {step.seconds:.1f} |")
    return "\n".join(lines)

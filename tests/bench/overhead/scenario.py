"""Lets the variants serve in turn."""

import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from tests.bench import scenarios
from tests.bench.overhead.delivery import lost
from tests.bench.overhead.load import MIX, NoAnswerError, default_client
from tests.bench.overhead.runs import Run, run
from tests.bench.overhead.variants import COMPARED, OFF, ON

_DIFFERENCE = 0.05  # between the lengths of two apps' answers


def overhead(
    rounds: int, seconds: int = 4, variants: Sequence[str] = COMPARED, client: str | None = None
) -> dict[str, list[Run]]:
    """Measure every variant once a round, each round in another order. Raises as `run` does."""
    runs: dict[str, list[Run]] = {variant: [] for variant in variants}
    with scenarios.scratch() as folder:
        for turn in range(rounds):
            first = turn % len(variants)
            for variant in (*variants[first:], *variants[:first]):
                runs[variant].append(_run(variant, folder, seconds, client or default_client()))
                _tell(turn, variant, runs[variant][-1], folder / "log")
    _check_answers(runs)
    return runs


def _run(variant: str, folder: Path, seconds: int, client: str) -> Run:
    """Run it, once more if the machine stood still; who never answers has a fault."""
    try:
        return run(variant, folder, seconds, client)
    except NoAnswerError as error:
        print(f"  {variant}, again: {error}", file=sys.stderr, flush=True)
        return run(variant, folder, seconds, client)


def _tell(turn: int, variant: str, done: Run, log: Path) -> None:
    load = done.load
    print(
        f"  {turn + 1} {variant}: {load.per_second:.0f}/s, p50 {load.p50 * 1000:.1f} ms, "
        f"p99 {load.p99 * 1000:.1f} ms, CPU {done.cpu_per_request * 1e6:.0f} µs a request, "
        f"{done.share_of_core:.0%} of its core",
        file=sys.stderr,
        flush=True,
    )
    if variant == ON and (missing := lost(done.sent, done.seconds, done.arrived)):
        end = log.read_text(errors="replace")[-2000:]
        print(f"    {'; '.join(missing)}. The server's log ends with:\n{end}", file=sys.stderr, flush=True)


def _check_answers(runs: dict[str, list[Run]]) -> None:
    """Make sure that all variants do the same work, errors aside: the journal's are HTML."""
    for variant, of in runs.items():
        for ours, theirs, route in zip(of[0].lengths, runs.get(OFF, of)[0].lengths, MIX, strict=True):
            if route.status == HTTPStatus.OK and abs(ours - theirs) > _DIFFERENCE * theirs:
                raise RuntimeError(f"{route.line}: {ours} bytes ({variant}) against {theirs}")

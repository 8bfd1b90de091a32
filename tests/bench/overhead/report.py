"""What telemetry costs, as Markdown and as data; whether all of it came, at a cost within limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.measure import Spread, pairwise
from tests.bench.overhead import cores, load
from tests.bench.overhead.delivery import lost
from tests.bench.overhead.runs import Run
from tests.bench.overhead.variants import OFF, ON, TITLES

_UNDISTURBED = 0.9  # of a core: this much a busy server gets when nothing else wants it
_ENOUGH = 3  # rounds
_LEAST_PER_SECOND, _LARGEST_P99 = 0.6, 2.5

Runs = Mapping[str, Sequence[Run]]

_MEASURES: dict[str, tuple[Callable[[Run], float], float]] = {
    "requests/s": (lambda run: run.load.per_second, 1),
    "p50 ms": (lambda run: run.load.p50, 1000),
    "p99 ms": (lambda run: run.load.p99, 1000),
    "CPU µs/request": (lambda run: run.cpu_per_request, 1e6),
    "worker MiB": (lambda run: float(run.memory), 1 / 2**20),
}


def ratios(runs: Runs, variant: str) -> dict[str, Spread]:
    """Each measure of that variant to the same one with telemetry off, round by round that counts."""
    ours, theirs = ([runs[each][turn] for turn in rounds(runs)] for each in (variant, OFF))
    return {
        name: pairwise([of(run) for run in ours], [of(run) for run in theirs])
        for name, (of, _) in _MEASURES.items()
    }


def rounds(runs: Runs) -> Sequence[int]:
    """The rounds in which no server had to share its core; all of them, if there are too few such."""
    every = range(min(map(len, runs.values()), default=0))
    quiet = [turn for turn in every if all(of[turn].share_of_core >= _UNDISTURBED for of in runs.values())]
    return quiet if len(quiet) >= _ENOUGH else every


def failures(runs: Runs) -> list[str]:
    """Say what is wrong with the variant that has everything on: lost telemetry, and limits passed."""
    found = [why for run in runs.get(ON, ()) for why in lost(run.sent, run.seconds, run.arrived)]
    if ON in runs and OFF in runs:
        against = ratios(runs, ON)
        if against["requests/s"].median < _LEAST_PER_SECOND:
            found.append(f"requests/s: below {_LEAST_PER_SECOND} of what they are with telemetry off")
        if against["p99 ms"].median > _LARGEST_P99:
            found.append(f"p99: above {_LARGEST_P99} times what it is with telemetry off")
    return found


def as_data(runs: Runs) -> dict[str, Any]:
    """Everything, in seconds, bytes and ratios."""
    return {
        "runs": {variant: [asdict(run) for run in of] for variant, of in runs.items()},
        "ratios": {
            variant: {name: asdict(spread) for name, spread in ratios(runs, variant).items()}
            for variant in runs
            if variant != OFF and OFF in runs
        },
        "failures": failures(runs),
    }


def as_markdown(runs: Runs) -> str:
    """Two tables and a verdict."""
    lines = [
        "| telemetry, against the same app without | " + " | ".join(_MEASURES) + " |",
        "|---|" + "--:|" * len(_MEASURES),
        f"| limits | at least {_LEAST_PER_SECOND} | | at most {_LARGEST_P99} | | |",
    ]
    for variant in runs:
        if variant != OFF and OFF in runs:
            columns = " | ".join(_spread(spread) for spread in ratios(runs, variant).values())
            lines.append(f"| {TITLES[variant]} | {columns} |")
    lines += [
        "",
        f"| {_how(runs)} | " + " | ".join(_MEASURES) + " | arrived |",
        "|---|" + "--:|" * len(_MEASURES) + "---|",
    ]
    for variant, of in runs.items():
        columns = " | ".join(
            _spread(Spread.of([measure(run) * factor for run in of]), digits=1 if factor > 1 else 0)
            for measure, factor in _MEASURES.values()
        )
        lines.append(f"| {TITLES[variant]} | {columns} | {_arrived(of)} |")
    disturbed = sum(run.share_of_core < _UNDISTURBED for of in runs.values() for run in of)
    if disturbed:
        counted = f"{len(rounds(runs))} of {len(next(iter(runs.values())))} rounds count for the ratios"
        lines += [
            "",
            f"In {disturbed} runs the server had less than {_UNDISTURBED:.0%} of a core: {counted}.",
        ]
    lines += ["", *(f"FAIL: {why}" for why in failures(runs))]
    return "\n".join(lines).rstrip()


def _how(runs: Runs) -> str:
    client = next(iter(runs.values()))[0].load.client
    where = "the server on a core of its own" if cores.servers() else "all on the same cores"
    return f"{client}, {load.CONNECTIONS} connections, {where}"


def _arrived(of: Sequence[Run]) -> str:
    spans, segments, lines = (
        sum(getattr(run.arrived, name) for run in of) for name in ("spans", "segments", "log_lines")
    )
    return f"{spans} spans, {segments} segments, {lines} lines of {sum(sum(run.sent) for run in of)} requests"


def _spread(spread: Spread, digits: int = 2) -> str:
    return " ".join(
        (
            f"{spread.median:.{digits}f}",
            f"({spread.least:.{digits}f} to {spread.greatest:.{digits}f})",
        )
    )

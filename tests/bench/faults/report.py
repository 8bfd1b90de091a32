"""What outages cost, as Markdown and as data; whether it is within the limit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.faults.cases import HEALTHY, Case
from tests.bench.faults.runs import Run
from tests.bench.measure import Spread, pairwise

_UNDISTURBED = 0.9  # of a core
_ENOUGH = 3  # rounds
_LARGEST_P99 = 1.5

Runs = Mapping[Case, Sequence[Run]]


def failures(runs: Runs) -> list[str]:
    """Say which cases pass the limit."""
    return [
        f"{case.title}: p99 is above {_LARGEST_P99} times what it is when all is well"
        for case in runs
        if _p99(runs, case).median > _LARGEST_P99
    ]


def as_data(runs: Runs) -> dict[str, Any]:
    """Everything, in seconds, bytes and ratios."""
    return {
        "runs": {case.title: [asdict(run) for run in of] for case, of in runs.items()},
        "p99": {case.title: asdict(_p99(runs, case)) for case in runs},
        "failures": failures(runs),
    }


def as_markdown(runs: Runs) -> str:
    """One table and a verdict. A request that fails ends the measurement: there is none in a table."""
    lines = [
        "| vendors | p99, to all well | requests/s, to all well | p99 ms | requests | worker MiB | end s |",
        "|---|--:|--:|--:|--:|--:|--:|",
        f"| limit | at most {_LARGEST_P99} | | | | | |",
    ]
    for case, of in runs.items():
        columns = (
            _spread(_p99(runs, case), 2),
            _spread(_per_second(runs, case), 2),
            _spread(Spread.of([run.load.p99 * 1000 for run in of]), 1),
            str(sum(run.load.answered for run in of)),
            _spread(Spread.of([run.memory / 2**20 for run in of]), 0),
            _spread(Spread.of([run.ending for run in of]), 1),
        )
        lines.append(f"| {case.title} | {' | '.join(columns)} |")
    disturbed = sum(run.share_of_core < _UNDISTURBED for of in runs.values() for run in of)
    if disturbed:
        lines += ["", f"In {disturbed} runs the server had less than {_UNDISTURBED:.0%} of a core."]
    lines += ["", *(f"FAIL: {why}" for why in failures(runs))]
    return "\n".join(lines).rstrip()


def _p99(runs: Runs, case: Case) -> Spread:
    ours, theirs = _pairs(runs, case)
    return pairwise([run.load.p99 for run in ours], [run.load.p99 for run in theirs])


def _per_second(runs: Runs, case: Case) -> Spread:
    ours, theirs = _pairs(runs, case)
    return pairwise([run.load.per_second for run in ours], [run.load.per_second for run in theirs])


def _pairs(runs: Runs, case: Case) -> tuple[list[Run], list[Run]]:
    """This case's runs, and the healthy ones of the same rounds: those in which neither shared its core."""
    every = list(zip(runs[case], runs[HEALTHY], strict=True))
    quiet = [pair for pair in every if all(run.share_of_core >= _UNDISTURBED for run in pair)]
    ours, theirs = zip(*(quiet if len(quiet) >= _ENOUGH else every), strict=True)
    return list(ours), list(theirs)


def _spread(spread: Spread, digits: int) -> str:
    return f"{spread.median:.{digits}f} ({spread.least:.{digits}f} to {spread.greatest:.{digits}f})"

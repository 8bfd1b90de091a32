"""Measures speed and memory against named peers: `make bench`, or python -m tests.bench --help."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.bench import collector, copying, provisioning, questions, report, scenarios, starting
from tests.bench.faults import report as faults_report
from tests.bench.faults.cases import FAULTS, Case
from tests.bench.faults.runs import measure
from tests.bench.overhead import report as overhead_report
from tests.bench.overhead.scenario import overhead
from tests.bench.scan import scan
from tests.bench.tags import tags

_SCENARIOS = {
    "help": scenarios.startup,
    "run": scenarios.run,
    "renderer": scenarios.renderer,
    "render": scenarios.render,
    "scan": scan,
    "tags": tags,
}


T = TypeVar("T")

_OTHERS = ("growth", "copying", "provision", "up", "ingest", "idle", "questions", "overhead", "faults")


def main() -> None:
    """Measure what was asked for, and print it; exit with 1 for what costs too much, or loses telemetry."""
    names = (*_SCENARIOS, *_OTHERS)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--runs",
        type=int,
        default=20,
        help="turns of each comparison (20); overhead and faults: a third; scan: at most 2",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"{', '.join(names)}; all")
    asked = parser.parse_args()
    if unknown := set(asked.only) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    wanted = asked.only or names
    results: list[scenarios.Result] = []
    for name, scenario in _SCENARIOS.items():
        if name in wanted:
            print(f"measuring {name} ...", file=sys.stderr)
            with scenarios.scratch() as folder:
                results += scenario(folder, asked.runs)
    growth = _alone("growth", wanted, lambda folder: scenarios.growth(folder, asked.runs))
    copied = _alone("copying", wanted, copying.copying) or []
    provisioned = _alone("provision", wanted, lambda _: provisioning.planning(asked.runs))
    started = _alone("up", wanted, lambda folder: starting.starting(folder, asked.runs))
    load = _alone("ingest", wanted, collector.ingest)
    rest = _alone("idle", wanted, collector.idle)
    costs: overhead_report.Runs = {}
    if "overhead" in wanted:
        print("measuring overhead ...", file=sys.stderr)
        costs = overhead(max(3, asked.runs // 3))
    outages: faults_report.Runs = {}
    if "faults" in wanted:
        print("measuring faults ...", file=sys.stderr)
        outages = measure([Case(fault=fault) for fault in FAULTS], max(3, asked.runs // 3))
    answered = _alone("questions", wanted, lambda folder: questions.questions(folder, asked.runs))
    if asked.json:
        data = report.as_data(results, growth)
        data |= {"overhead": overhead_report.as_data(costs), "faults": faults_report.as_data(outages)}
        data |= {"copying": copying.as_data(copied), "up": starting.as_data(started)}
        data |= {"questions": questions.as_data(answered), "provision": provisioning.as_data(provisioned)}
        data |= {"collector": collector.as_data(load, rest)}
        print(json.dumps(data, indent=2))
    else:
        tables = [report.as_markdown(results, growth)] if results or growth else []
        tables += [copying.as_markdown(copied)] if copied else []
        tables += [provisioning.as_markdown(provisioned)] if provisioned else []
        tables += [starting.as_markdown(started)] if started else []
        tables += [collector.as_markdown(load, rest)] if load or rest else []
        tables += [overhead_report.as_markdown(costs)] if costs else []
        tables += [faults_report.as_markdown(outages)] if outages else []
        tables += [questions.as_markdown(answered)] if answered else []
        print("\n\n".join(tables))
    failed = (
        copying.failures(copied)
        + provisioning.failures(provisioned)
        + starting.failures(started)
        + collector.failures(load)
        + overhead_report.failures(costs)
        + faults_report.failures(outages)
        + (questions.failures(answered) if answered else [])
    )
    sys.exit(1 if failed else 0)


def _alone(name: str, wanted: Sequence[str], measured: Callable[[Path], T]) -> T | None:
    """Measure in a folder of its own what is not a comparison of two commands, if it is wanted."""
    if name not in wanted:
        return None
    print(f"measuring {name} ...", file=sys.stderr)
    with scenarios.scratch() as folder:
        return measured(folder)


if __name__ == "__main__":
    main()

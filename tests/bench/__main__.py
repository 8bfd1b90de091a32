"""Measures speed and memory against named peers: `make bench`, or python -m tests.bench --help."""

import argparse
import json
import sys
from typing import Any

from tests.bench import report, scenarios

_SCENARIOS = {
    "help": scenarios.startup,
    "run": scenarios.run,
    "renderer": scenarios.renderer,
    "render": scenarios.render,
}


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="turns of each comparison (20)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"{', '.join((*_SCENARIOS, 'growth'))}; all")
    asked = parser.parse_args()
    unknown = set(asked.only) - {*_SCENARIOS, "growth"}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    results: list[scenarios.Result] = []
    for name, scenario in _SCENARIOS.items():
        if not asked.only or name in asked.only:
            print(f"measuring {name} ...", file=sys.stderr)
            with scenarios.scratch() as folder:
                results += scenario(folder, asked.runs)
    growth: dict[str, Any] | None = None
    if not asked.only or "growth" in asked.only:
        print("measuring growth ...", file=sys.stderr)
        with scenarios.scratch() as folder:
            growth = scenarios.growth(folder, asked.runs)
    if asked.json:
        print(json.dumps(report.as_data(results, growth), indent=2))
    else:
        print(report.as_markdown(results, growth))


if __name__ == "__main__":
    main()

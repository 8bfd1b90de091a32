"""What outages cost the requests: python -m tests.bench.faults --help."""

import argparse
import json
import sys

from tests.bench.faults import report
from tests.bench.faults.cases import ALL, FAULTS, VENDORS, Case
from tests.bench.faults.runs import measure


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each case runs (5)")
    parser.add_argument("--seconds", type=int, default=4, help="for how long, each time (4)")
    parser.add_argument("--alone", action="store_true", help="each vendor alone, too")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("fault", nargs="*", help=f"{', '.join(FAULTS)}; all")
    asked = parser.parse_args()
    if unknown := set(asked.fault) - set(FAULTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    vendors = (ALL, *VENDORS) if asked.alone else (ALL,)
    cases = [Case(vendor, fault) for vendor in vendors for fault in asked.fault or FAULTS]
    runs = measure(cases, asked.rounds, asked.seconds)
    print(json.dumps(report.as_data(runs), indent=2) if asked.json else report.as_markdown(runs))
    sys.exit(1 if report.failures(runs) else 0)


if __name__ == "__main__":
    main()

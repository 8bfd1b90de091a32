"""Only the cost of telemetry, with more to choose: python -m tests.bench.overhead --help."""

import argparse
import json
import sys

from tests.bench.overhead import report
from tests.bench.overhead.load import CLIENTS, default_client
from tests.bench.overhead.scenario import overhead
from tests.bench.overhead.variants import COMPARED, TITLES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overhead", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each variant serves (5)")
    parser.add_argument("--seconds", type=int, default=4, help="for how long, each time (4)")
    parser.add_argument("--client", choices=CLIENTS, default=default_client(), help="what sends the requests")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("variant", nargs="*", help=f"{', '.join(TITLES)}; the first three")
    asked = parser.parse_args()
    unknown = set(asked.variant) - set(TITLES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    runs = overhead(asked.rounds, asked.seconds, asked.variant or COMPARED, asked.client)
    print(json.dumps(report.as_data(runs), indent=2) if asked.json else report.as_markdown(runs))
    sys.exit(1 if report.failures(runs) else 0)


if __name__ == "__main__":
    main()

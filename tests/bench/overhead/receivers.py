"""The backend tests' receivers, with X-Ray's rule as this project provisions it, in a process of their own.

Prints the variables that lead to them, in JSON, and what has arrived once its input ends. Nothing is kept.
"""

import json
import sys

from receivers.vendors import AllVendors
from receivers.xray import sampling_rule
from tests.bench.overhead.delivery import RATE, RESERVOIR


def main() -> None:
    """Receive until the input ends."""
    with AllVendors(keep=False) as vendors:
        vendors.xray.rules = [sampling_rule("bench", reservoir=RESERVOIR, rate=RATE)]
        print(json.dumps(vendors.environ), flush=True)
        sys.stdin.read()
    print(json.dumps(vendors.counts()), flush=True)


if __name__ == "__main__":
    main()

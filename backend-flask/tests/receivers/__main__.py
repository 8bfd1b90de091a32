"""All four receivers in a process of their own, which counts what arrives and keeps none of it.

`python -m receivers`, in the folder that holds this package, prints one line: the backend's environment, in
JSON. It prints another with what has arrived when it is told to stop, by SIGTERM or the end of its input.
A line of input such as `rollbar black hole`, `all slow 5` or `all healthy` puts a fault in force, an empty
one changes nothing; either is answered with a line of what has arrived so far.
"""

import json
import signal
import sys
from typing import Any

from receivers.faults import BY_NAME, slow
from receivers.vendors import AllVendors


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with AllVendors(keep=False) as vendors:
        _say(vendors.environ)
        try:
            for line in sys.stdin:
                _obey(vendors, line.strip())
                _say(vendors.counts())
        except KeyboardInterrupt:
            pass
    _say(vendors.counts())


def _obey(vendors: AllVendors, line: str) -> None:
    if not line:
        return
    vendor, _, name = line.partition(" ")
    kind, _, seconds = name.partition(" ")
    fault = slow(float(seconds)) if kind == "slow" else BY_NAME[name]
    for each, receiver in vendors.by_name.items():
        if vendor in {each, "all"}:
            receiver.fault = fault


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

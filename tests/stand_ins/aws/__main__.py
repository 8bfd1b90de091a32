"""The stand-in as a program of its own, for containers and other tools: python -m tests.stand_ins.aws.

Prints one line of JSON once it listens: `url`, `account`, `endpoints` (variables for an SDK) and `keys` (of a
user who may do everything). It ends with SIGTERM, SIGINT, or when its standard input ends.
"""

import argparse
import json
import signal
import sys

from tests.stand_ins.aws.server import Aws


def main() -> None:
    """Answer until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.stand_ins.aws", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen at; 0.0.0.0 for containers"
    )
    parser.add_argument("--port", type=int, default=0, help="by default one that is free")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Aws(asked.host, asked.port) as aws:
        account = aws.account()
        said = {
            "url": aws.url,
            "account": account.id,
            "endpoints": aws.environ,
            "keys": account.user("administrator"),
        }
        print(json.dumps(said), flush=True)  # noqa: T201 - what it is for
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

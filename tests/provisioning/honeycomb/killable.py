"""Applies in processes that may be killed, each begun in a moment: everything is imported once, here.

Reads lines of JSON: {"key", "url"} begins a process, whose id is the answer, and any line after that lets it
go; its exit status is the last answer.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from tests.provisioning.honeycomb.scenario import Someone

#: what a command imports only when it is needed
_LATE = ("urllib3", "bootstrap.provisioning.honeycomb.resources", "bootstrap.vendors.keys.honeycomb")


def main() -> None:
    for name in _LATE:
        import_module(name)
    for line in sys.stdin:
        waits, goes = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(waits, 1)
            Someone(**json.loads(line)).carry_out()
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - an answer
        sys.stdin.readline()
        os.write(goes, b".")
        os.close(waits)
        os.close(goes)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - an answer


if __name__ == "__main__":
    main()

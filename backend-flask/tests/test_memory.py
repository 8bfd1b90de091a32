"""Memory, while nothing can be delivered."""

import os
from collections.abc import Callable

import psutil
import pytest

from outage import reporting
from receivers import BLACK_HOLE, REFUSED, Fault

REQUESTS = 500 * int(os.environ.get("BOOTSTRAP_SOAK", "1"))
# The buffers hold 8,192 spans, 10,000 log lines and 200 items, each a few kilobytes at most.
MOST = {"honeycomb": 8_192, "cloudwatch": 10_000, "rollbar": 200}
BUFFERS = 80 << 20  # bytes
# What else may grow: caches, and what the allocator keeps.
GROWTH = 25 << 20


@pytest.mark.soak
@pytest.mark.parametrize("fault", [BLACK_HOLE, pytest.param(REFUSED, marks=pytest.mark.slow)], ids=str)
def test_an_outage_costs_no_more_memory_than_the_buffers(
    fault: Fault, record_property: Callable[[str, object], None]
) -> None:
    with reporting() as backend:
        backend.wait_for(backend.traffic.greet())
        (worker,) = psutil.Process(backend.server.pid).children()
        before = worker.memory_info().rss
        sizes = []
        with backend.failing(fault):
            for _ in range(10):
                backend.traffic.send(REQUESTS // 10)
                sizes.append(worker.memory_info().rss - before)
            record_property("MiB", [before >> 20, *(size >> 20 for size in sizes)])
            accounts = backend.accounts()
            assert all(accounts[vendor].waiting <= most for vendor, most in MOST.items())
            assert max(sizes) < BUFFERS, sizes
            assert sizes[-1] - sizes[1] < GROWTH, sizes  # all buffers are full after two of ten parts
        backend.settle()  # there has to be room for what comes now
        backend.wait_for(backend.traffic.greet())
        backend.check_log()

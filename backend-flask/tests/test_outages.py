"""Vendors that fail while the backend serves: no request notices, nothing is lost unseen, and it passes."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from outage import VENDORS, Accounts, Backend, reporting
from receivers import BLACK_HOLE, BROKEN, PATIENCE, REFUSED, THROTTLED, UNAUTHORIZED, Fault, slow

WITH_ANSWERS = ("honeycomb", "cloudwatch", "rollbar")  # X-Ray's segments go over UDP, where nobody answers
FAULTS = (REFUSED, BLACK_HOLE, THROTTLED, BROKEN, UNAUTHORIZED, slow(30))
REQUESTS = 240
# The exporter's attempts take 10 seconds, Rollbar's 34 when each one times out, and CloudWatch's 50.
UNTIL_GIVEN_UP = 120.0

every_fault = pytest.mark.parametrize("fault", FAULTS, ids=str)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with reporting() as running:
        yield running


@pytest.fixture(scope="module")
def backends() -> Iterator[dict[str, Backend]]:
    """One for each vendor, which only that one fails."""
    with ExitStack() as cleanup, ThreadPoolExecutor() as starters:
        started = starters.map(cleanup.enter_context, [reporting() for _ in VENDORS])
        yield dict(zip(VENDORS, started, strict=True))


def live_through(backend: Backend, fault: Fault, failing: Sequence[str]) -> None:
    """A short outage."""
    others = [name for name in VENDORS if name not in failing]
    backend.wait_for(backend.traffic.greet())
    before = backend.settle()
    with backend.failing(fault, failing):
        backend.traffic.send(REQUESTS)
        backend.wait_for(backend.traffic.greet(), others)
        backend.accounts()
    backend.wait_for(backend.traffic.greet())
    after = backend.settle()
    for name in others:
        assert after[name].dropped == before[name].dropped
    backend.check_log()


@every_fault
def test_all_vendors_fail_for_a_moment(backend: Backend, fault: Fault) -> None:
    live_through(backend, fault, VENDORS)


@pytest.mark.slow
@every_fault
def test_one_vendor_fails_for_a_moment(backends: dict[str, Backend], fault: Fault) -> None:
    with ThreadPoolExecutor() as pool:
        for case in [pool.submit(live_through, backends[vendor], fault, [vendor]) for vendor in VENDORS]:
            case.result()


def test_sigterm_ends_it_in_time_and_the_log_says_what_is_lost() -> None:
    with reporting() as backend:
        backend.wait_for(backend.traffic.greet())
        with backend.failing(BLACK_HOLE):
            backend.traffic.send(REQUESTS)
            backend.accounts()
            end_in_time(backend)


def end_in_time(backend: Backend) -> float:
    """Stop it while vendors fail; answer how long that took, in seconds."""
    started = time.monotonic()
    assert backend.server.stop(signal.SIGTERM) == 0
    seconds = time.monotonic() - started
    assert seconds < 9.5  # Compose kills it after ten
    log = "".join(backend.server.log())
    for vendor, noun in (("honeycomb", "spans"), ("cloudwatch", "log lines"), ("rollbar", "items")):
        *_, last = re.findall(rf"{vendor}: (\d+) {noun} dropped so far", log)
        arrived = backend.vendors.by_name[vendor].inbox.count
        assert arrived + int(last) >= backend.traffic.due.of[vendor]
    backend.check_log()
    return seconds


@dataclass(frozen=True)
class Story:
    """What came of a long outage. Times in seconds."""

    during: Accounts
    resumed: float
    after: Accounts
    later: Accounts
    exit: float


def live_long_with(fault: Fault) -> Story:
    """All vendors fail until they have cost telemetry, work again, and fail once more while it ends."""
    with reporting() as backend:
        backend.wait_for(backend.traffic.greet())
        with backend.failing(fault):
            backend.traffic.send(REQUESTS)
            during = backend.wait_until(
                lambda accounts: all(accounts[name].dropped for name in WITH_ANSWERS),
                "all vendors to be given up",
                UNTIL_GIVEN_UP,
            )
            backend.traffic.send(REQUESTS)
            backend.accounts()
        lifted = time.monotonic()
        backend.wait_for(backend.traffic.greet())
        resumed = time.monotonic() - lifted
        after = backend.settle()
        backend.traffic.send(REQUESTS)
        backend.wait_for(backend.traffic.greet())
        later = backend.settle()
        with backend.failing(fault):
            backend.traffic.send(REQUESTS)
            exit_time = end_in_time(backend)
        return Story(during, resumed, after, later, exit_time)


@pytest.fixture(scope="module")
def stories() -> Iterator[dict[Fault, Future[Story]]]:
    """Every fault at once: they are mostly waiting."""
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        yield {fault: pool.submit(live_long_with, fault) for fault in FAULTS}


@pytest.mark.slow
@every_fault
def test_all_vendors_fail_for_long(
    stories: dict[Fault, Future[Story]], fault: Fault, record_property: Callable[[str, object], None]
) -> None:
    story = stories[fault].result()
    for name in WITH_ANSWERS:
        assert story.during[name].last_failure
        assert story.later[name].dropped == story.after[name].dropped
        assert story.later[name].sent > story.after[name].sent
    # Where the port is closed, the kernel says so. What falls into a black hole over UDP is seen by nobody,
    # and the other faults are those of the daemon's TCP side.
    assert bool(story.during["xray"].dropped) == (fault == REFUSED)
    assert story.resumed < PATIENCE
    record_property("resumed", story.resumed)
    record_property("exit", story.exit)

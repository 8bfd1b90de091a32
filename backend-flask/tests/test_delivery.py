"""The buffer that each vendor's telemetry waits in, and the account that is kept of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from observability.delivery import Account, Delivery
from receivers import PATIENCE

LONG = 600.0  # seconds between two batches, which no test waits for
Send = Callable[[list[int]], str | None]


@pytest.fixture
def deliver() -> Iterator[Callable[..., Delivery[int, int]]]:
    with ExitStack() as cleanup:

        def start(send: Send, prepare: Callable[[int], int] = int, **sizes: Any) -> Delivery[int, int]:
            sizes = {"most": 1000, "batch": 100, "seconds": LONG, **sizes}
            delivery = Delivery(Account("made up", "things"), prepare, send, **sizes)
            cleanup.callback(delivery.stop, PATIENCE)
            return delivery

        yield start


def totals(delivery: Delivery[int, int]) -> tuple[object, object, object]:
    report = delivery.report()
    return report["sent"], report["dropped"], report["waiting"]


class Blocked:
    """A vendor that takes a batch and does not answer until it is told to."""

    def __init__(self) -> None:
        self.got_one, self.go_on = threading.Event(), threading.Event()

    def send(self, _batch: list[int]) -> None:
        self.got_one.set()
        assert self.go_on.wait(PATIENCE)


def test_what_waits_is_sent_in_batches_and_in_order(deliver: Callable[..., Delivery[int, int]]) -> None:
    batches: list[list[int]] = []
    delivery = deliver(batches.append)
    for number in range(250):
        delivery.put(number)
    assert totals(delivery) == (0, 0, 250)
    assert delivery.flush(PATIENCE)
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert sum(batches, []) == list(range(250))  # noqa: RUF017 - three lists
    assert totals(delivery) == (250, 0, 0)


def test_nobody_has_to_ask_for_a_batch(deliver: Callable[..., Delivery[int, int]]) -> None:
    sent = threading.Event()
    deliver(lambda _: sent.set(), seconds=0.05).put(1)
    assert sent.wait(PATIENCE)


def test_stop_sends_all_that_was_put_before(deliver: Callable[..., Delivery[int, int]]) -> None:
    arrived: list[int] = []
    delivery = deliver(arrived.extend)
    for number in range(777):
        delivery.put(number)
    delivery.stop(PATIENCE)
    assert arrived == list(range(777))
    delivery.put(777)
    assert delivery.flush(PATIENCE) is False
    assert totals(delivery) == (777, 1, 0)


def test_the_buffer_is_bounded(deliver: Callable[..., Delivery[int, int]]) -> None:
    vendor = Blocked()
    delivery = deliver(vendor.send, most=500, seconds=0.01)
    delivery.put(0)
    assert vendor.got_one.wait(PATIENCE)
    for number in range(1, 10_000):
        delivery.put(number)
    assert totals(delivery) == (0, 9500, 500)
    assert delivery.report()["last_failure"] == "too many were waiting already"
    vendor.go_on.set()
    delivery.stop(PATIENCE)
    assert totals(delivery) == (500, 9500, 0)


def test_the_account_adds_up_with_many_threads_and_failures(
    deliver: Callable[..., Delivery[int, int]],
) -> None:
    arrived: list[int] = []
    tries = iter(range(1_000_000))

    def send(batch: list[int]) -> str | None:
        match next(tries) % 4:
            case 1:
                return "HTTP 429"
            case 2:
                raise ConnectionError("made up")
        arrived.extend(batch)
        return None

    def prepare(number: int) -> int:
        return number // (number % 100)  # which fails for one in a hundred

    delivery = deliver(send, prepare, most=300, batch=10, seconds=0.001)

    def put_many() -> None:
        for number in range(5000):
            delivery.put(number)

    threads = [threading.Thread(target=put_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivery.stop(PATIENCE)
    report: Any = delivery.report()
    assert report["sent"] + report["dropped"] == 40_000
    assert report["waiting"] == 0
    assert report["sent"] == len(arrived) > 0


@pytest.mark.parametrize("failure", ["HTTP 500", ConnectionError("made up: a value")])
def test_after_a_failure_the_next_batch_is_sent(
    deliver: Callable[..., Delivery[int, int]], failure: str | Exception
) -> None:
    failures = [failure]
    arrived: list[int] = []

    def send(batch: list[int]) -> str | None:
        if failures:
            reason = failures.pop()
            if isinstance(reason, Exception):
                raise reason
            return reason
        arrived.extend(batch)
        return None

    delivery = deliver(send)
    for number in (1, 2):
        delivery.put(number)
        assert delivery.flush(PATIENCE)
    assert arrived == [2]
    assert totals(delivery) == (1, 1, 0)
    assert delivery.report()["last_failure"] in {"HTTP 500", "ConnectionError"}


def test_one_that_cannot_be_prepared_costs_no_other(deliver: Callable[..., Delivery[int, int]]) -> None:
    arrived: list[int] = []
    delivery = deliver(arrived.extend, lambda number: 10 // number)
    for number in (5, 0, 2):
        delivery.put(number)
    delivery.flush(PATIENCE)
    assert arrived == [2, 5]
    assert totals(delivery) == (2, 1, 0)
    assert delivery.report()["last_failure"] == "one could not be prepared (ZeroDivisionError)"


def test_stop_keeps_its_deadline_and_closes_the_account(deliver: Callable[..., Delivery[int, int]]) -> None:
    vendor = Blocked()
    delivery = deliver(vendor.send, batch=10)
    for number in range(25):
        delivery.put(number)
    delivery.stop(0.1)
    assert vendor.got_one.wait(PATIENCE)
    assert totals(delivery) == (0, 25, 0)
    assert delivery.report()["last_failure"] == "the process ended first"
    vendor.go_on.set()
    delivery.stop(PATIENCE)  # it is too late for what arrives now to be counted again
    assert totals(delivery) == (0, 25, 0)


def test_the_log_says_what_is_dropped_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    account = Account("made up", "things")
    for _ in range(1000):
        account.dropped("HTTP 503", 2)
    (record,) = caplog.records
    assert record.getMessage() == "made up: 2 things dropped so far, last because HTTP 503"
    assert account.report() == {"sent": 0, "dropped": 2000, "last_failure": "HTTP 503"}

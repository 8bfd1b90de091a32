from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.storing.queues import ByteQueue


@given(st.lists(st.integers(0, 100)), st.integers(1, 200))
def test_never_more_than_the_limit_and_in_order(sizes: list[int], limit: int) -> None:
    queue: ByteQueue[int] = ByteQueue(limit)
    taken = [size for size in sizes if queue.offer(size, size)]
    assert sum(taken) <= max(limit, *taken[:1], 0)
    assert [queue.get_nowait() for _ in taken] == taken
    assert queue.get_nowait() is None


def test_a_full_queue_refuses_an_offer_and_makes_others_wait() -> None:
    queue: ByteQueue[str] = ByteQueue(10)
    queue.put("first", 8)
    assert not queue.offer("refused", 3)
    with ThreadPoolExecutor(1) as waiting:
        put = waiting.submit(queue.put, "second", 3)
        assert queue.get() == "first"
        put.result(30)
    assert queue.get() == "second"


def test_what_is_larger_than_the_queue_is_taken_alone() -> None:
    queue: ByteQueue[str] = ByteQueue(10)
    assert queue.offer("large", 99)
    assert not queue.offer("small", 1)


def test_the_end_comes_after_what_is_there() -> None:
    queue: ByteQueue[str] = ByteQueue(10)
    queue.put("last", 1)
    queue.close()
    assert (queue.get(), queue.get()) == ("last", None)


def test_closing_wakes_who_waits() -> None:
    queue: ByteQueue[str] = ByteQueue(10)
    with ThreadPoolExecutor(1) as waiting:
        got = waiting.submit(queue.get)
        queue.close()
        assert got.result(30) is None


def test_waiting_may_end() -> None:
    queue: ByteQueue[str] = ByteQueue(10)
    with pytest.raises(TimeoutError):
        queue.get(0)
    queue.put("there", 1)
    assert queue.get(0) == "there"
    queue.close()
    assert queue.get(0) is None

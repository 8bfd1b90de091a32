from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.telling.mailbox import Mailbox

PATIENCE = 30.0


@given(st.lists(st.binary(max_size=20)), st.integers(1, 5), st.integers(1, 40))
def test_the_newest_stay_and_the_rest_is_counted(events: list[bytes], most: int, size: int) -> None:
    async def fill() -> tuple[list[bytes], int] | None:
        mailbox = Mailbox(most, size)
        for event in events:
            mailbox.put(event)
        return await mailbox.take(0.01)

    taken = asyncio.run(fill())
    assert taken is not None
    kept, skipped = taken
    assert kept == events[len(events) - len(kept) :]
    assert len(kept) + skipped == len(events)
    assert len(kept) <= most
    assert len(kept) <= 1 or sum(map(len, kept)) <= size


def test_nothing_is_lost_between_a_thread_and_a_reader_that_keeps_up() -> None:
    async def read() -> list[bytes]:
        mailbox = Mailbox(10_000, 1 << 20)

        def write() -> None:
            for number in range(5_000):
                mailbox.put(b"%d" % number)
            mailbox.close()

        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(write)
            got: list[bytes] = []
            while (taken := await mailbox.take(PATIENCE)) is not None:
                assert taken[1] == 0
                got += taken[0]
            written.result(PATIENCE)
        return got

    assert asyncio.run(read()) == [b"%d" % number for number in range(5_000)]


def test_what_never_got_there_is_told_of() -> None:
    async def read() -> list[tuple[list[bytes], int] | None]:
        mailbox = Mailbox()
        mailbox.skip(3)
        mailbox.skip(4)
        first = await mailbox.take(PATIENCE)
        nothing = await mailbox.take(0.01)
        mailbox.close()
        return [first, nothing, await mailbox.take(PATIENCE)]

    assert asyncio.run(read()) == [([], 7), ([], 0), None]


def test_a_mailbox_whose_loop_is_gone_takes_events_all_the_same() -> None:
    async def make() -> Mailbox:
        return Mailbox()

    mailbox = asyncio.run(make())
    mailbox.put(b"late")
    mailbox.close()

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.telling.quiet import BUSY_SECONDS, QUIET_SECONDS, Quiet

IDS = st.sampled_from("abcdef")
#: what is touched, and after how many seconds the next one is; in eighths, which add up without rounding
TOUCHED = st.lists(st.tuples(IDS, st.integers(0, 24).map(lambda eighths: eighths / 8)))


@given(TOUCHED)
def test_each_is_taken_once_nothing_has_come_for_long_enough(touched: list[tuple[str, float]]) -> None:
    quiet, now = Quiet(), 0.0
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for trace_id, pause in touched:
        assert quiet.touch(trace_id, now)
        first.setdefault(trace_id, now)
        last[trace_id] = now
        now += pause
        for taken in quiet.take(now, 100):
            assert now - last[taken] >= QUIET_SECONDS or now - first[taken] >= BUSY_SECONDS
            del first[taken], last[taken]
        assert all(now - at < QUIET_SECONDS or now - first[name] >= BUSY_SECONDS for name, at in last.items())
    assert sorted(quiet.take(now + QUIET_SECONDS, 100)) == sorted(last)
    assert quiet.seconds_left(now) is None


@given(TOUCHED, st.integers(1, 4))
def test_no_more_are_waited_for_than_may_be(touched: list[tuple[str, float]], most: int) -> None:
    quiet = Quiet(most)
    kept = {trace_id for trace_id, _ in touched if quiet.touch(trace_id, 0.0)}
    assert len(kept) == min(most, len({trace_id for trace_id, _ in touched}))
    assert set(quiet.take(QUIET_SECONDS, most)) == kept


def test_one_that_is_never_quiet_is_told_all_the_same() -> None:
    quiet = Quiet()
    taken_at = []
    for tenths in range(200):
        now = tenths / 10
        quiet.touch("busy", now)
        taken_at += [now for _ in quiet.take(now, 1)]
    assert len(taken_at) >= 2


def test_how_long_until_the_next() -> None:
    quiet = Quiet()
    assert quiet.seconds_left(0.0) is None
    quiet.touch("a", 10.0)
    quiet.touch("b", 10.25)
    assert quiet.seconds_left(10.25) == 0.25
    assert quiet.take(10.5, 5) == ["a"]
    quiet.clear()
    assert quiet.seconds_left(11.0) is None

"""What arrived first goes first: by size, by age, and never what something kept still needs."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.collector.storing.store import Store
from bootstrap.collector.storing.transactions import StoreBusyError, StoreFullError, StoreWriter
from bootstrap.collector.telemetry.records import LogGroup, LogStream, Record, Scope
from tests.collector.test_store import ITEM, LINE, SEGMENT, SPAN, batch

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND
NOW = time.time_ns()
MIB = 1024 * 1024


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ids(number: int) -> str:
    return f"{number:032x}"


def tidied(writer: StoreWriter) -> None:
    while writer.tidy():
        pass


def counts(path: Path) -> dict[str, int]:
    tables = ("trace", "trace_service", "operation", "log_line", "item", "shared", "log_stream")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def values(path: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


def arrived(number: int, size: int = 5_000) -> list[Record]:
    """A trace, a line and an item that arrive together; the line and the item are of no trace."""
    text = "x" * size
    return [
        replace(SPAN, trace_id=ids(number), attributes={"text": text}, resource={"number": number % 7}),
        replace(LINE, trace_id=None, message=f"{number} {text}", fields=None, time_ns=NOW, ingested_ns=NOW),
        replace(ITEM, uuid=str(number), trace_id=None, data={"text": text}),
    ]


def test_the_file_stays_below_its_limit_and_has_the_newest(tmp_path: Path, clock: Clock) -> None:
    path, limit = tmp_path / "telemetry.db", 2 * MIB
    store = Store(path, limit)
    with store.writer(clock) as writer:
        for number in range(1, 701):
            clock.now = time.time_ns()
            span, line, item = arrived(number)
            writer.write([batch(span, replace(line, ingested_ns=clock.now), item)])
            writer.tidy()
            assert path.stat().st_size <= limit
        tidied(writer)
    kept = values(path, "SELECT trace_id FROM trace ORDER BY number")
    assert kept == [ids(number) for number in range(701 - len(kept), 701)]
    found = counts(path)
    assert found["trace"] == found["trace_service"] == found["operation"] > 50
    # In the order of arrival over all kinds; a step may end between two of them.
    assert abs(found["trace"] - found["log_line"]) <= 20
    assert abs(found["trace"] - found["item"]) <= 20
    numbers = [int(message.split()[0]) for message in values(path, "SELECT message FROM log_line")]
    assert numbers == list(range(701 - len(numbers), 701))
    assert values(path, "SELECT uuid FROM item ORDER BY number")[-1] == "700"


def test_what_arrived_longer_ago_goes(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "telemetry.db"
    store = Store(path, keep=timedelta(days=7, hours=1))
    with store.writer(clock) as writer:
        for day in range(10):
            clock.now = NOW + day * DAY
            span, line, item = arrived(day + 1)
            # Their own times say nothing about when they arrived.
            span, line = replace(span, start_ns=1, end_ns=2), replace(line, ingested_ns=clock.now, time_ns=1)
            writer.write([batch(span, line, item)])
        tidied(writer)
        assert values(path, "SELECT trace_id FROM trace") == [ids(day) for day in range(3, 11)]
        found = counts(path)
        assert (found["operation"], found["trace_service"], found["log_line"]) == (8, 8, 8)
        # An item is stamped by the machine's clock: all of them have arrived on the first day.
        assert found["item"] == 0
        clock.now = NOW + 30 * DAY
        tidied(writer)
    assert set(counts(path).values()) == {0}


def test_a_group_may_keep_its_lines_for_less(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "telemetry.db"
    with Store(path).writer(clock) as writer:
        groups: list[Record] = [LogGroup("short", NOW, 1), LogGroup("long", NOW, 5), LogGroup("ever", NOW)]
        streams = [LogStream(group, name, NOW) for group in ("short", "long", "ever") for name in "ab"]
        lines = [
            replace(LINE, group=stream.group, stream=stream.name, time_ns=NOW - days * DAY, ingested_ns=NOW)
            for stream in streams
            for days in (0, 2, 9)
            for _ in range(150)
        ]
        writer.write([batch(*groups, *streams, *lines)])
        tidied(writer)
    query = "SELECT group_name || count(*) FROM log_line GROUP BY group_name ORDER BY group_name"
    assert values(path, query) == ["ever900", "long600", "short300"]
    assert counts(path)["log_stream"] == 6


def test_one_trace_that_grows_without_end_goes_too(tmp_path: Path) -> None:
    path, limit = tmp_path / "telemetry.db", 2 * MIB
    store = Store(path, limit)
    with store.writer() as writer:
        for number in range(1, 1_001):
            writer.write([batch(replace(SPAN, span_id=f"{number:016x}", attributes={"a": "x" * 9_000}))])
            writer.tidy()
            assert path.stat().st_size <= limit
    trace = store.trace(SPAN.trace_id)
    assert trace
    assert trace.spans[-1].span_id == f"{1_000:016x}"


def test_a_commit_makes_the_room_that_it_needs(tmp_path: Path) -> None:
    path, limit = tmp_path / "telemetry.db", 4 * MIB
    with Store(path, limit).writer() as writer:
        for number in range(1, 31):
            short = [replace(SPAN, trace_id=ids(number), span_id=f"{one:016x}") for one in range(1, 1_001)]
            writer.write([batch(*short)])
            assert path.stat().st_size <= limit
    kept = values(path, "SELECT trace_id FROM trace ORDER BY number")
    assert kept == [ids(number) for number in range(31 - len(kept), 31)]
    # Of the first there may be a part.
    assert 0 <= 1_000 * len(kept) - counts(path)["operation"] < 1_000


def test_what_never_fits_is_refused_and_removes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with Store(path, 2 * MIB).writer() as writer:
        writer.write([batch(*arrived(1))])
        with pytest.raises(StoreFullError, match=str(path)):
            writer.write([batch(replace(SPAN, attributes={"text": "x" * 3 * MIB}))])
        writer.write([batch(*arrived(2))])
    assert counts(path)["trace"] == 2


def test_names_alone_are_no_dead_end(tmp_path: Path) -> None:
    path, limit = tmp_path / "telemetry.db", MIB
    with Store(path, limit).writer() as writer:
        for number in range(60):
            names = [f"{number}-{one}-{'n' * 200}" for one in range(100)]
            writer.write([batch(*[LogStream("group", name, number) for name in names])])
            tidied(writer)
        writer.write([batch(*arrived(1))])
    assert path.stat().st_size <= limit
    found = counts(path)
    assert (found["trace"], found["log_stream"] > 0) == (1, True)


def test_the_file_becomes_small_again(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "telemetry.db"
    with Store(path, 8 * MIB).writer(clock) as writer:
        for number in range(1, 501):
            writer.write([batch(*arrived(number))])
        clock.now += 8 * DAY
        writer.write([batch(*arrived(2_000))])
        tidied(writer)
        while writer.rest():
            pass
        assert sum(part.stat().st_size for part in tmp_path.iterdir()) < 2 * MIB
    assert values(path, "SELECT trace_id FROM trace") == [ids(2_000)]


def test_a_smaller_limit_holds_from_the_next_start_on(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with Store(path, 8 * MIB).writer() as writer:
        for number in range(1, 401):
            writer.write([batch(*arrived(number))])
    assert path.stat().st_size > 4 * MIB
    with Store(path, 2 * MIB).writer() as writer:
        tidied(writer)
        while writer.rest():
            pass
        assert path.stat().st_size < 2.2 * MIB
        for number in range(401, 701):
            writer.write([batch(*arrived(number))])
            writer.tidy()
    assert path.stat().st_size < 2.2 * MIB
    assert values(path, "SELECT trace_id FROM trace ORDER BY number")[-1] == ids(700)


def test_somebody_who_reads_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    log = tmp_path / "telemetry.db-wal"
    store = Store(path, 16 * MIB)
    large = "x" * 500_000
    with store.writer() as writer:
        writer.write([batch(SPAN)])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM operation").fetchone()
            with pytest.raises(StoreBusyError, match=str(path)):  # noqa: PT012 -- sooner or later
                for number in range(1, 100):
                    span = replace(SPAN, trace_id=ids(number), attributes={"text": large})
                    writer.write([batch(span)])
            assert 16 * MIB < log.stat().st_size < 18 * MIB
            [before] = reader.execute("SELECT count(*) FROM operation").fetchone()
        assert before == 1
        writer.write([batch(replace(SPAN, trace_id=ids(99)))])
        assert log.stat().st_size < 2 * MIB
    assert values(path, "SELECT trace_id FROM trace ORDER BY number DESC LIMIT 1") == [ids(99)]


def test_a_resource_lasts_as_long_as_the_last_that_uses_it(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path / "telemetry.db")
    # The second use within a minute is not written down.
    seconds = [0, 59, *range(3 * 86_400, 60 * 86_400, 86_400)]
    spans = {
        second: replace(SPAN, trace_id=ids(second + 1), resource={"daily": second > 59}) for second in seconds
    }
    with store.writer(clock) as writer:
        for second in sorted([*seconds, 7 * 86_400 + 30]):
            clock.now = NOW + second * SECOND
            if second in spans:
                writer.write([batch(spans[second])])
            tidied(writer)
            kept = [span for sent, span in spans.items() if second - 7 * 86_400 < sent <= second]
            read = [store.trace(span.trace_id) for span in kept]
            assert [trace.spans for trace in read if trace] == [[span] for span in kept]


steps = st.lists(
    st.tuples(
        st.sampled_from(["span", "span", "segment", "line", "tidy", "open"]),
        st.integers(1, 4),
        st.integers(0, 2),
        st.sampled_from(
            [0, 1, 59, 61, 3_600, 86_400, 3 * 86_400, 8 * 86_400, -59, -61, -86_400, -9 * 86_400]
        ),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=20)
@given(steps)
def test_what_is_kept_has_its_resource_and_its_scope(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[str, int, int, int]]
) -> None:
    """Whatever the clock does, also backwards, and however long one resource is used."""
    path = tmp_path_factory.mktemp("store") / "telemetry.db"
    clock, store = Clock(), Store(path)
    with contextlib.ExitStack() as opened:
        writer = opened.enter_context(store.writer(clock))
        for place, (what, trace, resource, seconds) in enumerate(taken):
            clock.now += seconds * SECOND
            match what:
                case "tidy":
                    tidied(writer)
                case "open":
                    opened.close()
                    writer = opened.enter_context(Store(path).writer(clock))
                case "line":
                    writer.write([batch(replace(LINE, trace_id=ids(trace), ingested_ns=clock.now))])
                case "segment":
                    writer.write([batch(replace(SEGMENT, trace_id=ids(trace), segment_id=f"{place:016x}"))])
                case _:
                    span = replace(
                        SPAN,
                        trace_id=ids(trace),
                        span_id=f"{place:016x}",
                        resource={"number": resource},
                        scope=Scope(str(resource)),
                    )
                    writer.write([batch(span)])
            assert not values(
                path,
                """
                SELECT id FROM operation WHERE kind = 'span' AND (
                    resource NOT IN (SELECT digest FROM shared) OR scope NOT IN (SELECT digest FROM shared)
                )
                """,
            )
            assert not values(
                path, "SELECT id FROM operation WHERE trace_id NOT IN (SELECT trace_id FROM trace)"
            )
        clock.now = max(clock.now, NOW) + 30 * 365 * DAY
        tidied(writer)
        assert set(counts(path).values()) == {0}

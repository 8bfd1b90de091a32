from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from bootstrap.collector.asking.questions import EvidenceFilter, TraceFilter
from bootstrap.collector.storing.store import Store
from bootstrap.collector.storing.transactions import StoreFullError
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.limits import TooMuchError
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import (
    Item,
    LogLine,
    Record,
    Scope,
    Segment,
    Span,
    Status,
    TraceSummary,
)
from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import MASK

if TYPE_CHECKING:
    from pathlib import Path

TRACE = "6740e5a1" + "0" * 23 + "1"
SECOND = 1_000_000_000

SPAN = Span(
    trace_id=TRACE,
    span_id="a" * 16,
    parent_id=None,
    service="backend-flask",
    name="GET /",
    kind="server",
    start_ns=10 * SECOND,
    end_ns=11 * SECOND,
    status=Status(),
    attributes={"app.result_length": 3},
    events=[],
    links=[],
    resource={"service.name": "backend-flask"},
    scope=Scope(),
)

SEGMENT = Segment(
    trace_id=TRACE,
    segment_id="a" * 16,
    parent_id=None,
    is_subsegment=False,
    name="billing",
    start_ns=9 * SECOND,
    end_ns=12 * SECOND,
    error=False,
    document={"id": "a" * 16},
)


LINE = LogLine(
    group="cruddur",
    stream="web",
    time_ns=10 * SECOND,
    ingested_ns=11 * SECOND,
    message='{"a":1}',
    trace_id=TRACE,
    service="backend-flask",
    fields={"a": 1},
)

ITEM = Item(
    uuid="u",
    trace_id=TRACE,
    service="backend-flask",
    level="error",
    title="E: text",
    environment="testing",
    time_ns=10 * SECOND,
    data={"level": "error"},
)


def batch(*records: Record) -> Batch:
    filled = Batch(Masker())
    for record in records:
        filled.add(record)
    return filled


def write(store: Store, *records: Record) -> None:
    with store.writer() as writer:
        writer.write([batch(*records)])


def latest(store: Store, limit: int, service: str | None = None) -> list[TraceSummary]:
    return store.search.traces(TraceFilter(service=service), limit=limit).traces


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "telemetry.db")


def test_what_is_written_is_read(store: Store) -> None:
    write(store, SPAN, SEGMENT)
    trace = store.trace(TRACE)
    assert trace
    assert (trace.spans, trace.segments) == ([SPAN], [SEGMENT])


def test_lines_and_items_are_read_with_their_trace(store: Store) -> None:
    later = replace(LINE, time_ns=12 * SECOND, trace_id=None)
    write(store, LINE, later, ITEM, replace(ITEM, uuid="v", trace_id=None))
    trace = store.trace(TRACE)
    assert trace
    assert (trace.lines, trace.items, trace.spans) == ([LINE], [ITEM], [])
    [summary] = latest(store, 9)
    assert (summary.name, summary.services, summary.duration_ns) == ("E: text", ["backend-flask"], None)
    assert (summary.span_count, summary.segment_count) == (0, 0)


def test_only_so_much_of_a_trace_is_read(store: Store) -> None:
    write(store, *[replace(LINE, message='{"a":1}' + " " * 1_000) for _ in range(10)])
    trace = store.trace(TRACE, limit=3_500)
    assert trace
    assert (len(trace.lines), trace.truncated) == (4, True)


def test_a_summary_says_what_is_in_the_trace(store: Store) -> None:
    write(
        store, SPAN, replace(SPAN, span_id="b" * 16, parent_id="a" * 16, service="db", name="query"), SEGMENT
    )
    [summary] = latest(store, 10)
    assert summary.name == "GET /"
    assert summary.services == ["backend-flask", "billing", "db"]
    assert (summary.start_ns, summary.duration_ns) == (9 * SECOND, 3 * SECOND)
    assert (summary.span_count, summary.segment_count, summary.error) == (2, 1, False)


def test_a_span_sent_twice_is_stored_once(store: Store) -> None:
    write(store, SPAN, SPAN)
    write(store, replace(SPAN, name="sent again"))
    [summary] = latest(store, 10)
    assert (summary.span_count, summary.name) == (1, "GET /")


def test_a_running_segment_gives_way_to_the_finished_one_and_not_back(store: Store) -> None:
    running = replace(SEGMENT, end_ns=None, document={"in_progress": True})
    write(store, running)
    assert latest(store, 1)[0].duration_ns is None
    write(store, SEGMENT)
    write(store, running)
    trace = store.trace(TRACE)
    assert trace
    assert trace.segments == [SEGMENT]


@pytest.mark.parametrize(
    "failed", [replace(SPAN, status=Status("error")), replace(SEGMENT, error=True)], ids=["span", "segment"]
)
def test_an_error_marks_the_trace(store: Store, failed: Record) -> None:
    write(store, replace(SPAN, span_id="c" * 16), failed)
    assert latest(store, 1)[0].error


def test_newest_first_limited_and_by_service(store: Store) -> None:
    ids = [f"{number:032x}" for number in range(1, 6)]
    for number, trace_id in enumerate(ids):
        service = "odd" if number % 2 else "even"
        write(store, replace(SPAN, trace_id=trace_id, start_ns=number * SECOND, service=service))
    assert [summary.trace_id for summary in latest(store, 2)] == [ids[4], ids[3]]
    assert [summary.trace_id for summary in latest(store, 9, "odd")] == [ids[3], ids[1]]
    assert latest(store, 9, "nobody") == []


def test_an_unknown_trace_is_none(store: Store) -> None:
    assert store.trace(TRACE) is None


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "'; DROP TABLE trace; --", "<script>", "\x1b[2J", "\U0001f600"]
)
def test_any_text_is_kept_as_it_is(store: Store, text: str) -> None:
    span = replace(SPAN, name=text, service=text, attributes={text: text})
    write(store, span)
    trace = store.trace(TRACE)
    assert trace
    assert trace.spans == [span]
    assert latest(store, 1)[0].name == text


def test_a_second_opening_keeps_the_data_and_the_mode(store: Store, tmp_path: Path) -> None:
    write(store, SPAN)
    path = tmp_path / "telemetry.db"
    path.chmod(0o644)
    assert Store(path).trace(TRACE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_all_files_are_this_users_alone(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with Store(tmp_path / "telemetry.db").writer() as writer:
            writer.write([batch(SPAN)])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(umask)
    assert set(modes) == {"telemetry.db", "telemetry.db-wal", "telemetry.db-shm"}
    assert set(modes.values()) == {0o600}


def not_a_database(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to be looked at\n" * 100)


def newer_layout(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def test_a_store_that_is_too_old_is_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "telemetry.db"
    for suffix in ("2", "3", "3-wal"):
        tmp_path.joinpath(f"{path.name}.version-{suffix}").write_bytes(b"set aside before")
    old = sqlite3.connect(path)
    old.execute("PRAGMA journal_mode = WAL")
    old.execute("CREATE TABLE something (text)")
    old.execute("INSERT INTO something VALUES ('kept')")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    store = Store(path)
    write(store, SPAN)
    assert len(latest(store, 9)) == 1
    aside = sqlite3.connect(tmp_path / "telemetry.db.version-1")
    assert aside.execute("SELECT text FROM something").fetchall() == [("kept",)]
    aside.close()
    assert capsys.readouterr().err.startswith(
        f"collector: the telemetry of an earlier version is in {path}.version-1"
    )
    assert {file.name for file in tmp_path.iterdir()} == {path.name, f"{path.name}.version-1"}


def test_a_store_of_the_version_before_gets_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    write(Store(path), ITEM)
    old = sqlite3.connect(path)
    old.execute("DROP INDEX item_by_title")
    old.execute("PRAGMA user_version = 4")
    old.commit()
    old.close()
    assert [item.uuid for item in Store(path).search.items(EvidenceFilter(), limit=9).items] == [ITEM.uuid]
    with contextlib.closing(sqlite3.connect(path)) as new:
        assert new.execute("SELECT count(*) FROM pragma_index_info('item_by_title')").fetchone() == (5,)
    assert {file.name for file in tmp_path.iterdir()} == {path.name}


def link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.db")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [not_a_database, newer_layout, link, folder])
def test_an_unusable_file_is_named(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "telemetry.db"
    spoil(path)
    with pytest.raises(BootstrapError) as caught:
        Store(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match="nowhere"):
        Store(tmp_path / "nowhere" / "telemetry.db")


def test_a_refused_write_leaves_nothing_and_says_so(store: Store, tmp_path: Path) -> None:
    with store.writer() as writer:
        blocker = sqlite3.connect(tmp_path / "telemetry.db")
        blocker.execute("DROP TABLE trace")
        blocker.commit()
        blocker.close()
        with pytest.raises(OSError, match="refused 1 records"):
            writer.write([batch(SPAN)])
    left = sqlite3.connect(tmp_path / "telemetry.db")
    assert left.execute("SELECT count(*) FROM operation").fetchone() == (0,)
    left.close()


def test_what_many_spans_have_in_common_is_stored_once(store: Store, tmp_path: Path) -> None:
    resource = {"service.name": "backend-flask", "large": "x" * 1_000_000}
    scope = Scope("home", "1.0", {"also large": "y" * 1_000_000})
    spans = [replace(SPAN, span_id=f"{n:016x}", resource=resource, scope=scope) for n in range(1, 501)]
    filled = batch(*spans)
    assert filled.size < 3_000_000
    write(store, *spans[:100])
    write(store, *spans)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000_000
    trace = store.trace(TRACE, limit=4_100_000)
    assert trace
    assert trace.spans == spans[: len(trace.spans)]
    assert (len(trace.spans), trace.truncated) == (3, True)


def test_a_resource_that_looks_like_a_scope_is_none(store: Store) -> None:
    span = replace(SPAN, resource={"name": "a", "version": "b", "attributes": {}}, scope=Scope("a", "b"))
    write(store, span)
    trace = store.trace(TRACE)
    assert trace
    assert trace.spans == [span]


def test_a_batch_is_bounded() -> None:
    small = Batch(Masker(), limit=10_000)
    for number in range(1, 10):
        small.add(replace(SPAN, span_id=f"{number:016x}"))
    with pytest.raises(TooMuchError, match="10000"):
        small.add(replace(SPAN, name="n" * 10_000))
    assert len(small.rows) == 9
    with pytest.raises(TooMuchError):
        Batch(Masker(), limit=10_000).add(replace(SPAN, resource={"a": "x" * 10_000}))


def test_secrets_are_masked_in_all_that_is_shared(store: Store) -> None:
    secret = "made-up-secret"
    filled = Batch(Masker([secret]))
    filled.add(replace(SPAN, resource={"a": secret}, scope=Scope(secret, secret, {secret: secret})))
    with store.writer() as writer:
        writer.write([filled])
    trace = store.trace(TRACE)
    assert trace
    [span] = trace.spans
    assert (span.resource, span.scope) == ({"a": MASK}, Scope(MASK, MASK, {MASK: MASK}))


def test_names_in_lists_are_short(store: Store) -> None:
    write(store, replace(SPAN, name="n" * 100_000, service="s" * 100_000), replace(SEGMENT, name="t" * 9_999))
    [summary] = latest(store, 1)
    assert (summary.name, summary.services) == ("n" * 200, ["s" * 200, "t" * 200])
    trace = store.trace(TRACE)
    assert trace
    assert trace.spans[0].name == "n" * 100_000


def test_a_full_store_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "small.db"
    small = Store(path, limit=200_000)
    write(small, SPAN)
    large = replace(SPAN, span_id="f" * 16, attributes={"a": "x" * 200_000})
    with small.writer() as writer, pytest.raises(StoreFullError, match=str(path)):
        writer.write([batch(replace(SPAN, span_id="e" * 16)), batch(large)])
    assert path.stat().st_size <= 200_000
    trace = small.trace(TRACE)
    assert trace
    assert trace.spans == [SPAN]

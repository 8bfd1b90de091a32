from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bootstrap.collector.asking.conditions import Budget
from bootstrap.collector.asking.found import Found
from bootstrap.collector.asking.questions import EvidenceFilter, TraceFilter
from bootstrap.collector.tables.rollup import MOST_ARRIVALS
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import Item, LogLine, Record, Segment, Span
from tests.collector.records import (
    NAMES,
    NOON,
    SECOND,
    SERVICES,
    TEXTS,
    TRACES,
    VALUES,
    Known,
    batch_of,
    batches,
    item,
    line,
    segment,
    span,
    store_of,
    traces_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search") / "telemetry.db"


# What a filter means, once more, as slowly as it can be said.


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else name)
        return
    if isinstance(value, list):
        for inner in value:
            yield from flat(inner, path)
    yield path, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def attributes_of(record: Any) -> list[tuple[str, str]]:
    match record:
        case Span():
            return [*flat(record.attributes), *flat(record.resource)]
        case Segment():
            parts = [record.document, *record.document.get("subsegments", [])]
            found = [flat(part.get(place, {})) for part in parts for place in ("annotations", "metadata")]
            found += [flat(part.get("http", {}), "http") for part in parts]
            return [pair for pairs in found for pair in pairs]
        case LogLine():
            return list(flat(record.fields or {}))
        case _:
            return []


def leaves(value: Any, *, keys: bool = True) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if keys:
                yield name
            yield from leaves(inner, keys=keys)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, keys=keys)
    else:
        yield value if isinstance(value, str) else json.dumps(value)


def texts_of(record: Any) -> list[str]:
    match record:
        case Span():
            found = [record.service, record.name, record.kind, record.status.message]
            found += [record.scope.name, record.scope.version, *leaves(record.scope.attributes)]
            found += [*leaves(record.attributes), *leaves(record.resource)]
            for event in record.events:
                found += [event.name, *leaves(event.attributes)]
            return found
        case Segment():
            found = [record.name]
            for part in (record.document, *record.document.get("subsegments", [])):
                found += [part["name"], *leaves(part.get("http", {}), keys=False)]
                found += [*leaves(part.get("annotations", {})), *leaves(part.get("metadata", {}))]
                found += leaves(part.get("cause", {}), keys=False)
            return found
        case LogLine():
            return [record.message]
        case Item():
            return [record.title, *leaves(record.data)]
        case _:
            return []


def says(text: str, found: str) -> bool:
    if text.isascii():
        return re.search(re.escape(text), found, re.IGNORECASE | re.ASCII) is not None
    return text.casefold() in found.casefold()


def is_wanted(known: Known, wanted: TraceFilter) -> bool:
    duration = known.duration_ns
    return all(
        (
            wanted.service is None or wanted.service in known.services,
            wanted.status is None or (wanted.status == "error") == known.error,
            wanted.min_ns is None or (duration is not None and duration >= wanted.min_ns),
            wanted.max_ns is None or (duration is not None and duration < wanted.max_ns),
            wanted.start_ns is None or known.start_ns >= wanted.start_ns,
            wanted.end_ns is None or known.start_ns < wanted.end_ns,
            not wanted.measured or bool(known.operations),
            all(any(pair in attributes_of(one) for one in known.records) for pair in wanted.attributes),
            wanted.text is None
            or any(says(wanted.text, found) for one in known.records for found in texts_of(one)),
        )
    )


as_text = [value if isinstance(value, str) else msgspec.json.encode(value).decode() for value in VALUES]
pairs = st.tuples(
    st.sampled_from([*NAMES, "default.plan", "a.b.a", "app.plan.plan", "http.response.status", "plan.a.b"]),
    st.sampled_from([*as_text, "200", "1"]),
)
moments = st.none() | st.integers(0, 6).map(lambda second: NOON + second * SECOND)
durations = st.none() | st.sampled_from([0, 1, 1_000, SECOND, 61 * SECOND])
filters = st.builds(
    TraceFilter,
    service=st.none() | st.sampled_from([*SERVICES, "nobody"]),
    status=st.none() | st.sampled_from(["ok", "error"]),
    min_ns=durations,
    max_ns=durations,
    start_ns=moments,
    end_ns=moments,
    attributes=st.lists(pairs, max_size=2).map(tuple),
    text=st.none() | st.sampled_from(TEXTS),
    measured=st.booleans(),
)
#: most conditions leave nothing together; alone they are tried harder
narrow = st.one_of(
    filters,
    st.builds(TraceFilter, text=st.sampled_from(TEXTS)),
    st.builds(TraceFilter, attributes=st.tuples(pairs)),
    st.just(TraceFilter(measured=True)),
)


@settings(deadline=None, max_examples=150)
@given(batches, st.lists(narrow, min_size=1, max_size=6), st.integers(1, 3))
def test_a_filter_leaves_what_it_says(
    path: Path, made: list[list[Record]], wanted: list[TraceFilter], limit: int
) -> None:
    store, known = store_of(path, made), traces_of(made)
    for each in wanted:
        expected = [one.trace_id for one in known if is_wanted(one, each)]
        found, after = [], None
        while True:
            page = store.search.traces(each, limit=limit, after=after)
            assert len(page.traces) <= limit
            found += [summary.trace_id for summary in page.traces]
            after = page.next
            if after is None:
                break
        assert found == expected


@settings(deadline=None, max_examples=40)
@given(batches)
def test_a_summary_says_what_is_in_the_records(path: Path, made: list[list[Record]]) -> None:
    store, known = store_of(path, made), traces_of(made)
    for one in known:
        summary = store.search.summary(one.trace_id)
        assert summary
        assert (summary.start_ns, summary.duration_ns) == (one.start_ns, one.duration_ns)
        assert (set(summary.services), summary.error) == (one.services, one.error)
        assert summary.span_count == sum(isinstance(record, Span) for record in one.records)
        assert summary.segment_count == sum(isinstance(record, Segment) for record in one.records)
    ids = [summary.trace_id for summary in store.search.summaries([*TRACES, "f" * 32])]
    assert ids == [one.trace_id for one in known]


def test_a_page_stays_where_it_is_while_newer_traces_arrive(path: Path) -> None:
    store = store_of(path, [[span(trace_id, start_ns=NOON)] for trace_id in TRACES[:4]])
    first = store.search.traces(TraceFilter(), limit=2)
    with store.writer() as writer:
        writer.write([batch_of([span(TRACES[4], start_ns=NOON), span(TRACES[5], start_ns=NOON + SECOND)])])
    second = store.search.traces(TraceFilter(), limit=2, after=first.next)
    assert [one.trace_id for one in (*first.traces, *second.traces)] == TRACES[3::-1]
    assert second.next is None


@pytest.mark.parametrize("after", ["x", "1", "1-2-3", "-1-2", f"{2**63}-1", "9" * 100, "1-٣", "1-2 "])
def test_an_after_that_no_page_has_given(path: Path, after: str) -> None:
    store = store_of(path, [])
    for ask in (
        lambda: store.search.traces(TraceFilter(), limit=1, after=after),
        lambda: store.search.lines(EvidenceFilter(), limit=1, after=after),
        lambda: store.search.items(EvidenceFilter(), limit=1, after=after),
    ):
        with pytest.raises(ValueError, match="goes on"):
            ask()


# What no index knows.


HOSTILE = [
    "'; DROP TABLE trace; --",
    '"',
    "%",
    "_",
    "!",
    "\\",
    "\x00",
    "\x1b[2J",
    "<script>",
    "\ud7ff\U0001f600",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_found_where_it_stands_and_nowhere_else(path: Path, text: str) -> None:
    there, elsewhere = TRACES[:2]
    store = store_of(path, [[span(there, name=text, attributes={text: text}), span(elsewhere)]])
    for wanted in (
        TraceFilter(text=text),
        TraceFilter(attributes=((text, text),)),
        TraceFilter(attributes=((text, text),), text=text, service="web"),
    ):
        assert [one.trace_id for one in store.search.traces(wanted, limit=9).traces] == [there]
    assert store.search.traces(TraceFilter(service=text), limit=9).traces == []
    assert store.search.traces(TraceFilter(attributes=((text, "other"),)), limit=9).traces == []
    assert len(store.search.traces(TraceFilter(), limit=9).traces) == 2


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=30), st.text(min_size=1, max_size=5), st.text(max_size=5), st.text(max_size=5))
@example("Straße", "ss", "", "")
@example("\N{LATIN SMALL LIGATURE FI}", "fi", "", "")
@example("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "i", "", "")
def test_any_text_is_found_in_anything_around_it(
    path: Path, other: str, text: str, before: str, after: str
) -> None:
    name = before + text.swapcase() + after
    records: list[Record] = [span(TRACES[0], attributes={"a": [{"b": name}]}), line(TRACES[1], name or "-")]
    records += [item(TRACES[2], data={name: 1}), span(TRACES[3], name=other), line(TRACES[4], f"a\0{other}")]
    store = store_of(path, [records])
    expected = [known.trace_id for known in traces_of([records]) if is_wanted(known, TraceFilter(text=text))]
    found = store.search.traces(TraceFilter(text=text), limit=9).traces
    assert [one.trace_id for one in found] == expected


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
)
def test_any_attribute_is_found_by_each_of_its_parts(path: Path, value: Any) -> None:
    if isinstance(value, float) and abs(value) == float("inf"):
        return
    store = store_of(path, [[span(TRACES[0], attributes={"a": value}), segment(TRACES[1])]])
    # Any name may be that of a secret.
    for pair in set(flat(Masker().value({"a": value})["a"], "a")):
        found = store.search.traces(TraceFilter(attributes=(pair,)), limit=9).traces
        assert [one.trace_id for one in found] == [TRACES[0]]


def test_whoever_looks_for_an_id_gets_that_trace(path: Path) -> None:
    wanted, other = TRACES[:2]
    store = store_of(path, [[span(wanted), span(other, attributes={"parent": wanted})]])
    for text in (wanted, wanted.upper(), f"1-{wanted[:8]}-{wanted[8:]}"):
        found = store.search.traces(TraceFilter(text=text), limit=9).traces
        assert [one.trace_id for one in found] == [wanted]
    assert store.search.traces(TraceFilter(text=wanted, service="db"), limit=9).traces == []


def test_where_the_time_is_over_a_page_goes_on(path: Path) -> None:
    many = [f"{number:032x}" for number in range(1, 101)]
    records = [span(each, start_ns=NOON + at, attributes={"n": at % 3}) for at, each in enumerate(many)]
    store_of(path, [records])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        wanted, found, after, stops = TraceFilter(attributes=(("n", "0"),)), [], None, 0
        while True:
            some = Found(connection, wanted, Budget(0), after)
            found += [row.trace_id for row in some]
            after = some.stopped_at
            if after is None:
                break
            stops += 1
    assert found == many[::-1][::3]
    assert stops == 5  # 20 at a time


def test_what_is_too_large_is_passed_over_in_the_end(path: Path) -> None:
    large, small = TRACES[:2]
    records = [span(large, start_ns=NOON + 1, attributes={"n": 1, "a": at}) for at in range(4_000)]
    store_of(path, [records, [span(small, attributes={"n": 1})]])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        some = Found(connection, TraceFilter(attributes=(("n", "2"),)), Budget(0))
        assert list(some) == []
        assert some.stopped_at
        rest = Found(connection, TraceFilter(attributes=(("n", "1"),)), Budget(), some.stopped_at)
        assert [row.trace_id for row in rest] == [small]


# Whoever is to be listed without any operation.


def test_what_only_lines_or_items_know_is_listed_by_what_they_say(path: Path) -> None:
    later = line(TRACES[0], "later", time_ns=NOON + 1)
    records: list[Record] = [
        later,
        line(TRACES[0], '{"msg": "first", "n": 1}'),
        line(TRACES[1], "[1]"),
        line(TRACES[2], "x" * 300),
    ]
    records += [
        line(TRACES[3], "line"),
        item(TRACES[3], title="the title"),
        line(TRACES[4], '{"message": 3}'),
    ]
    store = store_of(path, [records])
    names = {one.trace_id: one.name for one in store.search.traces(TraceFilter(), limit=9).traces}
    assert [names[each] for each in TRACES[:5]] == ["first", "[1]", "x" * 200, "the title", '{"message": 3}']


# Lines and items.


@settings(deadline=None, max_examples=60)
@given(
    batches,
    st.builds(
        EvidenceFilter,
        service=st.none() | st.sampled_from(SERVICES),
        trace_id=st.none() | st.sampled_from(TRACES),
        level=st.none() | st.sampled_from(["error", "info"]),
        text=st.none() | st.sampled_from(TEXTS),
    ),
    st.integers(1, 3),
)
def test_lines_and_items_are_what_a_filter_leaves(
    path: Path, made: list[list[Record]], wanted: EvidenceFilter, limit: int
) -> None:
    store = store_of(path, made)

    def expected(kind: type[LogLine | Item]) -> list[Any]:
        every = [record for batch in made for record in batch if isinstance(record, kind)]
        found = [
            record
            for record in every[::-1]
            if wanted.service in {None, record.service}
            and wanted.trace_id in {None, record.trace_id}
            and (isinstance(record, LogLine) or wanted.level in {None, record.level})
            and (wanted.text is None or any(says(wanted.text, one) for one in texts_of(record)))
        ]
        return sorted(found, key=lambda record: -record.time_ns)

    page = store.search.lines(wanted, limit=limit)
    lines = page.lines
    while page.next:
        page = store.search.lines(wanted, limit=limit, after=page.next)
        lines += page.lines
    more = store.search.items(wanted, limit=limit)
    items = more.items
    while more.next:
        more = store.search.items(wanted, limit=limit, after=more.next)
        items += more.items
    assert lines == expected(LogLine)
    assert items == expected(Item)
    for one in items:
        assert store.search.item(one.uuid) == one
    assert store.search.item("nobody's") is None


def test_far_apart_lines_are_found_stretch_by_stretch(path: Path) -> None:
    records: list[Record] = [line(None, f"number {at}.", time_ns=NOON + at // 10) for at in range(5_000)]
    search = store_of(path, [records]).search
    found = search.lines(EvidenceFilter(text="number 17."), limit=9)
    assert [one.message for one in found.lines] == ["number 17."]
    first = search.lines(EvidenceFilter(text="7."), limit=300)
    rest = search.lines(EvidenceFilter(text="7."), limit=300, after=first.next)
    assert [one.message for one in (*first.lines, *rest.lines)] == [
        f"number {at}." for at in range(4_997, 0, -10)
    ]


# What the front page says.


def test_who_has_sent_what_and_how_full_it_is(path: Path) -> None:
    empty = store_of(path, []).search
    assert (empty.services(), empty.arrivals(), empty.room(5).oldest_ns) == ([], [], None)
    search = store_of(
        path,
        [[span(TRACES[0], service="web"), segment(TRACES[1], name="db")], [line(None, "x", service=None)]],
    ).search
    assert search.services() == ["db", "web"]
    assert [(one.service, one.vendor, one.count) for one in search.arrivals()] == [
        ("", "cloudwatch", 1),
        ("db", "xray", 1),
        ("web", "honeycomb", 1),
    ]
    assert search.services(limit=1) == ["db"]
    room = search.room(1 << 20)
    assert 0 < room.bytes <= 1 << 20
    assert room.limit == 1 << 20
    assert room.oldest_ns
    assert room.oldest_ns <= min(one.first_ns for one in search.arrivals())


def test_a_service_is_found_that_is_one_too_many_to_be_counted(path: Path) -> None:
    many = [span(TRACES[0], service=f"service {number}") for number in range(MOST_ARRIVALS)]
    search = store_of(path, [many, [span(TRACES[1], service="one more")]]).search

    def found(service: str) -> list[str]:
        return [one.trace_id for one in search.traces(TraceFilter(service=service), limit=9).traces]

    assert len(search.arrivals()) == MOST_ARRIVALS
    assert (found("one more"), found("service 17"), found("nobody")) == ([TRACES[1]], [TRACES[0]], [])

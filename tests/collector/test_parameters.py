from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from bootstrap.collector.answering.parameters import (
    MAX_ATTRIBUTES,
    MAX_TEXT,
    ParameterError,
    read_after,
    read_columns,
    read_evidence,
    read_filter,
    read_limit,
    read_region,
    write_filter,
    write_region,
)
from bootstrap.collector.asking.questions import Region, TraceFilter
from bootstrap.collector.telemetry.records import MAX_TIME_NS

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
names = st.one_of(texts, st.text('\\=a."', min_size=1, max_size=8))
moments = st.none() | st.integers(0, MAX_TIME_NS)
filters = st.builds(
    TraceFilter,
    service=st.none() | texts,
    status=st.none() | st.sampled_from(["ok", "error"]),
    min_ns=moments,
    max_ns=moments,
    start_ns=moments,
    end_ns=moments,
    attributes=st.lists(st.tuples(names, texts | st.just("")), max_size=3).map(tuple),
    text=st.none() | texts,
)


def params(query: str) -> QueryParams:
    return QueryParams(query)


@settings(max_examples=300)
@given(filters)
def test_a_filter_is_read_as_it_was_written(wanted: TraceFilter) -> None:
    assert read_filter(params(urlencode(write_filter(wanted)))) == wanted


@given(st.lists(st.integers(0, MAX_TIME_NS), min_size=2, max_size=2, unique=True), st.integers(0, 10**19 - 1))
def test_a_region_is_read_as_it_was_written(moments: list[int], low: int) -> None:
    start, end = sorted(moments)
    region = Region(start, end, low, low + 1)
    assert read_region(params(urlencode(write_region(region)))) == region


def test_nothing_asked_for_leaves_nothing_out() -> None:
    assert read_filter(params("")) == TraceFilter()
    empty = "service=&status=&min=&max=&start=&end=&attribute=&attribute=&q="
    assert read_filter(params(empty)) == TraceFilter()
    assert write_filter(TraceFilter()) == []


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("1970-01-02", 86_400),
        ("1970-01-01T00:01", 60),
        ("1970-01-01 00:01:02", 62),
        ("1970-01-01T00:01:02Z", 62),
        ("1970-01-01T02:01:02+02:00", 62),
        ("1970-01-01T02:01:02 0200", 62),
        ("1970-01-01T00:01:02-01:30", 5_462),
    ],
)
def test_times_as_people_write_them(text: str, second: int) -> None:
    assert read_filter(QueryParams([("start", text)])).start_ns == second * 1_000_000_000
    assert read_filter(params(f"end={text.replace(' ', '+')}")).end_ns == second * 1_000_000_000


def test_a_fraction_counts_to_the_nanosecond() -> None:
    assert read_filter(params("start=1970-01-01T00:00:00.5Z")).start_ns == 500_000_000
    assert read_filter(params("start=1970-01-01T00:00:00.000000001Z")).start_ns == 1
    assert read_filter(params("min=0.000001&max=12.5")) == TraceFilter(min_ns=1, max_ns=12_500_000)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=bad", "status is ok or error"),
        ("min=x", "min is a number"),
        ("max=-1", "max is a number"),
        ("min=1e3", "min is a number"),
        ("min=nan", "min is a number"),
        ("min=" + "9" * 5_000, "min is a number"),
        ("min=1.2345678", "min is a number"),
        ("min=%D9%A1", "min is a number"),
        ("start=yesterday", "start is a time"),
        ("start=2026-02-30", "start is a time"),
        ("start=1969-12-31", "start is a time"),
        ("start=1970-01-01T00:00:00%2B01:00", "start is a time"),
        ("end=9999-01-01", "end is a time"),
        ("end=2026-01-01T25:00", "end is a time"),
        ("end=2026-01-01T00:00:00.1234567890Z", "end is a time"),
        ("end=0001-01-01T00:00:00%2B23:59", "end is a time"),
        ("end=9999-12-31T23:59:59-23:59", "end is a time"),
        ("end=2026-01-01%00", "end is a time"),
        ("attribute=plan", "attribute is name=value"),
        ("attribute==free", "attribute is name=value"),
        ("attribute=a=" + "x" * MAX_TEXT, "attribute is name=value"),
        ("&".join(["attribute=a=b"] * (MAX_ATTRIBUTES + 1)), "up to 20 attributes"),
        ("q=" + "x" * (MAX_TEXT + 1), "q is a text"),
    ],
)
def test_what_is_wrong_is_said(query: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read_filter(params(query))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=2026-01-01&to=2026-01-02&low=1",
        "from=2026-01-02&to=2026-01-01&low=1&high=2",
        "from=2026-01-01&to=2026-01-01&low=1&high=2",
        "from=2026-01-01&to=2026-01-02&low=2&high=2",
        "from=2026-01-01&to=2026-01-02&low=2&high=x",
    ],
)
def test_a_region_that_is_none(query: str) -> None:
    with pytest.raises(ParameterError):
        read_region(params(query))


@pytest.mark.parametrize("text", ["0", "-1", "201", "x", "1.5", "9" * 5_000, "%D9%A1"])
def test_columns_that_are_none(text: str) -> None:
    with pytest.raises(ParameterError, match="from 1 to 200"):
        read_columns(params(f"columns={text}"))


def test_the_rest() -> None:
    assert read_columns(params("")) == 60
    assert read_columns(params("columns=200")) == 200
    assert read_limit(params("")) == 50
    assert read_after(params("")) is None
    assert read_after(params("after=12-3")) == "12-3"
    with pytest.raises(ParameterError, match="after"):
        read_after(params("after=12"))
    found = read_evidence(params(f"service=web&level=error&q=%25&trace_id=1-{'A' * 8}-{'b' * 24}"))
    assert (found.service, found.level, found.text, found.trace_id) == (
        "web",
        "error",
        "%",
        "a" * 8 + "b" * 24,
    )
    with pytest.raises(ParameterError, match="trace_id"):
        read_evidence(params("trace_id=1"))


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["min", "max", "start", "end", "attribute", "q", "status"]), st.text())
)
def test_any_query_is_read_or_refused_with_a_reason(query: dict[str, str]) -> None:
    try:
        wanted = read_filter(QueryParams(query))
    except ParameterError as error:
        said = str(error)
    else:
        said = "."
        assert read_filter(QueryParams(write_filter(wanted))) == wanted
    assert said.endswith(".")

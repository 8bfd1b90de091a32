"""A trace's row: the same, however what it is made from was split, ordered and repeated."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.collector.tables.layout import bring_up_to_date
from bootstrap.collector.tables.rollup import ADD_SERVICE, MERGE, ONLY_MENTIONED, Rollup, TraceRow, merged
from bootstrap.collector.tables.rows import ItemRow, LineRow, OperationRow, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACES = ["1" * 32, "2" * 32]
names = st.sampled_from(["", "a", "b", "\x00", "é", "\U0001f600", "\uffff"])
services = st.none() | st.sampled_from(["web", "db", "\x00"])
times = st.integers(0, 5)

operations = st.builds(
    lambda trace, kind, parent, service, name, start, took, error: OperationRow(
        trace,
        kind,
        "id",
        parent,
        service,
        name,
        start,
        None if took is None and kind != "span" else start + (took or 0),
        error,
        b"{}",
    ),
    st.sampled_from(TRACES),
    st.sampled_from(["span", "segment", "subsegment"]),
    st.none() | st.just("parent"),
    services,
    names,
    times,
    st.none() | times,
    st.booleans(),
)
lines = st.builds(
    lambda trace, service, time: LineRow("group", "stream", time, time, trace, service, False, "text"),  # noqa: FBT003
    st.none() | st.sampled_from(TRACES),
    services,
    times,
)
items = st.builds(
    lambda trace, service, time: ItemRow("uuid", trace, service, "error", "t", "e", time, b"{}", time),
    st.none() | st.sampled_from(TRACES),
    services,
    times,
)
batches = st.lists(st.lists(operations | lines | items, max_size=6), max_size=6)


@settings(deadline=None)
@given(batches, st.data())
def test_any_order_and_any_batches_give_the_same(sent: list[list[Row]], data: st.DataObject) -> None:
    rows = [row for batch in sent for row in batch]
    wanted = recomputed(rows)
    again = data.draw(st.permutations(rows + rows[:3]))
    assert Rollup(again).traces == wanted
    assert in_python(sent) == wanted
    assert in_store(sent) == wanted
    assert in_store([[row] for row in again]) == wanted


@settings(deadline=None)
@given(batches)
def test_the_store_has_the_services_of_all(sent: list[list[Row]]) -> None:
    with empty() as connection:
        for batch in sent:
            rollup = Rollup(batch)
            connection.executemany(MERGE, [(*row, 7) for row in rollup.traces.values()])
            connection.executemany(ADD_SERVICE, rollup.services)
        found = set(
            connection.execute("SELECT s.service, trace_id FROM trace_service AS s JOIN trace USING (number)")
        )
    rows = [row for batch in sent for row in batch]
    wanted = {(row.service, row.trace_id) for row in rows if getattr(row, "trace_id", None)}  # type: ignore[union-attr]
    assert found == {(service, trace_id) for service, trace_id in wanted if service}


def recomputed(rows: list[Row]) -> dict[str, TraceRow]:
    """What a trace's row should be, from its definition: of all operations, or of lines and items alone."""
    found = {}
    for trace_id in TRACES:
        own = [row for row in rows if getattr(row, "trace_id", None) == trace_id]
        made = [row for row in own if isinstance(row, OperationRow)]
        told = [row for row in own if isinstance(row, LineRow | ItemRow)]
        if made:
            root = min(made, key=lambda row: (rank(row), row.start_ns, row.name, row.service or ""))
            found[trace_id] = TraceRow(
                trace_id=trace_id,
                start_ns=min(row.start_ns for row in made),
                end_ns=max((row.end_ns for row in made if row.end_ns is not None), default=None),
                error=any(row.error for row in made),
                rank=rank(root),
                root_ns=root.start_ns,
                name=root.name,
                service=root.service,
            )
        elif told:
            first = min(told, key=lambda row: (row.time_ns, row.service or ""))
            time, service = first.time_ns, first.service
            found[trace_id] = TraceRow(trace_id, time, None, False, ONLY_MENTIONED, time, "", service)  # noqa: FBT003
    return found


def rank(row: OperationRow) -> int:
    return ["span", "segment", "subsegment"].index(row.kind) + (4 if row.parent_id else 0)


def in_python(sent: list[list[Row]]) -> dict[str, TraceRow]:
    found: dict[str, TraceRow] = {}
    for batch in sent:
        for trace_id, row in Rollup(batch).traces.items():
            found[trace_id] = merged(found[trace_id], row) if trace_id in found else row
    return found


def in_store(sent: list[list[Row]]) -> dict[str, TraceRow]:
    columns = ", ".join(TraceRow._fields)
    with empty() as connection:
        for batch in sent:
            connection.executemany(MERGE, [(*row, 7) for row in Rollup(batch).traces.values()])
        return {row[0]: TraceRow(*row) for row in connection.execute(f"SELECT {columns} FROM trace")}


@contextlib.contextmanager
def empty() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        bring_up_to_date(connection)
        yield connection

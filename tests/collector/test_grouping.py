from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.collector.asking.questions import EvidenceFilter, ItemGroup
from tests.collector import records
from tests.collector.records import NOON, SERVICES, TEXTS, TRACES, item, store_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bootstrap.collector.telemetry.records import Item, Record

FILTERS = st.builds(
    EvidenceFilter,
    service=st.none() | st.sampled_from(SERVICES),
    trace_id=st.none() | st.sampled_from(TRACES),
    level=st.none() | st.sampled_from(["error", "info"]),
    text=st.none() | st.sampled_from(TEXTS),
)


def grouped(items: Sequence[Item]) -> list[ItemGroup]:
    """What to expect of items, newest first."""
    groups: dict[tuple[str, str, str | None, str], list[Item]] = {}
    for one in items:
        groups.setdefault((one.title, one.level, one.service, one.environment), []).append(one)
    return [
        ItemGroup(
            title, level, service or "", environment, len(found), found[-1].time_ns, found[0].time_ns,
            found[0].uuid,
        )
        for (title, level, service, environment), found in groups.items()
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records.batches, FILTERS, st.integers(1, 3))
def test_groups_are_those_of_the_items_that_a_filter_leaves(
    tmp_path: Path, made: list[list[Record]], wanted: EvidenceFilter, limit: int
) -> None:
    search = store_of(tmp_path / "telemetry.db", made).search
    expected = grouped(search.items(wanted, limit=500).items)
    found = search.item_groups(wanted, limit=500)
    # Of several that were reported last at the same moment, any one may come first.
    assert [one.last_ns for one in found.groups] == [one.last_ns for one in expected]
    assert sorted(found.groups, key=lambda one: one.uuid) == sorted(expected, key=lambda one: one.uuid)
    assert (found.number, found.items) == (len(expected), sum(one.count for one in expected))
    some = search.item_groups(wanted, limit=limit)
    assert (some.groups, some.number, some.items) == (found.groups[:limit], found.number, found.items)
    assert (found.partial, some.partial) == (False, False)


def test_all_are_counted_but_where_a_text_is_wanted(tmp_path: Path) -> None:
    made = [item(None, title=f"title {at % 2}", time_ns=NOON + at) for at in range(501)]
    search = store_of(tmp_path / "telemetry.db", [made]).search
    found = search.item_groups(EvidenceFilter(), limit=1)
    assert [(one.title, one.count, one.first_ns, one.uuid) for one in found.groups] == [
        ("title 0", 251, NOON, made[500].uuid)
    ]
    assert (found.number, found.items, found.partial) == (2, 501, False)
    found = search.item_groups(EvidenceFilter(text="title"), limit=2)
    assert [(one.title, one.count) for one in found.groups] == [("title 0", 250), ("title 1", 250)]
    assert (found.items, found.partial) == (500, True)


def test_which_traces_were_reported(tmp_path: Path) -> None:
    made = [item(None), item(TRACES[0]), item(TRACES[0]), item(TRACES[1])]
    search = store_of(tmp_path / "telemetry.db", [made]).search
    assert search.reported(TRACES[1:3]) == {TRACES[1]}
    assert search.reported([]) == set()

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.collector.asking.questions import Differences, Region, TraceFilter
from bootstrap.collector.telemetry.records import MAX_TIME_NS, Record, Span, Status
from tests.collector.records import NOON, SECOND, batches, segment, span, store_of, traces_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bootstrap.collector.asking.questions import Difference

SLOW = Region(0, MAX_TIME_NS, SECOND, MAX_TIME_NS)
DAY = TraceFilter(start_ns=NOON - 1, end_ns=NOON + 86_400 * SECOND)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("differences") / "telemetry.db"


def many(make: Callable[[int], list[Record]], count: int = 120) -> list[list[Record]]:
    return [[record for number in range(count) for record in make(number)]]


def is_slow(number: int) -> bool:
    return number % 4 == 0


def root(number: int, **attributes: Any) -> Span:
    slow = is_slow(number)
    return span(
        f"{number + 1:032x}",
        start_ns=NOON + number * SECOND,
        end_ns=NOON + number * SECOND + (2 * SECOND if slow else SECOND // 100),
        attributes=attributes,
    )


def compare(
    path: Path, made: list[list[Record]], wanted: TraceFilter = DAY, region: Region = SLOW
) -> Differences:
    return store_of(path, made).search.differences(wanted, region)


def by_name(found: Differences) -> dict[str, Difference]:
    return {each.name: each for each in found.differences}


def test_a_planted_cause_comes_first(path: Path) -> None:
    chance = random.Random(1)

    def make(number: int) -> list[Record]:
        slow = is_slow(number)
        plan = "free" if slow or number % 20 == 1 else chance.choice(["pro", "team"])
        # Whatever else there may be: ids, what is always alike, numbers, and words at random.
        return [
            root(
                number,
                **{
                    "app.plan": plan,
                    "app.user_id": f"{chance.getrandbits(64):016x}",
                    "app.shard": chance.choice("abcdefgh"),
                    "app.count": chance.randrange(10_000),
                    "http.response.status_code": 200,
                    "version": "1.4.2",
                },
            )
        ]

    found = compare(path, many(make))
    assert (found.inside, found.outside, found.inside_read, found.outside_read) == (30, 90, 30, 90)
    first = found.differences[0]
    assert (first.name, first.derived) == ("app.plan", False)
    assert first.values[0].value == "free"
    assert first.values[0].inside == 1.0
    assert first.values[0].outside == pytest.approx(6 / 90)
    assert {"app.user_id", "version", "http.response.status_code"}.isdisjoint(by_name(found))


def test_numbers_are_told_by_their_ranges(path: Path) -> None:
    found = compare(path, many(lambda n: [root(n, size=n + (1_000 if is_slow(n) else 0), few=n % 3)]))
    [size] = [each for each in found.differences if each.name == "size"]
    assert size.score > 0.7
    assert size.values[0].kind == "range"
    assert any(value.value.startswith("from ") and value.inside > value.outside for value in size.values)
    assert "few" not in by_name(found)


def test_what_is_only_there_or_only_elsewhere(path: Path) -> None:
    found = compare(path, many(lambda n: [root(n, **({"app.retry": True} if is_slow(n) else {}))]))
    retry = by_name(found)["app.retry"]
    assert retry.score == 1.0
    assert {(each.value, each.kind, each.inside, each.outside) for each in retry.values} == {
        ("true", "value", 1.0, 0.0),
        ("", "absent", 0.0, 1.0),
    }


def test_what_has_two_names_is_told_once(path: Path) -> None:
    def make(number: int) -> list[Record]:
        slow = is_slow(number)
        method = "POST" if slow else "GET"
        same = {"http.method": method, "http.request.method": method}
        # One that is missing once is another one.
        nearly = {"method": method} if number else {}
        return [root(number, **same, **nearly, flag=slow)]

    found = by_name(compare(path, many(make)))
    assert found.keys() == {"http.method", "method", "flag"}
    assert [found[name].also for name in ("http.method", "method", "flag")] == [
        ("http.request.method",), (), (),
    ]  # fmt: skip


def test_a_derived_name_stands_behind_one_that_can_be_filtered_by(path: Path) -> None:
    def make(number: int) -> list[Record]:
        service = "slow" if is_slow(number) else "fast"
        made = root(number)
        return [replace(made, service=service, resource={"service.name": service})]

    found = by_name(compare(path, many(make)))
    assert (found["service.name"].derived, found["service.name"].also) == (False, ("service",))
    assert found["slowest operation"].also == ()
    assert "service" not in found


def test_which_operation_took_the_time(path: Path) -> None:
    def make(number: int) -> list[Record]:
        slow = is_slow(number)
        parent = root(number)
        start = parent.start_ns
        query = SECOND if slow else 1_000
        child: dict[str, Any] = {"parent_id": parent.span_id, "trace_id": parent.trace_id, "start_ns": start}
        return [
            parent,
            span(**child, name="SELECT", service="db", end_ns=start + query, kind="client"),
            span(**child, name="SELECT", service="db", end_ns=start + query - 1_000, kind="client"),
            span(**child, name="GET", service="cache", end_ns=start + 2_000, kind="client"),
        ]

    found = compare(path, many(make))
    [slowest] = found.differences
    assert (slowest.name, slowest.derived, slowest.score) == ("slowest operation", True, 1.0)
    assert {(each.value, each.inside) for each in slowest.values} == {("db: SELECT", 1.0), ("web: home", 0.0)}


def test_segments_have_their_say(path: Path) -> None:
    def make(number: int) -> list[Record]:
        slow = is_slow(number)
        start = NOON // SECOND + number
        inner = {
            "id": "b" * 16,
            "name": "DynamoDB" if slow else "Redis",
            "start_time": start,
            "end_time": start + (2 if slow else 0.01),
            "fault": slow,
            "annotations": {"table": "messages" if slow else "users"},
            "metadata": {"default": {"cold": slow}},
        }
        made = segment(
            f"{number + 1:032x}",
            start_ns=start * SECOND,
            end_ns=start * SECOND + (2 * SECOND if slow else SECOND // 100),
        )
        made.document.update(
            start_time=start,
            end_time=start + (2.01 if slow else 0.02),
            subsegments=[inner],
            http={"response": {"status": 500 if slow else 200}},
        )
        return [made]

    found = by_name(compare(path, many(make)))
    expected = {"table", "default.cold", "http.response.status", "status", "name", "slowest operation"}
    assert set(found) == expected
    assert found["http.response.status"].values[0].value in {"200", "500"}
    assert {each.value for each in found["slowest operation"].values} == {"DynamoDB", "Redis"}
    assert {each.value for each in found["status"].values} == {"fault"}


def test_resources_and_failures(path: Path) -> None:
    def make(number: int) -> list[Record]:
        slow = is_slow(number)
        resource = {"host.name": "one" if slow else "other", "host.id": number}
        status = Status("error" if slow else "ok")
        made = root(number)
        return [
            span(made.trace_id, start_ns=made.start_ns, end_ns=made.end_ns, resource=resource, status=status)
        ]

    found = by_name(compare(path, many(make)))
    assert set(found) == {"host.name", "status"}
    assert {value.value for value in found["status"].values} == {"ok", "error"}


def test_nothing_differs_where_one_side_is_empty(path: Path) -> None:
    made = many(lambda n: [root(n, a=n % 2)], count=20)
    nowhere = Region(0, 1, 0, 1)
    everywhere = Region(0, MAX_TIME_NS, 0, 2**70)
    assert compare(path, made, region=nowhere) == Differences(0, 20, 0, 20, [])
    assert compare(path, made, region=everywhere) == Differences(20, 0, 20, 0, [])
    assert compare(path, []) == Differences(0, 0, 0, 0, [])


def test_of_many_a_sample_is_read(path: Path) -> None:
    made = many(lambda n: [root(n, plan="free" if is_slow(n) else "pro", half=n % 8 == 0)], 2_000)
    found = compare(path, made)
    assert (found.inside, found.outside) == (500, 1_500)
    assert 0 < found.inside_read <= found.outside_read <= found.inside_read + 1 <= 301
    plan, half = found.differences
    assert (plan.name, plan.score, half.name) == ("plan", 1.0, "half")
    # What repeats does not fall through the sieve: half of those inside have it.
    assert abs(half.values[0].inside - 0.5) < 0.1


def test_a_filter_leaves_out_of_both_sides(path: Path) -> None:
    made = many(lambda n: [root(n, parity=str(n % 2), plan="free" if is_slow(n) else "pro")], count=40)
    for wanted in (TraceFilter(attributes=(("parity", "0"),)), TraceFilter(text="nobody")):
        found = compare(path, made, wanted)
        expected = (10, 10) if wanted.attributes else (0, 0)
        assert (found.inside, found.outside) == expected
        assert [each.name for each in found.differences] == (["plan"] if wanted.attributes else [])


@settings(deadline=None, max_examples=60)
@given(
    batches,
    st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(0, SECOND), st.integers(1, 61 * SECOND)),
    st.none() | st.just(("app.plan", "free")),
)
def test_whatever_arrived_can_be_compared(
    path: Path, made: list[list[Record]], region: tuple[int, int, int, int], attribute: tuple[str, str] | None
) -> None:
    first, last, low, high = region
    within = Region(NOON + first * SECOND, NOON + last * SECOND, low, high)
    search = store_of(path, made).search
    wanted = TraceFilter(attributes=(attribute,) if attribute else ())
    left = {summary.trace_id for summary in search.traces(wanted, limit=99).traces}
    ended = [
        (one.start_ns, one.duration_ns)
        for one in traces_of(made)
        if one.trace_id in left and one.duration_ns is not None
    ]
    inside = [
        1 for start, duration in ended if within.start_ns <= start < within.end_ns and low <= duration < high
    ]
    found = search.differences(wanted, within)
    assert (found.inside, found.outside) == (len(inside), len(ended) - len(inside))
    assert (found.inside_read, found.outside_read) == (found.inside, found.outside)
    for each in found.differences:
        assert 0 < each.score <= 1
        for value in each.values:
            assert 0 <= value.inside <= 1 >= value.outside >= 0

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.limits import TooMuchError
from bootstrap.collector.telemetry.masking import Masker
from tests.collector.test_store import ITEM, LINE, SEGMENT, SPAN

if TYPE_CHECKING:
    from bootstrap.collector.telemetry.records import Record

SECRET = "made-up-secret"


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = [value]
    return value


TEXTS = ["plain", SECRET, f"https://user:{SECRET}@host", "half a pair \ud800", "\x00"]
VALUES = [*TEXTS, nested(50), nested(101), 42, 1e300, None]

spans = st.builds(
    lambda name, key, value, resource: replace(
        SPAN, name=name, attributes={key: value}, resource={"service.name": resource}
    ),
    *(st.sampled_from(choices) for choices in (TEXTS, [*TEXTS, "Cookie"], VALUES, TEXTS)),
)
segments = st.sampled_from(VALUES).map(lambda value: replace(SEGMENT, document={"a": value}))
others = st.sampled_from([LINE, ITEM, replace(LINE, message=SECRET, fields=None)])


@given(st.lists(spans | segments | others, max_size=80))
def test_many_at_once_are_judged_and_masked_like_one_by_one(records: list[Record]) -> None:
    together, refused = Batch(Masker([SECRET])), list[str]()
    together.add_all(records, refused.append)
    single, reasons = Batch(Masker([SECRET])), list[str]()
    for record in records:
        try:
            single.add(record)
        except ValueError as error:
            reasons.append(str(error))
    # An item has the time of its arrival.
    assert [row[:-1] for row in together.rows] == [row[:-1] for row in single.rows]
    assert (together.shared, together.size) == (single.shared, single.size)
    assert sorted(refused) == sorted(reasons)
    assert SECRET not in repr(together.rows) + repr(together.shared)


def test_many_at_once_are_bounded_like_one_by_one() -> None:
    batch = Batch(Masker(), limit=2_000)
    with pytest.raises(TooMuchError):
        batch.add_all([replace(SPAN, name="n" * 300)] * 9, pytest.fail)

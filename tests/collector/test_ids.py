from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.telemetry.ids import parse_trace_id, to_xray

TRACE_IDS = st.integers(1, 2**128 - 1).map("{:032x}".format)


@given(TRACE_IDS)
def test_both_forms_name_the_same_trace(trace_id: str) -> None:
    assert parse_trace_id(to_xray(trace_id)) == trace_id
    assert parse_trace_id(trace_id.upper()) == trace_id


@given(st.text(alphabet="0123456789abcdefxX- \n\u0661", max_size=40))
def test_anything_else_is_none_or_a_proper_id(text: str) -> None:
    parsed = parse_trace_id(text)
    assert parsed is None or parsed in {text, text.lower(), text[2:].replace("-", "").lower()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 32,
        "1-00000000-000000000000000000000000",
        "a" * 31,
        "a" * 33,
        "a" * 32 + "\n",
        "2-12345678-123456789012345678901234",
        "1-1234567-8123456789012345678901234",
        "\u0661" * 32,
    ],
)
def test_not_an_id(text: str) -> None:
    assert parse_trace_id(text) is None

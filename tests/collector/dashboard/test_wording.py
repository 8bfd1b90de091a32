from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.dashboard import wording

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "…"),
        (0, "0"),
        (999, "999 ns"),
        (1_500, "1.50 µs"),
        (12_345_678, "12.3 ms"),
        (999_600_000, "1000 ms"),
        (9_996_000_000, "10.0 s"),
        (119 * SECOND, "119 s"),
        (150 * SECOND, "2.5 min"),
        (5_400 * SECOND, "1.5 h"),
        (10_000 * 3_600 * SECOND, "10,000.0 h"),
    ],
)
def test_durations(nanoseconds: int | None, text: str) -> None:
    assert wording.duration(nanoseconds) == text


def test_offsets() -> None:
    assert [wording.offset(each) for each in (0, 5_000_000, -2_000)] == ["+0", "+5.00 ms", "-2.00 µs"]


@pytest.mark.parametrize(
    ("past", "text"),
    [(-5, "now"), (0, "now"), (3, "3 s ago"), (61, "1 min ago"), (7_200, "2 h ago"), (200_000, "2 d ago")],
)
def test_ages(past: int, text: str) -> None:
    assert wording.ago(1_000_000 * SECOND, (1_000_000 + past) * SECOND) == text


def test_shares() -> None:
    assert [wording.percent(each) for each in (0, 0.001, 0.5, 0.996, 1)] == [
        "0 %",
        "<1 %",
        "50 %",
        ">99 %",
        "100 %",
    ]


def test_moments() -> None:
    assert wording.full(1_500_000_000) == "1970-01-01 00:00:01.500 UTC"
    assert wording.iso(1_500_000_000) == "1970-01-01T00:00:01.500000Z"
    assert wording.clock(2**63 - 1) == "23:47:16.854"


def test_what_would_not_be_seen() -> None:
    assert (
        wording.visible("a\0b\x1b[31m\x7f\x85\u202etxt\u200b\t\n")
        == "a␀b␛[31m␡⟦U+0085⟧⟦U+202E⟧txt⟦U+200B⟧\t\n"
    )


@given(st.text(st.characters()))
def test_nothing_is_invisible(text: str) -> None:
    shown = [each for each in wording.visible(text) if each not in "\t\n"]
    assert not [each for each in shown if unicodedata.category(each) in {"Cc", "Zl", "Zp", "Cs"}]
    assert not [each for each in shown if unicodedata.bidirectional(each) in STEERING]


#: what turns the direction of the text behind it
STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.masking import MAX_DEPTH, Masker
from bootstrap.model.masking import MASK

SECRET = 'made up / "secret" é'


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (SECRET, MASK),
        (f"before {SECRET} after {SECRET}", f"before {MASK} after {MASK}"),
        (f"/path?key={quote(SECRET)}", f"/path?key={MASK}"),
        (json.dumps({"key": SECRET}), json.dumps({"key": MASK})),
        ([SECRET, 1, None, True], [MASK, 1, None, True]),
        ({SECRET: {"inner": [SECRET]}}, {MASK: {"inner": [MASK]}}),
        ({"pin": 424242, "ratio": 0.5}, {"pin": MASK, "ratio": 0.5}),
        ("an innocent text", "an innocent text"),
    ],
)
def test_known_values_are_masked(given_value: Any, kept: Any) -> None:
    assert Masker([SECRET, "424242"]).value(given_value) == kept


@pytest.mark.parametrize(
    "key",
    [
        "authorization",
        "Authorization",
        "http.request.header.authorization",
        "http.request.header.x_api_key",
        "Cookie",
    ],
)
def test_credential_headers_are_masked_whatever_they_hold(key: str) -> None:
    assert Masker().value({key: ["Basic made-up"], "host": "a"}) == {key: MASK, "host": "a"}


def test_credentials_in_text_are_masked_wherever_it_stands() -> None:
    text = {"message": ["sent Authorization: Bearer made-up-1, refused"], "x-honeycomb-team=made-up": 1}
    masked = {"message": [f"sent Authorization: {MASK}, refused"], f"x-honeycomb-team={MASK}": 1}
    assert Masker().value(text) == masked


def test_a_secret_that_begins_with_another_is_masked_whole() -> None:
    assert Masker(["made-up", "made-up-longer"]).text("made-up-longer") == MASK


def test_an_empty_secret_masks_nothing() -> None:
    assert Masker([""]).value({"a": ""}) == {"a": ""}


def test_bytes_are_searched_as_bytes() -> None:
    masker = Masker([SECRET])
    assert masker.holds_secret(b"\xff" + SECRET.encode() + b"\x00")
    assert not masker.holds_secret(b"\xff\x00")


def test_absurd_nesting_is_an_error_not_a_crash() -> None:
    value: Any = "leaf"
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(ValueError, match="nested"):
        Masker().value(value)


def test_a_short_secret_masks_whole_values_only() -> None:
    kept = {"a": MASK, "b": "a 42 b", "c": MASK, "d": 142}
    assert Masker(["42"]).value({"a": "42", "b": "a 42 b", "c": 42, "d": 142}) == kept


@given(st.text(min_size=6), st.text(), st.text())
def test_no_text_keeps_the_secret(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).text(before + secret + after)
    assert all(secret not in part for part in masked.split(MASK))

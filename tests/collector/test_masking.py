from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootstrap.collector.telemetry.masking import MAX_DEPTH, Masker
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


texts = st.text(max_size=8) | st.sampled_from(
    [
        "Authorization",
        "x.Cookie",
        "coo\N{KELVIN SIGN}ie",
        "http.request.header.x_api_key",
        "1e5",
        "True",
        "nan",
    ]
)
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(leaves, lambda part: st.lists(part) | st.dictionaries(texts, part), max_leaves=20)
secrets = st.lists(texts | st.integers().map(str) | st.floats().map(str) | st.booleans().map(str), max_size=3)


@given(st.lists(values, min_size=1, max_size=3), secrets, st.data())
@example([{"a": 1e16}], ["1e+16"], None)
@example([[True]], ["True"], None)
@example(['"\\\x00'], ['"\\\x00'], None)
def test_what_passes_has_nothing_to_mask(given_values: list[Any], hidden: list[str], data: Any) -> None:
    if data and data.draw(st.booleans()):
        hidden = [*hidden, data.draw(st.sampled_from(_parts(given_values)))]
    masker = Masker(hidden)
    if masker.passes([msgspec.json.encode(value) for value in given_values]):
        assert [masker.value(value) for value in given_values] == given_values


def _parts(value: Any) -> list[str]:
    """Every text and number in a value, as text."""
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)] or [""]
    if isinstance(value, dict):
        return [part for item in value.items() for part in _parts(list(item))] or [""]
    return [str(value)]


def test_an_innocent_text_passes() -> None:
    body = msgspec.json.encode({"authorized.kind": [], "name": "cook", "size": 42, "part": "dev-1"})
    assert Masker([SECRET, "dev", "424242", "16e0958717571862", "1_0.5"]).passes([body, body])
    assert not Masker(["42"]).passes([body])
    assert not Masker().passes([body, b""])


@pytest.mark.parametrize("deep", [b"[" * 101 + b"]" * 101, b'{"a":' * 101 + b"1" + b"}" * 101])
def test_what_is_nested_too_deep_does_not_pass(deep: bytes) -> None:
    assert not Masker().passes([deep])

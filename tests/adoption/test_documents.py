"""A stranger's YAML: read as Compose reads it, and never at the price of this machine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adoption.documents import LONGEST, Overriding, Reset, UnreadableFileError, load
from bootstrap.adoption.workspace_files import from_jsonc
from bootstrap.encoding import yaml

_scalars = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12)
_values = st.recursive(
    _scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below, max_size=3),
    max_leaves=12,
)


@given(_values)
def test_what_our_own_writer_writes_is_read_back(value: Any) -> None:
    assert load(yaml.block({"value": value}).encode(), "x.yml") == {"value": value}


@given(_values)
def test_json_is_yaml(value: Any) -> None:
    text = json.dumps({"value": value})
    try:
        read = load(text.encode(), "x.yml")
    except UnreadableFileError as error:
        assert "character that YAML does not allow" in error.message  # noqa: PT017 - JSON allows a few more
    else:
        assert read == {"value": value} or "\\" in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("yes", "yes"),
        ("on", "on"),
        ("2026-01-01", "2026-01-01"),
        ("0777", 0o777),
        ("0o17", 15),
        ("0x1f", 31),
        ("08", 8.0),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
        ("True", True),
        ("'5'", "5"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_those_of_compose(text: str, value: object) -> None:
    assert load(f"a: {text}\n".encode(), "x.yml") == {"a": value}


def test_merge_keys_and_tags() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: !reset []\ne: !override [1]\n"
    made = load(text.encode(), "x.yml")
    assert made["c"] == {"x": 3, "y": 1, "z": 2}
    assert isinstance(made["d"], Reset)
    assert isinstance(made["e"], Overriding)
    assert made["e"].value == [1]


def _laughs(levels: int) -> str:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


def _merges(levels: int) -> str:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_laughs(30), "stands for more than"),
        (_merges(30), "stands for more than"),
        ("a: &a\n  b: *a\n", "a part of it holds itself"),
        ("&a [*a]", "a part of it holds itself"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ("[" * 20_000, "nested too deeply"),
        ("{a: " * 50_000, "nested too deeply"),
        ("- " * 50_000, "nested too deeply"),
        ("x" * (LONGEST + 1), "has more than"),
        ("a: 1\na: 2\n", "line 2: says 'a' twice"),
        ("? [a]\n: b\n", "has a key that is no text"),
        ("a: *nobody\n", "is not YAML"),
        ("a: 'no end\n", "is not YAML"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("a: \x07\n", "a character that YAML does not allow"),
        ("<<: 5\n", "merges what is no table"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_what_is_beyond_reason_is_refused_with_its_name(text: str, says: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        load(text.encode(), "compose.yaml")
    assert refused.value.message.startswith("compose.yaml")
    assert says in refused.value.message
    assert refused.value.hint


def test_a_value_is_never_quoted() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        load(b"password: 'plainly-fake-password\n", "compose.yaml")
    assert "plainly-fake" not in refused.value.message + refused.value.hint


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UnreadableFileError, match="is not UTF-8"):
        load(b"\xff\xfe", "compose.yaml")


@given(_values)
def test_json_with_comments_is_json_with_comments(value: Any) -> None:
    text = json.dumps([value, "// no comment /* at all */ ,]"], indent=1)
    commented = text.replace("\n", " // a comment, with a , in it\n").replace("[ //", "[ /* , ] ** */ //")
    assert from_jsonc(commented.encode(), "x.json") == [value, "// no comment /* at all */ ,]"]
    assert from_jsonc(text[:-2].encode() + b" , /* end */ ]", "x.json") == json.loads(text)


@pytest.mark.parametrize(
    "text", ["/*" * 100_000, '"' * 100_001, ",/**/" * 50_000, "[" * 200_000, ", " * 100_000]
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFileError):
        from_jsonc(text.encode(), "x.json")

"""What the YAML encoder writes, read back by PyYAML (YAML 1.1) and by Docker Compose (YAML 1.2)."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml as pyyaml
from hypothesis import strategies as st

from bootstrap.encoding import yaml
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from tests.encoding.conftest import Compose, ForAll


def same(one: object, other: object) -> bool:
    """Equal, and of equal types all the way down: 1 is not True, and not 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return repr(one) == repr(other)
    return type(one) is type(other) and one == other


@pytest.mark.soak
def test_a_block_is_read_back_as_it_was(hostile: st.SearchStrategy[str], for_all: ForAll) -> None:
    leaf = st.one_of(hostile, st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats())
    key = hostile.filter(lambda text: len(yaml.scalar(text)) <= 1024)
    data = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(key, inner, max_size=4)
    )

    def check(value: Any) -> None:
        # A block leaves the end of its last line to whoever puts it into a file.
        assert same(pyyaml.safe_load(yaml.block(value) + "\n"), value)
        nested = "key:\n" + yaml.block({"inner": value}, indent=4) + "\n"
        assert same(pyyaml.safe_load(nested), {"key": {"inner": value}})

    for_all(data, check, examples=100)


@pytest.mark.soak
def test_a_scalar_stays_on_one_line(hostile: st.SearchStrategy[str], for_all: ForAll) -> None:
    def check(value: str) -> None:
        line = yaml.scalar(value)
        assert len(line.splitlines()) == 1
        assert same(pyyaml.safe_load(f"a: {line}\nb: 1\n"), {"a": value, "b": 1})

    for_all(hostile, check, examples=400)


@pytest.mark.soak
def test_compose_reads_back_every_value_of_an_environment(
    hostile: st.SearchStrategy[str], for_all: ForAll, compose: Compose
) -> None:
    def check(values: list[str]) -> None:
        variables = {f"V_{number}": value for number, value in enumerate(values)}
        service = {"image": "x", "environment": variables}
        text = yaml.block(yaml.for_compose({"services": {"s": service}})) + "\n"
        assert compose.environment(text) == variables

    for_all(st.lists(hostile, min_size=80, max_size=100), check, examples=12)


def test_compose_itself_interprets_only_what_is_meant_for_it(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIVEN", 'it\'s "$HOME"')
    environment = {"PLAIN": "${GIVEN}", "MEANT": yaml.Interpolated("${GIVEN:+<${GIVEN}>}")}
    text = yaml.block(yaml.for_compose({"services": {"s": {"image": "x", "environment": environment}}}))
    assert compose.environment(text) == {"PLAIN": "${GIVEN}", "MEANT": '<it\'s "$HOME">'}


@pytest.mark.parametrize(
    "value",
    [
        *(
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "true",
            "False",
            "null",
            "~",
            "",
            " ",
            "-",
            "?",
            ":",
            "a: b",
            "a #b",
        ),
        *(
            "1",
            "0x1f",
            "0o7",
            "1e3",
            "1_000",
            ".5",
            ".inf",
            "-.INF",
            ".nan",
            "12:30:45",
            "2020-01-01",
            "=",
            "<<",
        ),
        *(
            "!tag",
            "&anchor",
            "*alias",
            "%YAML",
            "@at",
            "`tick",
            "{a",
            "[a",
            "- a",
            "|",
            ">",
            "'",
            '"',
            "\ta",
            "a:",
        ),
    ],
)
def test_a_text_stays_a_text(value: str) -> None:
    assert pyyaml.safe_load(f"a: {yaml.scalar(value)}") == {"a": value}
    assert pyyaml.safe_load(f"{yaml.scalar(value)}: a") == {value: "a"}
    assert pyyaml.safe_load(yaml.block([value, value])) == [value, value]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e16, 1e-7, 1.5, -0.0, 5e-324, 10**30, 0, True])
def test_a_number_stays_a_number(value: float) -> None:
    assert same(pyyaml.safe_load(yaml.block({"a": value})), {"a": value})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2020, 1, 1), "a date cannot be written as YAML"),
        (b"x", "a bytes cannot be written as YAML"),
    ],
)
def test_what_yaml_cannot_hold_is_refused(value: object, words: str) -> None:
    with pytest.raises(BootstrapError, match=words) as caught:
        yaml.block({"key": [value]})
    assert caught.value.hint


def test_a_key_that_is_too_long_for_readers_is_refused() -> None:
    longest = "x" * 1024
    assert pyyaml.safe_load(yaml.block({longest: 1})) == {longest: 1}
    with pytest.raises(BootstrapError, match="at most 1024 characters"):
        yaml.block({longest + "x": 1})


def test_readable_texts_stay_readable() -> None:
    script = "first --flag\nsecond '$HOME'\n"
    assert yaml.block({"run": script, "image": "postgres:13-alpine", "path": "./docker/db"}) == (
        "run: |\n  first --flag\n  second '$HOME'\nimage: postgres:13-alpine\npath: ./docker/db"
    )

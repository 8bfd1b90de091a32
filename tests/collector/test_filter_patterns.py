"""The filter patterns of CloudWatch Logs, each against lines that it finds and lines that it does not."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.receiving.filter_patterns import InvalidPatternError, compile_pattern
from bootstrap.collector.receiving.log_regex import InvalidRegexError, LogRegex
from bootstrap.collector.telemetry.records import LogLine

FIELDS: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "address": "111.111.111.111",
    "empty": "",
    "count": 123,
    "ratio": 12.34,
    "flag": True,
    "off": False,
    "nothing": None,
    "cluster.name": "c",
    "names": ["value", "another value"],
    "users": [{"id": 2, "email": "john@example.test"}, {"id": 3, "email": "jane@example.test"}],
    "grid": [[0, 1, 2], [4, 5, 6]],
    "user": {"id": 1, "quote": 'say "hi"', "detail-type": "x"},
}
LINE = LogLine("g", "s", 1, 1, message=json.dumps(FIELDS), fields=FIELDS)


def finds(pattern: str, line: LogLine = LINE) -> bool:
    return compile_pattern(pattern)(line)


FOUND = [
    '{ $.eventType = "UpdateTrail" }',
    "{$.eventType=UpdateTrail}",
    "{ $.eventType != NoTrail }",
    "{ $.address = 111.111.* }",
    '{ $.address != "123.*" }',
    '{ $.empty = "*" }',
    "{ $.count = 123.0 }",
    '{ $.count = "123" }',
    '{ $.count != "123.0" }',
    "{ $.count = 1* }",
    "{ $.count = 1.23e2 }",
    "{ $.ratio = *34 }",
    "{ $.count > 122 && $.count >= 123 && $.count < 1e3 && $.count <= 123 }",
    "{ $.nothing IS NULL }",
    "{ $.flag IS TRUE && $.off  IS  FALSE }",
    "{ $.missing NOT EXISTS }",
    "{ $.['cluster.name'] = \"c\" }",
    '{ $.names[1] = "another *" }',
    "{ $.users[1].id = 3 }",
    "{ $.users[*].email = %^jane% }",
    "{ $.grid[1][2] = 6 }",
    "{ $.* = %111[.]111% }",
    "{ $.user.detail-type = x }",
    r'{ $.user.quote = "say \"hi\"" }',
    "{ $.count = 1 || $.count = 2 || $.count = 123 }",
    # && comes before ||
    "{ $.count = 123 || $.count = 1 && $.count = 2 }",
    "{ ($.user.id = 1) && (($.users[0].id = 9) || $.users[0].id = 2) }",
]
NOT_FOUND = [
    "{ $.eventType != UpdateTrail }",
    "{ $.eventType > 1 }",
    "{ $.count = 12 }",
    "{ $.count != 123 }",
    "{ $.count > 123 }",
    "{ $.count IS NULL }",
    "{ $.flag IS FALSE }",
    "{ $.count NOT EXISTS }",
    "{ $.nothing NOT EXISTS }",
    "{ $.missing = * }",
    "{ $.missing != x }",
    "{ $.missing IS NULL }",
    "{ $.nothing = * }",
    "{ $.user != x }",
    "{ $.names = value }",
    "{ $.users[7].id = 3 }",
    "{ $.users[*].id = 7 }",
    "{ ($.count = 123 || $.count = 1) && $.count = 2 }",
    "{ $.user.id.deeper = 1 }",
]
INVALID = [
    "{}",
    "{ $ = 1 }",
    "{ a = 1 }",
    "{ $.a }",
    "{ $.a = }",
    "{ $.a == 1 }",
    "{ $.a > x }",
    '{ $.a > "123" }',
    "{ $.a EXISTS }",
    "{ $.a IS NOT NULL }",
    "{ $.a = 1 && }",
    "{ ($.a = 1 }",
    "{ $.a = 1) }",
    "{ $.a = 1 $.b = 2 }",
    "{ $.a[*].b[*] = 1 }",
    "{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }",
    "{ $.a = %x% || $.b = %y% || $.c = %z% }",
    "{ $.a = %(x)% }",
    "{ " + "(" * 200 + "$.a = 1" + ")" * 200 + " }",
    '"open',
    "[ip, user]",
    "%something!%",
    "%(a|b)%",
    "%é%",
    "%a",
    "%[a%",
    "%a**%",
    "%a{3,1}%",
    "%a{9999}b{9999}%",
    r"%\b%",
    "%^%",
    "%a|%",
    "%[z-a]%",
]


@pytest.mark.parametrize("pattern", FOUND)
def test_it_finds_the_line(pattern: str) -> None:
    assert finds(pattern)


@pytest.mark.parametrize("pattern", NOT_FOUND)
def test_it_does_not_find_the_line(pattern: str) -> None:
    assert not finds(pattern)


@pytest.mark.parametrize("pattern", INVALID)
def test_it_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError):
        compile_pattern(pattern)


def test_a_line_that_is_no_object_has_no_fields() -> None:
    assert not finds("{ $.missing NOT EXISTS }", LogLine("g", "s", 1, 1, message="text"))


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("", [0, 1, 2]),
        ("ERROR", [0, 1]),
        ("?400 ?401", [0, 1]),
        # Among others these count for nothing.
        ("?400 ?401 INFO", [2]),
        ("ERROR -400", [1]),
        ('"BAD REQUEST"', [0]),
        ('-"BAD REQUEST" ERROR', [1]),
        ("%ERROR 4\\d[01]%", [0, 1]),
        ("%^.INFO|REQ[A-Z]{4}$%", [0, 2]),
    ],
)
def test_lines_of_any_kind(pattern: str, numbers: list[int]) -> None:
    lines = ["[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED", "[INFO] REQUEST served"]
    matches = compile_pattern(pattern)
    assert [n for n, text in enumerate(lines) if matches(LogLine("g", "s", 1, 1, message=text))] == numbers


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c0-9]", r"\d", r"\.", r"\w", r"\S", "-"])
COUNTS = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,}", "{0,2}", "{1,3}"])
PARTS = st.lists(st.tuples(ATOMS, COUNTS).map("".join), min_size=1, max_size=5).map("".join)
ALTERNATIVES = st.tuples(st.sampled_from(["", "^"]), PARTS, st.sampled_from(["", "$"])).map("".join)
REGEXES = st.lists(ALTERNATIVES, min_size=1, max_size=3).map("|".join)


@given(REGEXES, st.text("abc.01-_ \né", max_size=12))
def test_expressions_find_what_python_s_find(expression: str, text: str) -> None:
    # Python's $ also comes before the last line end.
    expected = re.search(re.sub(r"\$(?=\||\Z)", r"\\Z", expression), text, re.ASCII)
    assert LogRegex(expression).is_in(text) == bool(expected)


def test_an_expression_that_python_s_would_take_for_ever_with() -> None:
    assert not LogRegex("a*a*a*a*a*a*a*a*b").is_in("a" * 20_000)


@given(st.text(max_size=60) | st.text("{}()$.=\"a1 &|<>-?*%[]'!ISNULOTEXR", max_size=40))
def test_any_pattern_is_taken_or_refused(pattern: str) -> None:
    with contextlib.suppress(InvalidPatternError):
        assert finds(pattern) in {True, False}


@given(st.text("ab|^$[]{}\\*+.?-d1,", max_size=12), st.text(max_size=9))
def test_any_expression_is_taken_or_refused(expression: str, text: str) -> None:
    with contextlib.suppress(InvalidRegexError):
        assert LogRegex(expression).is_in(text) in {True, False}

"""The filter patterns of CloudWatch Logs for lines that are JSON objects: `{ $.status >= 500 && ... }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html: conditions
joined by && and ||, with parentheses. A selector goes through objects (`$.user.id`, `$.['cluster.name']`,
`$.*`) and lists (`$.users[0]`, `$.users[*]`); = and != take a text with * in it, a number or a %regular
expression%; <, <=, > and >= a number; and there are IS NULL, IS TRUE, IS FALSE and NOT EXISTS.
"""

import operator
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from bootstrap.collector.receiving.log_regex import InvalidRegexError, LogRegex

Fields = dict[str, Any]
Test = Callable[[Fields], bool]
_Compare = Callable[[Any], bool]
_Step = str | int | None
"""A name, a place in a list, or None for any of either."""

MAX_REGEXES = 2
MAX_WILDCARDS = 3
_MAX_DEPTH = 50

_STEP = re.compile(r"\.([\w\-]+)|\.?\['([^']+)'\]|(\.\*)|\[([0-9]{1,9})\]|(\[\*\])", re.ASCII)
_WORD = re.compile(r"\s*(IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS)(?!\w)", re.ASCII)
_OPERATOR = re.compile(r"\s*(!=|<=|>=|=|<|>)\s*")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|%((?:[^%])+)%|([^\s"&|(){}%]+)')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SPACE = re.compile(r"\s*")
_ESCAPED = re.compile(r"\\(.)")
_WILD = re.compile(r"[\[?]")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidJsonPatternError(ValueError):
    """A pattern that is none."""


def compile_json_pattern(text: str) -> Test:
    """Make a test for the fields of a line, of what stands between the braces; InvalidJsonPatternError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._regexes = self._wildcards = 0

    def whole(self) -> Test:
        test = self._either(0)
        if self._at < len(self._text):
            raise _invalid()
        return test

    def _either(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._took("||"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda fields: any(test(fields) for test in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._took("&&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda fields: all(test(fields) for test in tests)

    def _one(self, depth: int) -> Test:
        if not self._took("("):
            return self._condition()
        if depth == _MAX_DEPTH:
            raise _invalid()
        test = self._either(depth + 1)
        if not self._took(")"):
            raise _invalid()
        return test

    def _took(self, sign: str) -> bool:
        """Step over a sign, and the spaces around it, if it comes next."""
        self._skip()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        self._skip()
        return True

    def _skip(self) -> None:
        self._take(_SPACE)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _condition(self) -> Test:
        steps = self._selector()
        if word := self._take(_WORD):
            return _asked(steps, word[1].split()[1])
        sign = self._take(_OPERATOR)
        value = self._take(_VALUE)
        if sign is None or value is None:
            raise _invalid()
        compare = self._compare(sign[1], *value.groups())
        return lambda fields: any(compare(found) for found in _find(fields, steps))

    def _selector(self) -> list[_Step]:
        if not self._took("$"):
            raise _invalid()
        steps: list[_Step] = []
        while step := self._take(_STEP):
            name, quoted, any_name, place, _ = step.groups()
            steps.append(name or quoted or (int(place) if place else None))
            wild = any_name is not None or step[0] == "[*]"
            self._wildcards += wild
        if not steps or steps.count(None) > 1 or self._wildcards > MAX_WILDCARDS:
            raise _invalid()
        return steps

    def _compare(self, sign: str, quoted: str | None, regex: str | None, bare: str | None) -> _Compare:
        if sign in _ORDERS:
            number = _number(bare)
            if number is None:
                raise _invalid()
            order = _ORDERS[sign]
            return lambda value: _is_number(value) and order(value, number)
        equals = self._matches(regex) if regex is not None else _equals(quoted, bare)
        return equals if sign == "=" else lambda value: _is_plain(value) and not equals(value)

    def _matches(self, expression: str) -> _Compare:
        self._regexes += 1
        if self._regexes > MAX_REGEXES:
            raise _invalid()
        try:
            regex = LogRegex(expression)
        except InvalidRegexError as error:
            raise _invalid() from error
        return lambda value: _is_plain(value) and regex.is_in(str(value))


def _asked(steps: list[_Step], word: str) -> Test:
    match word:
        case "EXISTS":
            return lambda fields: not _find(fields, steps)
        case "NULL":
            return lambda fields: any(found is None for found in _find(fields, steps))
        case _:
            wanted = word == "TRUE"
            return lambda fields: any(found is wanted for found in _find(fields, steps))


def _equals(quoted: str | None, bare: str | None) -> _Compare:
    """Compare as a number where one is written without quotes, and as a text with * in it."""
    number = _number(bare)
    text = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
    # fnmatch knows more wildcards than CloudWatch does.
    glob = _WILD.sub(r"[\g<0>]", text or "")

    def equals(value: Any) -> bool:
        if number is not None and _is_number(value):
            return bool(value == number)
        return _is_plain(value) and fnmatchcase(str(value), glob)

    return equals


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _find(fields: Any, steps: list[_Step]) -> list[Any]:
    """What stands where the steps lead to: several with a wildcard, none where nothing does."""
    found = [fields]
    for step in steps:
        found = [inner for value in found for inner in _below(value, step)]
    return found


def _below(value: Any, step: _Step) -> list[Any]:
    match value, step:
        case dict(), str() if step in value:
            return [value[step]]
        case list(), int() if step < len(value):
            return [value[step]]
        case dict(), None:
            return list(value.values())
        case list(), None:
            return value
        case _:
            return []


def _invalid() -> InvalidJsonPatternError:
    return InvalidJsonPatternError("Invalid filter pattern")

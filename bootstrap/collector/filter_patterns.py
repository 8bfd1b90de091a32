"""The filter patterns of CloudWatch Logs, as far as somebody who looks for a trace or a word needs them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html: words and "quoted
phrases" that all have to be in a line, `-word` that must not, `?word` of which one has to; or, of lines that
are JSON objects, `{ $.status = 500 && $.path = "/api/*" }` with = and != and &&.
"""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from bootstrap.collector.records import LogLine

Matches = Callable[[LogLine], bool]

_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_CONDITION = re.compile(
    r'\s*\$\.([\w.\-]+)\s*(!?=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"&|(){}]+))\s*(&&|$)', re.ASCII
)
_ESCAPED = re.compile(r"\\(.)")
_WILD = re.compile(r"[\[?]")
_MISSING = object()


class InvalidPatternError(ValueError):
    """A pattern that is none, or one that the collector does not know."""


def compile_pattern(pattern: str) -> Matches:
    """Make a test for lines; InvalidPatternError."""
    text = pattern.strip()
    if text.startswith("{") and text.endswith("}"):
        return _of_fields(text[1:-1].strip())
    if text.startswith(("{", "[", "%")):
        raise InvalidPatternError("Invalid filter pattern")
    return _of_words(text)


def _of_words(text: str) -> Matches:
    needed: list[str] = []
    excluded: list[str] = []
    optional: list[str] = []
    by_sign = {"": needed, "-": excluded, "?": optional}
    at = 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            raise InvalidPatternError("Invalid filter pattern")
        by_sign[term[1]].append(term[3] if term[2] is None else _ESCAPED.sub(r"\1", term[2]))
        at = term.end()

    def matches(line: LogLine) -> bool:
        return (
            all(word in line.message for word in needed)
            and not any(word in line.message for word in excluded)
            and (not optional or any(word in line.message for word in optional))
        )

    return matches


def _of_fields(text: str) -> Matches:
    conditions: list[tuple[list[str], bool, Callable[[Any], bool]]] = []
    at, joined = 0, "&&"
    while joined:
        condition = _CONDITION.match(text, at)
        if condition is None:
            raise InvalidPatternError("Invalid filter pattern")
        path, sign, quoted, bare, joined = condition.groups()
        value = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
        conditions.append((path.split("."), sign == "=", _equals(value, is_text=quoted is not None)))
        at = condition.end()

    def matches(line: LogLine) -> bool:
        if line.fields is None:
            return False
        found = [(_find(line.fields, path), wanted, equals) for path, wanted, equals in conditions]
        return all(value is not _MISSING and equals(value) == wanted for value, wanted, equals in found)

    return matches


def _equals(wanted: str, *, is_text: bool) -> Callable[[Any], bool]:
    """Compare as a number where one is written without quotes, as a text with * in it otherwise."""
    try:
        number = None if is_text else float(wanted)
    except ValueError:
        number = None
    # fnmatch knows more wildcards than CloudWatch does.
    glob = _WILD.sub(r"[\g<0>]", wanted)

    def equals(value: Any) -> bool:
        if isinstance(value, str):
            return fnmatchcase(value, glob)
        if number is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return bool(value == number)
        return False

    return equals


def _find(fields: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(fields, dict) or name not in fields:
            return _MISSING
        fields = fields[name]
    return fields

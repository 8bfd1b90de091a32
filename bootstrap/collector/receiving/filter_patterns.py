"""The filter patterns of CloudWatch Logs: for lines of any kind, and for those that are JSON objects.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html: words and "quoted
phrases" that all have to be in a line, `-word` that must not, `?word` of which one has to where there is
nothing else; or one %regular expression%; or `{ $.status = 500 }` (`json_patterns`). Those for fields with
spaces between, `[ip, user, ...]`, are refused.
"""

import re
from collections.abc import Callable

from bootstrap.collector.receiving.json_patterns import InvalidJsonPatternError, compile_json_pattern
from bootstrap.collector.receiving.log_regex import InvalidRegexError, LogRegex
from bootstrap.collector.telemetry.records import LogLine

Matches = Callable[[LogLine], bool]

_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_REGEX = re.compile("%([^%]+)%")
_ESCAPED = re.compile(r"\\(.)")


class InvalidPatternError(ValueError):
    """A pattern that is none, or one that the collector does not know."""


def compile_pattern(pattern: str) -> Matches:
    """Make a test for lines; InvalidPatternError."""
    text = pattern.strip()
    try:
        if text.startswith("{") and text.endswith("}"):
            fields_match = compile_json_pattern(text[1:-1])
            return lambda line: line.fields is not None and fields_match(line.fields)
        if found := _REGEX.fullmatch(text):
            regex = LogRegex(found[1])
            return lambda line: regex.is_in(line.message)
    except (InvalidJsonPatternError, InvalidRegexError) as error:
        raise InvalidPatternError(str(error)) from error
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
    if needed or excluded:
        # The service leaves them out of account then, and says so.
        optional.clear()

    def matches(line: LogLine) -> bool:
        return (
            all(word in line.message for word in needed)
            and not any(word in line.message for word in excluded)
            and (not optional or any(word in line.message for word in optional))
        )

    return matches

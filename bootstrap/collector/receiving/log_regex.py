"""The regular expressions of CloudWatch Logs' filter patterns, matched in time that grows with the text.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html: there are no groups, so that
an expression is alternatives of parts in a row, each a set of characters and how often it comes. All places
that a text may have led to are followed at once, as the bits of a number.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_MOST_PARTS = 1_000

_PART = re.compile(
    r"(?:\\(?P<escaped>.)|\[(?P<class>\^?(?:\\.|[^\]\\])+)\]|(?P<any>\.)|(?P<plain>[A-Za-z0-9:_#=@/;,\- ]))"
    r"(?:(?P<sign>[?*+])|\{(?P<least>[0-9]{1,4})(?P<comma>,)?(?P<most>[0-9]{1,4})?\})?",
    re.ASCII | re.DOTALL,
)
_IN_CLASS = re.compile(r"\\(.)|(.)-((?!\])[^\\])|(.)", re.DOTALL)
_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]+", re.ASCII)
_SETS: dict[str, Callable[[str], bool]] = {
    "d": lambda character: character in "0123456789",
    "w": lambda character: character.isascii() and (character.isalnum() or character == "_"),
    "s": lambda character: character in " \t\n\r\f\v",
}

Accepts = Callable[[str], bool]


class InvalidRegexError(ValueError):
    """An expression that is none, or one with more than the documented operators."""


class _Part(NamedTuple):
    accepts: Accepts
    #: it may be left out; it may come again
    optional: bool
    repeated: bool


class LogRegex:
    """One expression; raises InvalidRegexError."""

    def __init__(self, expression: str) -> None:
        if not _ALLOWED.fullmatch(expression):
            raise InvalidRegexError("Invalid regular expression")
        self._alternatives = [_Alternative(text) for text in _split(expression)]

    def is_in(self, text: str) -> bool:
        """Whether it matches somewhere in a text."""
        return any(alternative.is_in(text) for alternative in self._alternatives)


def _split(expression: str) -> list[str]:
    """Split at each `|` that is neither escaped nor in a class."""
    parts, start, in_class, at = [], 0, False, 0
    while at < len(expression):
        match expression[at]:
            case "\\":
                at += 1
            case "[":
                in_class = True
            case "]":
                in_class = False
            case "|" if not in_class:
                parts.append(expression[start:at])
                start = at + 1
        at += 1
    return [*parts, expression[start:]]


class _Alternative:
    def __init__(self, text: str) -> None:
        self._from_start = text.startswith("^")
        text = text.removeprefix("^")
        escapes = len(text[:-1]) - len(text[:-1].rstrip("\\"))
        self._to_end = text.endswith("$") and escapes % 2 == 0
        self._parts = _read(text[:-1] if self._to_end else text)
        if not self._parts:
            raise InvalidRegexError("Invalid regular expression")
        self._optional = _bits(part.optional for part in self._parts)
        self._repeated = _bits(part.repeated for part in self._parts)
        self._accepting: dict[str, int] = {}

    def is_in(self, text: str) -> bool:
        """Follow the text: bit n says that the first n parts may be behind."""
        end = 1 << len(self._parts)
        first = places = self._skipping(1)
        for character in text:
            if places & end and not self._to_end:
                return True
            taken = places & self._taking(character)
            places = self._skipping(taken << 1 | taken & self._repeated)
            if not self._from_start:
                places |= first
            elif not places:
                return False
        return bool(places & end)

    def _skipping(self, places: int) -> int:
        while (further := places | (places & self._optional) << 1) != places:
            places = further
        return places

    def _taking(self, character: str) -> int:
        known = self._accepting.get(character)
        if known is None:
            known = _bits(part.accepts(character) for part in self._parts)
            self._accepting[character] = known
        return known


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def _read(text: str) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise InvalidRegexError("Invalid regular expression")
        parts += _repeat(_accepts(found), found)
        if len(parts) > _MOST_PARTS:
            raise InvalidRegexError("The regular expression is too long")
        at = found.end()
    return parts


def _repeat(accepts: Accepts, found: re.Match[str]) -> list[_Part]:
    if found["least"] is None:
        sign = found["sign"] or ""
        return [_Part(accepts, optional=sign in {"?", "*"}, repeated=sign in {"*", "+"})]
    least = int(found["least"])
    parts = [_Part(accepts, optional=False, repeated=False)] * least
    if found["most"] is not None:
        more = int(found["most"]) - least
        if more < 0 or not found["comma"]:
            raise InvalidRegexError("Invalid regular expression")
        parts += [_Part(accepts, optional=True, repeated=False)] * more
    elif found["comma"]:
        parts.append(_Part(accepts, optional=True, repeated=True))
    return parts


def _accepts(found: re.Match[str]) -> Accepts:
    if found["any"]:
        return lambda character: character != "\n"
    if found["escaped"]:
        return _escaped(found["escaped"])
    if found["class"] is not None:
        return _class(found["class"])
    return found["plain"].__eq__


def _escaped(character: str) -> Accepts:
    known = _SETS.get(character.lower())
    if known is None:
        if character.isalnum():
            raise InvalidRegexError("Invalid regular expression")
        return character.__eq__
    return known if character.islower() else lambda other: not known(other)


def _class(text: str) -> Accepts:
    negated = text.startswith("^")
    members: list[Accepts] = []
    for found in _IN_CLASS.finditer(text.removeprefix("^")):
        escaped, first, last, single = found.groups()
        if escaped:
            members.append(_escaped(escaped))
        elif single:
            members.append(single.__eq__)
        elif first > last:
            raise InvalidRegexError("Invalid regular expression")
        else:
            members.append(_between(first, last))
    return lambda character: any(member(character) for member in members) != negated


def _between(first: str, last: str) -> Accepts:
    return lambda character: first <= character <= last

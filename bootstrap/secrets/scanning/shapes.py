"""Finds what looks like a vendor's token and is none of the many words that look a little like one."""

import re
from collections.abc import Iterator

from bootstrap.model.tokens import TokenShape

#: how far from its keyword a token may stand, in bytes: minified code has lines of a megabyte
NEAR = 200
#: bytes of the longest token that is expected
LONGEST = 4096
#: bytes of the longest token of a certain length, which has to be seen to its end
_BOUNDED = 128
#: letters of a keyword that counts only as a word of its own: as a part of one it may be chance
_SHORT = 4
# A token starts where a word starts; in JSON and in URLs, that may be right behind an escaped character.
_ESCAPES = rb"(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})"
_PLACEHOLDERS = re.compile(
    rb"example|fake|dummy|placeholder|changeme|redacted|sample|your|xxxx|1234567|abcdefg|([0-9a-z])\1{5}",
    re.IGNORECASE,
)
#: what stands right before a number that is no secret
_INNOCENT = re.compile(
    rb"(?:trace|(?:trace|span).?id|md5|sha-?\d+|commit|checksum|digest|etag)\W*$", re.IGNORECASE
)
_INNOCENT_REACH = 24
_HEX = re.compile(rb"[0-9a-fA-F]+")
#: hexadecimal digits of a git object's name, and of the checksums that stand in lock files
_CHECKSUMS = (40, 64)
_DIGITS = re.compile(rb"[0-9]+")
_KIND_CHANGES = re.compile(rb"[a-z](?=[^a-z])|[A-Z](?=[^A-Z])|[0-9](?=[^0-9])")


class Shape:
    """One TokenShape, ready to be looked for."""

    def __init__(self, shape: TokenShape) -> None:
        self.title = shape.title
        self._keywords = tuple(word.lower().encode() for word in shape.keywords)
        pattern = shape.pattern.encode("ascii")
        # A token that may hold a slash ends at none. A hyphen makes a bare token the part of a longer name.
        word = rb"A-Za-z0-9_" + (rb"\-" if self._keywords else b"") + (rb"/+=" if b"/" in pattern else b"")
        before = word.replace(b"=", b"")  # as in NAME=token
        self._loose = re.compile(pattern)
        self._strict = re.compile(rb"(?:(?<![%s])|%s)(?:%s)(?![%s])" % (before, _ESCAPES, pattern, word))

    def positions(self, data: bytes, lower: bytes, *, binary: bool) -> Iterator[tuple[int, int]]:
        """Find every place where such a token stands: start and end. `lower` is `data` in lower case."""
        if not self._keywords:
            # Without a look behind, `re` skips to where a token can start.
            if self._loose.search(data):
                yield from self._plausible(data, 0, len(data))
        elif not binary:
            for start, end in self._neighbourhoods(data, lower):
                yield from self._plausible(data, start, end)

    def _neighbourhoods(self, data: bytes, lower: bytes) -> Iterator[tuple[int, int]]:
        """Find the line of each keyword and the one after it, no two of them overlapping."""
        spots = sorted(spot for word in self._keywords if word in lower for spot in _spots(lower, word))
        done = 0
        for spot in spots:
            start = max(data.rfind(b"\n", 0, spot) + 1, spot - NEAR, done)
            line_end = data.find(b"\n", spot)
            next_end = data.find(b"\n", line_end + 1) if line_end >= 0 else -1
            end = min(next_end if next_end >= 0 else len(data), spot + 2 * NEAR)
            if start < end:
                yield start, end
                done = end

    def _plausible(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Find the tokens that start in a range and may be real."""
        for match in self._strict.finditer(data, start, min(end + _BOUNDED, len(data))):
            if match.start() >= end:
                return
            if looks_real(match[0], bare=bool(self._keywords)) and not (
                self._keywords and self._is_something_else(data, match)
            ):
                yield match.span()

    def _is_something_else(self, data: bytes, match: re.Match[bytes]) -> bool:
        """Whether it is a name made with the keyword, or what stands before it says that it is no secret."""
        token = match[0].lower()
        before = data[max(0, match.start() - _INNOCENT_REACH) : match.start()]
        return any(word in token for word in self._keywords) or _INNOCENT.search(before) is not None


def looks_real(token: bytes, *, bare: bool) -> bool:
    """Whether a token may be a vendor's: no placeholder and, where `bare`, as mixed as chance makes it."""
    if _PLACEHOLDERS.search(token) or _repeats(token):
        return False
    if not bare:
        return True
    if token.isalpha() or token.isdigit():
        return False
    if _HEX.fullmatch(token):
        return len(token) not in _CHECKSUMS
    if b"/" in token and (token.lower() == token or token.upper() == token):
        return False  # a path
    # In a random word digits stand here and there, or many neighbours are of different kinds; in
    # somebodysCamelCaseName2026 they do not.
    groups = len(_DIGITS.findall(token))
    return 8 * groups >= len(token) or 3 * len(_KIND_CHANGES.findall(token)) >= len(token)


def _repeats(token: bytes) -> bool:
    """Whether it has few different characters, as what people type to fill a place has."""
    return len(set(token)) < 8 or len(set(token[-16:])) < 6  # noqa: PLR2004 - of 16 random hexadecimal digits, 10


def _spots(data: bytes, word: bytes) -> Iterator[int]:
    """Find every place of a keyword."""
    spot = data.find(word)
    while spot >= 0:
        end = spot + len(word)
        if len(word) > _SHORT or not (data[spot - 1 : spot].isalnum() or data[end : end + 1].isalnum()):
            yield spot
        spot = data.find(word, end)

"""Looks through bytes for leaked secrets, and says where they stand without ever saying what they are."""

import codecs
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from bootstrap.model.masking import MASK
from bootstrap.model.tokens import TokenShape
from bootstrap.secrets.scanning.needles import as_bytes, needles
from bootstrap.secrets.scanning.shapes import LONGEST, NEAR, Shape

#: bytes of a file that are looked at in one piece
PIECE = 4 * 1024 * 1024
_ALLOWANCE = re.compile(rb"bootstrap:allow-secret\b[ \t]*([^\r\n]*)")
# A reason is words: what closes a comment or a string is none.
_WORD = re.compile(rb"[A-Za-z]{3,}|[\x80-\xff]{3,}")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
#: as git decides whether a file is binary
_BINARY_HEAD = 8000


class Leak(Struct, frozen=True):
    """One place where a secret stands; it never holds the text that stands there."""

    path: str
    #: both counted from 1, the column in characters; 0 where the secret is in the file's name
    line: int
    column: int
    #: the name of the project's own secret, or what a vendor's token looks like
    what: str
    #: whether `what` names a secret of the project
    own: bool
    #: the reason that an allowance on the same line gives; such a leak is no problem
    allowed: str = ""
    note: str = ""


class _Found(NamedTuple):
    start: int
    end: int
    what: str
    own: bool
    part: bool


class Scanner:
    """Knows what to look for: `values` (names with values) in every spelling, and the vendors' `shapes`.

    The values stay in memory. `skipped` says, by name, why a value is not looked for.
    """

    def __init__(self, values: Iterable[tuple[str, str]], shapes: Iterable[TokenShape] = ()) -> None:
        self._needles, self.skipped = needles(values)
        self._shapes = [Shape(shape) for shape in dict.fromkeys(shapes)]
        longest = max((len(needle.head) + len(needle.tail) for needle in self._needles), default=0)
        #: bytes after a position that decide whether a secret starts there
        self.reach = max(longest, LONGEST) + 2 * NEAR

    def scan(self, path: str, data: bytes) -> list[Leak]:
        """Look through one file's bytes."""
        return list(self.scan_pieces(path, [data]))

    def scan_pieces(self, path: str, pieces: Iterable[bytes]) -> Iterator[Leak]:
        """Look through a file that comes in pieces, in memory of about one piece.

        Text in UTF-16 is recognised by its byte order mark, and positions in it are those of the text.
        """
        plain = _Reading(self, path)
        decoded: _Reading | None = None
        decoder: codecs.IncrementalDecoder | None = None
        for number, piece in enumerate(pieces):
            if number == 0 and piece[:2] in _BOMS:
                decoder = codecs.getincrementaldecoder(_BOMS[piece[:2]])("replace")
                decoded = _Reading(self, path)
            yield from plain.feed(piece)
            if decoder is not None and decoded is not None:
                text = decoder.decode(piece).removeprefix("\ufeff")
                yield from decoded.feed(text.encode(errors="replace"))
        yield from plain.finish()
        if decoded is not None:
            yield from decoded.finish()

    def scan_name(self, path: str, prefix: str = "") -> tuple[str, list[Leak]]:
        """Look at a file's name; return the name as it may be shown, behind `prefix`, and the leaks in it."""
        data = as_bytes(path)
        found = self._find(data)
        if not found:
            return prefix + path, []
        for item in reversed(found):
            data = data[: item.start] + MASK.encode() + data[item.end :]
        shown = prefix + data.decode(errors="replace")
        note = "in the file's name"
        return shown, [Leak(shown, 0, 0, item.what, item.own, note=note) for item in found]

    def _find(self, data: bytes, *, binary: bool = False) -> list[_Found]:
        """Find everything in order, one finding at one place: own values first, then the longest."""
        found = [
            _Found(start, end, needle.name, own=True, part=needle.part)
            for needle in self._needles
            if needle.head in data
            for start, end in needle.positions(data)
        ]
        found = _apart(found, [])
        if not self._shapes:
            return found
        lower = data.lower()
        shaped = [
            _Found(start, end, shape.title, own=False, part=False)
            for shape in self._shapes
            for start, end in shape.positions(data, lower, binary=binary)
        ]
        return _apart(shaped, found)


def _apart(new: list[_Found], kept: list[_Found]) -> list[_Found]:
    """Add to `kept` what overlaps nothing in it; of two that overlap each other, the first stays."""
    starts = [item.start for item in kept]
    added: list[_Found] = []
    for item in sorted(new, key=lambda item: (item.start, -item.end)):
        after = bisect_left(starts, item.end)
        if after and kept[after - 1].end > item.start:
            continue
        if not added or added[-1].end <= item.start:
            added.append(item)
    return sorted([*kept, *added])


class _Reading:
    """One file while it comes in: what of it is still needed, and where in the file that is."""

    def __init__(self, scanner: Scanner, path: str) -> None:
        self._scanner = scanner
        self._path = path
        self._buffer = b""
        self._binary: bool | None = None
        #: offset in the buffer up to which everything is reported
        self._reported = 0
        self._line = 1
        self._characters = 0
        self._last_part: tuple[str, int] | None = None

    def feed(self, piece: bytes) -> Iterator[Leak]:
        """Take a piece, and report what surely starts in what is there so far."""
        if self._binary is None:
            self._binary = b"\0" in piece[:_BINARY_HEAD]
        self._buffer = self._buffer + piece if self._buffer else piece
        yield from self._report(len(self._buffer) - self._scanner.reach)

    def finish(self) -> Iterator[Leak]:
        """Report the rest."""
        yield from self._report(len(self._buffer))

    def _report(self, until: int) -> Iterator[Leak]:
        if until <= self._reported:
            return
        mark, line = 0, self._line
        for found in self._scanner._find(self._buffer, binary=bool(self._binary)):  # noqa: SLF001 - its other half
            if not self._reported <= found.start < until:
                continue
            line += self._buffer.count(b"\n", mark, found.start)
            mark = found.start
            if found.part and self._continues(found.what, line):
                continue
            yield self._leak(found, line)
        self._reported = until
        self._forget(max(0, until - 4 * NEAR))

    def _continues(self, name: str, line: int) -> bool:
        """Whether the line before was another one of the same value: a key is one leak, not thirty."""
        before, self._last_part = self._last_part, (name, line)
        return before is not None and before[0] == name and before[1] in (line, line - 1)

    def _leak(self, found: _Found, line: int) -> Leak:
        start = self._buffer.rfind(b"\n", 0, found.start) + 1
        end = self._buffer.find(b"\n", found.start)
        text = self._buffer[start : end if end >= 0 else None]
        before = self._characters if start == 0 else 0
        column = before + len(self._buffer[start : found.start].decode(errors="replace")) + 1
        allowed, note = _allowance(text)
        return Leak(self._path, line, column, found.what, found.own, allowed, note)

    def _forget(self, until: int) -> None:
        """Drop what no later finding needs."""
        gone = self._buffer[:until]
        ends = gone.count(b"\n")
        last = gone[gone.rfind(b"\n") + 1 :].decode(errors="replace")
        self._line += ends
        self._characters = len(last) + (0 if ends else self._characters)
        self._buffer = self._buffer[until:]
        self._reported -= until


def _allowance(line: bytes) -> tuple[str, str]:
    """Read the allowance on a line: its reason, or a note that it has none."""
    found = _ALLOWANCE.search(line)
    if found is None:
        return "", ""
    reason = _reason(found[1])
    return (reason, "") if reason else ("", "the allowance on this line has no reason, so it does not count")


def _reason(text: bytes) -> str:
    """Strip what closes a comment or a string; a reason has a word of three letters."""
    stripped = text.strip().rstrip(b"-*/>#\"'`,;)]} \t")
    return stripped.decode(errors="replace").lstrip(": ") if _WORD.search(stripped) else ""

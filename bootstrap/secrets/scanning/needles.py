"""How a secret value may be spelled in a file: the byte strings to look for."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote

from bootstrap.secrets.scanning.worth import SHORTEST, password_of, why_not

#: A search for a long needle prepares a table of its length for every file, so only its head is searched.
_HEAD = 64
#: what a line of a PEM block, or of another encoded key, consists of
_ENCODED_LINE = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_PERCENT = re.compile("%[0-9A-F]{2}")
#: characters of the base64 text that also depend on 0, 1 or 2 bytes before the value
_FOREIGN = (0, 2, 3)


class Needle(NamedTuple):
    """One spelling of the value of the secret called `name`."""

    name: str
    #: a line of a longer value, which is expected beside other ones
    part: bool
    head: bytes
    tail: bytes

    def positions(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find every place where it stands in `data`: start and end."""
        start = data.find(self.head)
        while start >= 0:
            middle = start + len(self.head)
            found = data.startswith(self.tail, middle)
            if found:
                yield start, middle + len(self.tail)
            start = data.find(self.head, middle if found else start + 1)


def needles(values: Iterable[tuple[str, str]]) -> tuple[list[Needle], dict[str, str]]:
    """Spell every value of a name; also return why a value is not looked for, by name."""
    spelled: dict[tuple[bytes, bool], list[str]] = {}
    skipped: dict[str, str] = {}
    for name, value in sorted(set(values)):
        reason = why_not(value)
        if reason is not None:
            skipped[name] = reason
            continue
        for spelling in spellings(value):
            spelled.setdefault((spelling, False), []).append(name)
        for line in _lines(value):
            spelled.setdefault((line, True), []).append(name)
    return [
        Needle(", ".join(dict.fromkeys(names)), part, spelling[:_HEAD], spelling[_HEAD:])
        for (spelling, part), names in spelled.items()
    ], skipped


def spellings(value: str) -> set[bytes]:
    """Spell a value in every encoding, and the password by itself where it is a URL with one."""
    text = value.strip()
    unix = text.replace("\r\n", "\n")
    forms = {text, unix, unix.replace("\n", "\r\n")}
    password = password_of(text)
    if password is not None:
        forms |= {form for form in (password, unquote(password)) if len(form) >= SHORTEST}
    found: set[bytes] = set()
    for form in forms:
        found |= (
            {as_bytes(form)} | _escaped(form) | _percent_encoded(as_bytes(form)) | _base64(as_bytes(form))
        )
    return found


def as_bytes(text: str) -> bytes:
    """Encode as UTF-8; what Python could not decode becomes the bytes that it was."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _escaped(form: str) -> set[bytes]:
    """Escape as JSON writers do, and as Python's repr; some writers also escape the slash, or <, > and &."""
    found = {json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1], repr(form)[1:-1]}
    found |= {text.replace("/", "\\/") for text in found}
    for character in "<>&":
        found |= {text.replace(character, f"\\u{ord(character):04x}") for text in found}
    return {as_bytes(text) for text in found}


def _percent_encoded(data: bytes) -> set[bytes]:
    """Encode as for a path, a query, a form, and as JavaScript does; hexadecimal digits in either case."""
    found = {quote(data, safe=""), quote(data), quote_plus(data), quote(data, safe="!'()*")}
    found |= {_PERCENT.sub(lambda match: match[0].lower(), text) for text in found}
    return {text.encode() for text in found}


def _base64(data: bytes) -> set[bytes]:
    """Encode behind 0, 1 and 2 other bytes, and keep what depends on the value alone."""
    found = set()
    for before, foreign in enumerate(_FOREIGN):
        complete = (before + len(data)) * 8 // 6
        shifted = b"\0" * before + data
        found |= {
            encode(shifted)[foreign:complete] for encode in (base64.b64encode, base64.urlsafe_b64encode)
        }
    return found


def _lines(value: str) -> set[bytes]:
    """Take the encoded lines of a multi-line value; in JSON their ends are two characters."""
    lines = value.replace("\\n", "\n").splitlines()
    if len(lines) == 1:
        return set()
    return {line.strip().encode() for line in lines if _ENCODED_LINE.fullmatch(line.strip())}

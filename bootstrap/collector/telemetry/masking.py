"""What never reaches the store: secret values, and whatever travels in credential headers."""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from bootstrap.collector.telemetry.credentials import NAMES, mask_credentials, may_hold
from bootstrap.model.masking import MASK, TELLING, Mask

MAX_DEPTH = 100


class Masker:
    """Masks secret values in texts, bytes and JSON values, and whatever looks like a credential there."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._mask = Mask(hidden)
        spellings = self._mask.spellings
        self._marks = _shortest(filter(None, map(_mark, spellings)))
        self._anywhere = any(map(_is_like_a_fraction, spellings))

    def passes(self, bodies: Sequence[bytes]) -> bool:
        """Whether texts of JSON, as msgspec writes it, have nothing to mask and are not nested too deep.

        Much faster than to mask them, most of all for many at once. Those that do not pass may be innocent.
        """
        if self._anywhere or not all(map(_is_shallow, bodies)):
            return False
        data = b"\n".join(bodies)
        text = data.decode()
        return not any(mark in text for mark in self._marks) and not may_hold(data)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return mask_credentials(self._mask(text))

    def holds_secret(self, data: bytes) -> bool:
        """Whether there is a secret in bytes, which are to be masked whole then."""
        return self._mask.finds(data.decode(errors="replace"))

    def value(self, value: Any, depth: int = 0) -> Any:
        """The same for JSON values, keys included; ValueError if nested more than 100 deep."""
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key): MASK if _is_credential(key) else self.value(item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, int | float) and self._mask(str(value)) == MASK:
            return MASK
        return value


def _is_credential(key: str) -> bool:
    """Whether a key names a credential header: `Authorization`, `http.request.header.x_api_key`."""
    # Of other letters, some have small ones in ASCII: the sign of Kelvin is no K of a cookie.
    last = key.rpartition(".")[2]
    return last.isascii() and last.replace("_", "-").lower() in NAMES


def _is_shallow(body: bytes) -> bool:
    """Whether there are so few brackets that they cannot be nested too deep; not where there are none."""
    return 0 < body.count(b"{") + body.count(b"[") <= MAX_DEPTH


def _mark(spelling: str) -> str | None:
    """How a spelling looks in JSON, where each character is escaped by itself; None if it cannot be there.

    A short one is looked for as the whole of a text, or of a number.
    """
    try:
        text = msgspec.json.encode(spelling).decode()
    except UnicodeEncodeError:
        return None
    return text if len(spelling) < TELLING and not spelling.lstrip("-").isdecimal() else text[1:-1]


def _shortest(marks: Iterable[str]) -> tuple[str, ...]:
    """Leave out those that hold another one."""
    kept: list[str] = []
    for mark in sorted(set(marks), key=len):
        if not any(other in mark for other in kept):
            kept.append(mark)
    return tuple(kept)


def _is_like_a_fraction(spelling: str) -> bool:
    """Whether a number or truth value that Python spells like this looks otherwise in JSON."""
    if spelling.lstrip("-").isdecimal():
        return False
    with contextlib.suppress(ValueError):
        # Many a random text of hexadecimal digits is a number too large for any float.
        return str(float(spelling)) == spelling
    return spelling in {"True", "False"}

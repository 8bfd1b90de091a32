"""Turns the bytes that a service writes into lines that are safe to show and to keep."""

from bootstrap.model.masking import Mask

#: characters of one line that are kept; what follows is dropped, and said so
LIMIT = 16_384
_CUT = " [the line goes on]"


class Lines:
    """Cuts a stream of bytes into masked lines; bytes that are not UTF-8 are replaced."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._buffer = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes."""
        *ended, rest = data.split(b"\n")
        found = []
        for part in ended:
            self._buffer += part
            found += self._take()
            self._skipping = False
        self._buffer += rest
        # UTF-8 takes at most four bytes a character
        if self._skipping or len(self._buffer) > 4 * (LIMIT + self._mask.reach):
            found += self._take(whole=False)
            self._skipping = True
        return found

    def close(self) -> list[str]:
        """Return the last line where it has no end."""
        return self._take() if self._buffer else []

    def _take(self, *, whole: bool = True) -> list[str]:
        text = self._buffer.decode(errors="replace").removesuffix("\r")
        self._buffer.clear()
        if self._skipping:
            return []
        masked = self._mask(text)
        if not whole and self._mask.reach:
            # The end may be the beginning of a hidden value.
            masked = masked[: -self._mask.reach]
        return [masked if whole and len(masked) <= LIMIT else masked[:LIMIT] + _CUT]

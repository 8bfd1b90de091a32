"""What one request may expand to: a few bytes can describe a great many things."""

from collections.abc import Iterator

MAX_SPANS = 50_000
"""Spans in one request; the SDKs send 512 at once."""

MAX_ITEMS = 300_000
"""Everything else in one request that takes an object of its own: events, links, attributes, values."""

MAX_PREPARED = 64 * 1024 * 1024
"""Bytes that one request may bring into the store."""

# ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans
_SPANS = (1, 2, 2)


class TooMuchError(Exception):
    """A request that describes more than is taken; the text says what of."""


class Budget:
    """How many items a request may still have."""

    def __init__(self, items: int = MAX_ITEMS) -> None:
        self._most = items
        self._left = items

    def spend(self, items: int) -> None:
        """Count items; raises TooMuchError when there are too many in all."""
        self._left -= items
        if self._left < 0:
            raise TooMuchError(f"The request has more than {self._most} parts.")


def check_json(body: bytes) -> None:
    """Refuse more objects and lists than may be, before any is made; a bracket in a text counts, too."""
    Budget().spend(body.count(b"{") + body.count(b"["))


def check_protobuf(body: bytes, items: int = MAX_ITEMS) -> None:
    """Refuse more spans than may be, before any is made: an empty one is two bytes here, and 170 once read.

    What is inside a span is not looked at: it takes much less room. Bytes that are no protobuf pass; to say
    so is the parser's part.
    """
    _spend_fields(body, 0, len(body), _SPANS, Budget(items))


def _spend_fields(body: bytes, start: int, end: int, path: tuple[int, ...], budget: Budget) -> None:
    """Count the fields of a message, and those of the messages along the path below it."""
    number, *below = path
    for field, at, length in _fields(body, start, end):
        budget.spend(1)
        if below and field == number:
            _spend_fields(body, at, at + length, tuple(below), budget)


def _fields(body: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk over a message: a field's number, where its content begins, and its length if it has one.

    https://protobuf.dev/programming-guides/encoding/; fields inside a group are walked over like those
    around it. Ends where the message does or where it stops making sense.
    """
    at = start
    while at < end:
        tag, at = _varint(body, at, end)
        length = 0
        match tag & 7:
            case 0:
                _, at = _varint(body, at, end)
            case 1:
                at += 8
            case 2:
                length, at = _varint(body, at, end)
            case 5:
                at += 4
            case 6 | 7:
                return
        if at + length > end:
            return
        # The parser keeps 32 bits of a tag.
        yield (tag & 0xFFFFFFFF) >> 3, at, length
        at += length


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number in base 128; one that is cut off ends behind the message."""
    number = shift = 0
    while at < end:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the eighth bit says that more follow
            return number, at
        shift += 7
    return number, end + 1

"""The names, values and other text in what the store has read: what filters and comparisons go by."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bootstrap.collector.telemetry.records import Attributes, Segment, Span


def pairs(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values: what is nested has a dotted path for a name, a list also each of its parts."""
    waiting = [(path, value)]
    while waiting:
        name, inner = waiting.pop()
        match inner:
            case dict():
                waiting += [(f"{name}.{key}" if name else key, part) for key, part in inner.items()]
            case list():
                yield name, inner
                waiting += [(name, part) for part in inner]
            case _:
                yield name, inner


def in_json(body: bytes) -> Iterator[tuple[str, Any]]:
    """Those of an encoded object, as that of a resource."""
    return pairs(msgspec.json.decode(body))


def as_text(value: Any) -> str:
    """A value as somebody types it: text as it is, anything else as in JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def of_span(span: Span) -> Iterator[tuple[str, Any]]:
    """The attributes of a span itself, without those of its resource."""
    return pairs(span.attributes)


def of_segment(segment: Segment) -> Iterator[tuple[str, Any]]:
    """The attributes of a segment and its subsegments."""
    return of_document(segment.document)


def of_document(document: Attributes) -> Iterator[tuple[str, Any]]:
    """Annotations by their key, metadata as `namespace.key`, and http fields as `http.request.method`."""
    for part in parts(document):
        yield from pairs(part.get("annotations") or {})
        yield from pairs(part.get("metadata") or {})
        yield from pairs(part.get("http") or {}, "http")


def parts(document: Attributes) -> Iterator[Attributes]:
    """A segment document and all subsegments inside it."""
    waiting = [document]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [inner for inner in part.get("subsegments") or [] if isinstance(inner, dict)]


def has(found: Iterable[tuple[str, Any]], name: str, value: str) -> bool:
    """Whether one of the pairs has this name, and this value as text."""
    return any(each == name and as_text(inner) == value for each, inner in found)


def texts_of_span(span: Span) -> Iterator[str]:
    """All that people read in a span, without its resource and its scope."""
    yield from (span.service, span.name, span.kind, span.status.message)
    yield from texts(span.attributes)
    for event in span.events:
        yield event.name
        yield from texts(event.attributes)
    for link in span.links:
        yield from texts(link.attributes)


# What the format itself says with them is of no interest: ids, times, and the names of its own fields.
_FORMAL = {"id", "trace_id", "parent_id", "start_time", "end_time", "in_progress", "type", "subsegments"}
_OWN_KEYS = ("annotations", "metadata")


def texts_of_segment(segment: Segment) -> Iterator[str]:
    """All that people read in a segment and its subsegments."""
    yield segment.name
    for part in parts(segment.document):
        for name, value in part.items():
            if name in _OWN_KEYS:
                yield from texts(value)
            elif name not in _FORMAL:
                yield from (as_text(inner) for _, inner in pairs(value) if not isinstance(inner, list))


def texts(value: Any) -> Iterator[str]:
    """Every key and every value."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        match inner:
            case dict():
                yield from inner
                waiting += inner.values()
            case list():
                waiting += inner
            case _:
                yield as_text(inner)


class Needle:
    """A text that is looked for in others, in any case of letters.

    Letters of ASCII are only found among themselves, although Unicode has a few others that are the same in
    another case (K, the sign of kelvin): so SQLite, which knows no others, can leave out what has none.
    """

    def __init__(self, text: str) -> None:
        self.is_ascii = text.isascii()
        self._folded = text.casefold()
        self._octets = text.lower().encode()

    def is_in(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts holds it."""
        if self.is_ascii:
            return any(self._octets in text.encode().lower() for text in texts)
        return any(self._folded in text.casefold() for text in texts)

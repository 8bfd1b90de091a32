"""Lays the spans and X-Ray segments of one trace on one time line, as a tree."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from bootstrap.collector.asking.reading import Outline, SpanOutline
from bootstrap.collector.telemetry.segments import assemble

Kind = Literal["span", "segment", "subsegment"]

_LATEST = 9_000_000_000
"""Seconds since 1970 after which X-Ray takes nothing."""


# Python's search for rings would go through all of many again and again, and finds none: see `lay_out`.
class Operation(Struct, eq=False, gc=False):
    """A span, segment or subsegment among the others; `end_ns` None while it runs."""

    kind: Kind
    id: str
    parent_id: str | None
    name: str
    service: str
    start_ns: int
    end_ns: int | None
    error: bool
    source: Any = None
    """The X-Ray document; of a span nothing, until somebody reads it."""
    parent: "Operation | None" = None
    """While the tree is made."""
    children: "list[Operation] | None" = None
    depth: int = 0
    stop_ns: int = 0
    """Where its bar ends: with the trace, while it runs."""
    own: list[tuple[int, int]] = []
    """When none of its children ran; of those that are shown."""
    orphan: bool = False
    """Its parent is not among those that have arrived."""
    hidden: int = 0
    """How many operations below it are left out."""

    @property
    def duration_ns(self) -> int | None:
        """How long it took."""
        return None if self.end_ns is None else self.end_ns - self.start_ns

    @property
    def own_ns(self) -> int:
        """How long it ran without waiting for one of its children."""
        return sum(end - start for start, end in self.own)


class Waterfall(Struct):
    """Operations in the order of a tree, parents first, on a time line from `start_ns` to `end_ns`."""

    rows: list[Operation]
    start_ns: int
    end_ns: int
    total: int
    """How many operations there are, with those that are left out."""

    @property
    def length_ns(self) -> int:
        """Of the time line; never nothing."""
        return max(1, self.end_ns - self.start_ns)

    def share(self, time_ns: int) -> float:
        """Where on the time line a moment lies, in percent; the nearest end for what lies outside."""
        return round(min(100.0, max(0.0, (time_ns - self.start_ns) / self.length_ns * 100)), 3)


def lay_out(trace: Outline, *, most: int, below: str | None = None) -> Waterfall:
    """Make the tree of a trace, or of what lies below the operation of the id `below`.

    Of more than `most` operations, those with an error and the longest stay, and whatever they lie below.
    """
    operations = [*map(_from_span, trace.spans), *_from_documents(assemble(trace.segments))]
    moments = [line.time_ns for line in trace.lines] + [item.time_ns for item in trace.items]
    start_ns = min((each.start_ns for each in operations), default=min(moments, default=0))
    end_ns = max(
        (each.start_ns if each.end_ns is None else each.end_ns for each in operations),
        default=max(moments, default=0),
    )
    for each in operations:
        each.stop_ns = end_ns if each.end_ns is None else each.end_ns
    roots = _tree(operations)
    chosen = [each for each in operations if each.id == below] if below else []
    if chosen:
        roots = chosen[:1]
        start_ns, end_ns = roots[0].start_ns, roots[0].stop_ns
    rows = list(_walk(roots))
    shown = _most_telling(rows, most)
    for row in shown:
        row.own = _own(row)
    for each in operations:
        each.parent = None  # without rings, all of it is gone as soon as nobody needs it
    return Waterfall(shown, start_ns, end_ns, len(rows))


def _from_span(span: SpanOutline) -> Operation:
    own, parent, service, name, start_ns, end_ns, error = span
    return Operation("span", own, parent, name, service, start_ns, end_ns, bool(error))


def _from_documents(documents: Sequence[dict[str, Any]]) -> Iterator[Operation]:
    """Every part of the documents."""
    waiting = [(document, _text(document.get("parent_id")), False) for document in documents]
    while waiting:
        document, parent_id, inside = waiting.pop()
        is_segment = not inside and document.get("type") != "subsegment"
        name, identity = _text(document.get("name")) or "", (_text(document.get("id")) or "").lower()
        yield Operation(
            kind="segment" if is_segment else "subsegment",
            id=identity,
            parent_id=parent_id.lower() if parent_id else None,
            name=name,
            service=name if is_segment else "",
            start_ns=_nanoseconds(document.get("start_time")) or 0,
            end_ns=_end(document),
            error=any(document.get(flag) is True for flag in ("error", "fault", "throttle")),
            source=document,
        )
        parts = document.get("subsegments")
        waiting += [(part, identity, True) for part in parts or () if isinstance(part, dict)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _nanoseconds(seconds: Any) -> int | None:
    """X-Ray's times are seconds since 1970, exact to a microsecond at best; a masked one is a text."""
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < _LATEST
    return round(seconds * 1_000_000) * 1_000 if known else None


def _end(document: dict[str, Any]) -> int | None:
    end, start = _nanoseconds(document.get("end_time")), _nanoseconds(document.get("start_time"))
    return None if end is None or document.get("in_progress") is True else max(end, start or 0)


def _tree(operations: Sequence[Operation]) -> list[Operation]:
    """Put children below their parents, the earliest first, and give back those at the top."""
    spans = {each.id: each for each in reversed(operations) if each.kind == "span"}
    documents = {each.id: each for each in reversed(operations) if each.kind != "span"}
    for each in operations:
        # The same id may stand for a span and a segment.
        near, far = (spans, documents) if each.kind == "span" else (documents, spans)
        parent = (near.get(each.parent_id) or far.get(each.parent_id)) if each.parent_id else None
        each.parent = None if parent is each else parent
        each.orphan = bool(each.parent_id) and each.parent is None
    _cut_rings(operations)
    for each in sorted(operations, key=_order):
        if each.parent:
            each.parent.children = each.parent.children or []
            each.parent.children.append(each)
    return sorted((each for each in operations if not each.parent), key=_order)


def _order(operation: Operation) -> tuple[int, int, str]:
    """By their start; of those that start together, the longer one first."""
    return operation.start_ns, -operation.stop_ns, operation.id


def _cut_rings(operations: Sequence[Operation]) -> None:
    """Put at the top whichever of a ring of parents comes first."""
    safe: set[int] = set()
    for operation in operations:
        if operation.parent is None or id(operation.parent) in safe:  # as nearly all
            safe.add(id(operation))
            continue
        path: dict[int, Operation] = {}
        each: Operation | None = operation
        while each and id(each) not in safe:
            if id(each) in path:
                each.parent, each.orphan = None, True
                break
            path[id(each)] = each
            each = each.parent
        safe.update(path)


def _walk(roots: Sequence[Operation]) -> Iterator[Operation]:
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        operation, depth = waiting.pop()
        operation.depth = depth
        if operation.parent and not operation.service:
            operation.service = operation.parent.service  # X-Ray names a subsegment after what was called
        yield operation
        waiting += [(child, depth + 1) for child in reversed(operation.children or [])]


def _own(operation: Operation) -> list[tuple[int, int]]:
    """What children leave of an operation's time; they may overlap, and stick out."""
    left, at = [], operation.start_ns
    for child in operation.children or []:
        if child.start_ns > at:
            left.append((at, min(child.start_ns, operation.stop_ns)))
        at = max(at, child.stop_ns)
        if at >= operation.stop_ns:
            break
    if at < operation.stop_ns:
        left.append((at, operation.stop_ns))
    return [(start, end) for start, end in left if end > start]


def _most_telling(rows: list[Operation], most: int) -> list[Operation]:
    if len(rows) <= most:
        return rows
    kept: set[int] = set()
    among = {id(row) for row in rows}
    for row in sorted(rows, key=lambda row: (not row.error, row.start_ns - row.stop_ns)):
        above: list[int] = []
        each: Operation | None = row
        while each and id(each) not in kept and id(each) in among:
            above.append(id(each))
            each = each.parent
        if len(kept) + len(above) <= most:
            kept.update(above)
        if len(kept) >= most:
            break
    _count_hidden(rows, kept)
    return [row for row in rows if id(row) in kept]


def _count_hidden(rows: list[Operation], kept: set[int]) -> None:
    """Tell each row that stays how many are left out below it, and below none of its children that stay."""
    nearest: dict[int, Operation] = {}
    for row in rows:  # parents first
        if id(row) in kept:
            nearest[id(row)] = row
        elif row.parent and id(row.parent) in nearest:
            nearest[id(row)] = nearest[id(row.parent)]
            nearest[id(row)].hidden += 1

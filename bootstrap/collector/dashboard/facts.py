"""What is known of an operation, a line or an item besides its place in time: facts, in sections."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bootstrap.collector.answering.parameters import write_filter
from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.dashboard import links
from bootstrap.collector.dashboard.wording import plain
from bootstrap.collector.tables.rows import LISTED_NAME
from bootstrap.collector.telemetry.records import Event, Span

_DEEPEST = 12
_MOST = 300
"""Facts of one section; the JSON has all of them."""


class Fact(NamedTuple):
    """One name and its value; `searchable`: traces can be looked for by it."""

    name: str
    value: str
    searchable: bool = False

    @property
    def address(self) -> str:
        """The page of the traces that have it."""
        return links.address("/traces", write_filter(TraceFilter(attributes=((self.name, self.value),))))


class Section(NamedTuple):
    """Facts that belong together."""

    title: str
    facts: list[Fact]
    left_out: int = 0


class Failure(NamedTuple):
    """An exception: what was raised, and where, as people read it."""

    name: str
    message: str
    stack: str


class Moment(NamedTuple):
    """An event of a span."""

    name: str
    time_ns: int
    facts: list[Fact]


class Details(NamedTuple):
    """Everything about one span or segment."""

    sections: list[Section]
    failures: list[Failure]
    events: list[Moment]
    links: list[tuple[str, str]]
    """Pairs of trace and span id."""


def of_span(span: Span) -> Details:
    """What a span says; with its names, where lists cut them."""
    failures = [_exception(event) for event in span.events if event.name == "exception"]
    if span.status.code == "error" and not failures and span.status.message:
        failures = [Failure("Error", span.status.message, "")]
    status = span.status.code + (f": {span.status.message}" if span.status.message else "")
    scope = " ".join(filter(None, (span.scope.name, span.scope.version)))
    names = {"name": span.name, "service": span.service}
    identity: dict[str, str | None] = {
        title: name for title, name in names.items() if len(name) > LISTED_NAME
    }
    identity |= {"span id": span.span_id, "parent": span.parent_id, "kind": span.kind, "status": status}
    identity |= {"made by": scope, "trace state": span.trace_state}
    return Details(
        sections=_present(
            section("Attributes", span.attributes, searchable=True),
            section("Span", {name: value for name, value in identity.items() if value}),
            section("Resource", span.resource, searchable=True),
            section("Scope", span.scope.attributes),
        ),
        failures=failures,
        events=[
            Moment(event.name, event.time_ns, list(_facts(event.attributes)))
            for event in span.events
            if event.name != "exception"
        ],
        links=[(link.trace_id, link.span_id) for link in span.links],
    )


#: what the row itself, or a section of its own, says
_SHOWN = {
    "subsegments",
    "annotations",
    "metadata",
    "http",
    "cause",
    "name",
    "trace_id",
    "start_time",
    "end_time",
}


def of_document(document: Mapping[str, Any]) -> Details:
    """What an X-Ray segment or subsegment says."""
    rest = {name: value for name, value in document.items() if name not in _SHOWN}
    return Details(
        sections=_present(
            section("Annotations", document.get("annotations"), searchable=True),
            section("Metadata", document.get("metadata"), searchable=True),
            section("HTTP", {"http": document.get("http") or {}}, searchable=True),
            section("Segment", rest),
        ),
        failures=_cause(document.get("cause")),
        events=[],
        links=[],
    )


def section(title: str, values: Any, *, searchable: bool = False) -> Section:
    """The facts of a JSON object, nested ones under dotted names."""
    facts = list(_facts(values, searchable=searchable)) if isinstance(values, Mapping) else []
    return Section(title, facts[:_MOST], max(0, len(facts) - _MOST))


def _present(*sections: Section) -> list[Section]:
    return [each for each in sections if each.facts]


def _facts(
    values: Mapping[str, Any], *, searchable: bool = False, prefix: str = "", depth: int = 0
) -> Iterator[Fact]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            yield from _facts(value, searchable=searchable, prefix=f"{prefix}{name}.", depth=depth + 1)
        else:
            short = searchable and not isinstance(value, Mapping | list)
            yield Fact(f"{prefix}{name}", plain(value), short)


def _exception(event: Event) -> Failure:
    values = event.attributes
    return Failure(
        plain(values.get("exception.type") or "Exception"),
        plain(values.get("exception.message") or ""),
        plain(values.get("exception.stacktrace") or ""),
    )


def _cause(cause: Any) -> list[Failure]:
    """The exceptions of a segment; where the cause is only an id, it stands in another one."""
    exceptions = cause.get("exceptions") if isinstance(cause, Mapping) else None
    return [_raised(each) for each in exceptions or () if isinstance(each, Mapping)]


def _raised(exception: Mapping[str, Any]) -> Failure:
    stack = exception.get("stack")
    lines = (
        [_frame(frame) for frame in stack if isinstance(frame, Mapping)] if isinstance(stack, list) else []
    )
    return Failure(
        plain(exception.get("type") or "Exception"), plain(exception.get("message") or ""), "\n".join(lines)
    )


def _frame(frame: Mapping[str, Any]) -> str:
    where = ":".join(plain(frame[part]) for part in ("path", "line") if frame.get(part) is not None)
    label = frame.get("label")
    return f"{where}  {plain(label)}" if label else where

"""What the collector keeps: spans, segments, log lines and items as they go into the store and come out.

Times are nanoseconds since 1970 (UTC); trace ids are in W3C form.
"""

from typing import Any, Literal, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bootstrap.collector.telemetry.masking import Masker

MAX_TIME_NS = 2**63 - 1
"""The last moment that SQLite's integers can hold: in the year 2262."""

Attributes = dict[str, Any]
"""JSON values; bytes are base64 text; NaN and the infinities are their names, as in protobuf's JSON."""


class Event(Struct, frozen=True):
    """Something that happened during a span."""

    name: str
    time_ns: int
    attributes: Attributes


class Link(Struct, frozen=True):
    """A span elsewhere that has to do with this one."""

    trace_id: str
    span_id: str
    attributes: Attributes


class Scope(Struct, frozen=True):
    """The library that made a span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = {}

    def masked(self, masker: Masker) -> Self:
        """The same without secrets."""
        return replace(
            self,
            name=masker.text(self.name),
            version=masker.text(self.version),
            attributes=masker.value(self.attributes),
        )


class Status(Struct, frozen=True):
    """How a span ended."""

    code: Literal["unset", "ok", "error"] = "unset"
    message: str = ""


NO_SCOPE = Scope()
UNSET = Status()


class Span(Struct, frozen=True, omit_defaults=True):
    """One OpenTelemetry span; many have the same `resource` and the same `scope` object.

    What most spans lack is not written down.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: Status = UNSET
    attributes: Attributes = {}
    events: list[Event] = []
    links: list[Link] = []
    resource: Attributes = {}
    scope: Scope = NO_SCOPE
    trace_state: str = ""

    def masked(self, masker: Masker) -> Self:
        """The same without secrets in what is its own: resource and scope are masked once for all spans."""
        return replace(
            self,
            service=masker.text(self.service),
            name=masker.text(self.name),
            status=replace(self.status, message=masker.text(self.status.message))
            if self.status.message
            else self.status,
            attributes=masker.value(self.attributes),
            events=[
                replace(event, name=masker.text(event.name), attributes=masker.value(event.attributes))
                for event in self.events
            ],
            links=[replace(link, attributes=masker.value(link.attributes)) for link in self.links],
            trace_state=masker.text(self.trace_state),
        )


class Segment(Struct, frozen=True):
    """One X-Ray document: a segment, or a subsegment that was sent by itself; `end_ns` None while it runs."""

    trace_id: str
    segment_id: str
    parent_id: str | None
    is_subsegment: bool
    name: str
    start_ns: int
    end_ns: int | None
    error: bool
    document: dict[str, Any]

    def masked(self, masker: Masker) -> Self:
        """The same without secrets; ValueError if the document is nested absurdly deep."""
        return replace(self, name=masker.text(self.name), document=masker.value(self.document))


FOR_EVER = 0
"""As the `retention_days` of a group: takes away what is set."""


class LogGroup(Struct, frozen=True):
    """A log group of CloudWatch Logs; a `retention_days` of None changes none that is set."""

    name: str
    created_ns: int
    retention_days: int | None = None

    def masked(self, masker: Masker) -> Self:
        """The same without secrets."""
        return replace(self, name=masker.text(self.name))


class LogStream(Struct, frozen=True):
    """A stream of a log group."""

    group: str
    name: str
    created_ns: int

    def masked(self, masker: Masker) -> Self:
        """The same without secrets."""
        return replace(self, group=masker.text(self.group), name=masker.text(self.name))


class LogLine(Struct, frozen=True):
    """One log event; `fields` is the JSON object that its message is, None where it is none."""

    group: str
    stream: str
    time_ns: int
    ingested_ns: int
    message: str
    trace_id: str | None = None
    service: str | None = None
    fields: Attributes | None = None

    def masked(self, masker: Masker) -> Self:
        """The same without secrets; ValueError if the fields are nested absurdly deep.

        The message stays as it was sent unless something in it is masked: then it is written anew from its
        fields, so that it stays JSON where a number was the secret.
        """
        message, fields = masker.text(self.message), self.fields
        if fields is not None:
            fields = masker.value(fields)
            if fields != self.fields or message != self.message:
                message = masker.text(msgspec.json.encode(fields).decode())
        return replace(
            self,
            group=masker.text(self.group),
            stream=masker.text(self.stream),
            message=message,
            service=masker.text(self.service) if self.service else None,
            fields=fields,
        )


class Item(Struct, frozen=True):
    """One occurrence, as Rollbar calls it; `data` is what was sent, without the access token."""

    uuid: str
    trace_id: str | None
    service: str | None
    level: str
    title: str
    environment: str
    time_ns: int
    data: Attributes

    def masked(self, masker: Masker) -> Self:
        """The same without secrets; ValueError if the data is nested absurdly deep."""
        return replace(
            self,
            uuid=masker.text(self.uuid),
            service=masker.text(self.service) if self.service else None,
            title=masker.text(self.title),
            environment=masker.text(self.environment),
            data=masker.value(self.data),
        )


Record = Span | Segment | LogGroup | LogStream | LogLine | Item


class TraceSummary(Struct, frozen=True):
    """A trace in a list; `duration_ns` None while nothing in it has ended."""

    trace_id: str
    services: list[str]
    name: str
    start_ns: int
    duration_ns: int | None
    span_count: int
    segment_count: int
    error: bool


class Trace(Struct, frozen=True):
    """What is stored under one trace id, oldest first; `truncated` if there is more than is read at once."""

    trace_id: str
    spans: list[Span]
    segments: list[Segment]
    truncated: bool = False
    lines: list[LogLine] = []
    items: list[Item] = []


class StreamSummary(Struct, frozen=True):
    """A log stream in a list; the times of its events are None while it has none."""

    name: str
    created_ns: int
    first_ns: int | None
    last_ns: int | None
    ingested_ns: int | None

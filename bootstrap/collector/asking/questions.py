"""What the pages, the API and the terminal ask the store, and what it answers.

Times are nanoseconds since 1970 (UTC). A duration is that of a trace: from its first start to its last end.
"""

from typing import Literal

from msgspec import Struct

from bootstrap.collector.telemetry.records import Item, LogLine, TraceSummary


class TraceFilter(Struct, frozen=True, kw_only=True):
    """Which traces; a condition that is None, or empty, leaves none out. All of them have to hold."""

    service: str | None = None
    """It took part."""
    status: Literal["ok", "error"] | None = None
    min_ns: int | None = None
    max_ns: int | None = None
    """Durations from `min_ns` to before `max_ns`."""
    start_ns: int | None = None
    end_ns: int | None = None
    """Started from `start_ns` to before `end_ns`."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Names and values as text: each is an attribute, resource attribute, annotation, metadata or http field
    of some span or segment of the trace (a dotted path for what is nested)."""
    text: str | None = None
    """Stands, in any case of letters, in a name, attribute, log line or item of the trace."""
    measured: bool = False
    """It has a span or a segment: no log line or item alone says that there is such a trace."""


class TracePage(Struct, frozen=True):
    """Some traces, newest first."""

    traces: list[TraceSummary]
    next: str | None = None
    """Where the next page begins, for whoever asks again; None at the end."""
    searched_to_ns: int | None = None
    """Set where the time for one answer was over before a page was full: older traces were not looked at."""


class Region(Struct, frozen=True):
    """A part of the heatmap: started from `start_ns` to before `end_ns`, took `min_ns` to before `max_ns`."""

    start_ns: int
    end_ns: int
    min_ns: int
    max_ns: int


class LatencyColumn(Struct, frozen=True):
    """Traces that started in one stretch of time; a percentile of none is None."""

    start_ns: int
    count: int
    errors: int
    p50_ns: int | None
    p90_ns: int | None
    p99_ns: int | None


class LatencyCell(Struct, frozen=True):
    """How many traces of one column took how long; empty cells are left out."""

    column: int
    row: int
    count: int
    errors: int


class Latency(Struct, frozen=True):
    """The heatmap: columns of equal time, rows of durations whose bounds grow by a factor."""

    start_ns: int
    end_ns: int
    column_ns: int
    columns: list[LatencyColumn]
    edges_ns: list[int]
    """Row r holds durations from edges_ns[r] to before edges_ns[r + 1]."""
    cells: list[LatencyCell]
    count: int
    p50_ns: int | None
    p90_ns: int | None
    p99_ns: int | None
    partial: bool = False
    """Whether the time for one answer was over before all traces were looked at."""


class ValueShare(Struct, frozen=True):
    """One value of an attribute: which part of the traces inside and outside the region has it (0..1)."""

    value: str
    inside: float
    outside: float
    kind: Literal["value", "range", "absent"] = "value"
    """A range stands for several numbers, as words; absent (without text) for having no such attribute."""


class Difference(Struct, frozen=True):
    """An attribute whose values are spread differently inside and outside the region."""

    name: str
    score: float
    """0: spread alike; 1: nothing in common. The largest come first."""
    values: list[ValueShare]
    """The values that differ most come first; a few."""
    derived: bool = False
    """Whether no sender has set it, so that `TraceFilter.attributes` knows nothing of it."""
    also: tuple[str, ...] = ()
    """Names with the same values in each trace that was read."""


class Differences(Struct, frozen=True):
    """What sets the traces of a region apart from the rest of those that a filter leaves."""

    inside: int
    outside: int
    """How many traces there are."""
    inside_read: int
    outside_read: int
    """How many of them were read: a sample where there are many."""
    differences: list[Difference]


class Arrival(Struct, frozen=True):
    """What one service has sent by one vendor's protocol: honeycomb, xray, cloudwatch, rollbar."""

    service: str
    """Empty where the sender names none."""
    vendor: str
    first_ns: int
    last_ns: int
    count: int


class Expected(Struct, frozen=True):
    """Where this run sends what one service reports to one vendor."""

    service: str
    vendor: str
    title: str
    """The vendor's name for people."""
    where: Literal["local", "cloud", "off"]
    """The collector, the vendor itself, or nowhere."""
    reason: str
    """Why, in words that end with what to type."""


class EvidenceFilter(Struct, frozen=True, kw_only=True):
    """Which log lines, or items; a condition that is None leaves none out. All of them have to hold."""

    service: str | None = None
    trace_id: str | None = None
    """In W3C form."""
    level: str | None = None
    """Of items: critical, error, warning, info or debug. Log lines have none that all agree on."""
    text: str | None = None
    """Stands, in any case of letters, in the message, or in the title or any part of the item."""


class LinePage(Struct, frozen=True):
    """Some log lines, newest first; the rest as of `TracePage`."""

    lines: list[LogLine]
    next: str | None = None
    searched_to_ns: int | None = None


class ItemPage(Struct, frozen=True):
    """Some items, newest first; the rest as of `TracePage`."""

    items: list[Item]
    next: str | None = None
    searched_to_ns: int | None = None


class ItemGroup(Struct):
    """Items that say the same."""

    title: str
    level: str
    service: str
    """Empty where the sender names none."""
    environment: str
    count: int
    first_ns: int
    last_ns: int
    uuid: str
    """Of the latest."""


class ItemGroups(Struct, frozen=True):
    """Some groups, that of the latest item first."""

    groups: list[ItemGroup]
    number: int
    """How many groups there are, with those that are left out."""
    items: int
    """How many items are in all of them."""
    partial: bool = False
    """Whether only the latest items were looked at."""


class Room(Struct, frozen=True):
    """How much of its room the store takes, and since when it has kept all that arrived."""

    bytes: int
    limit: int
    oldest_ns: int | None
    """None while it is empty."""

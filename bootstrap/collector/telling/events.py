"""What the live stream says: records as Server-Sent Events, whose data are the JSON of the API's lists."""

from typing import Any

import msgspec

from bootstrap.collector.answering.views import item_view, line_view, summary_view
from bootstrap.collector.asking.questions import EvidenceFilter
from bootstrap.collector.storing.store import Store
from bootstrap.collector.tables.rows import ItemRow, LineRow
from bootstrap.collector.telemetry.lenient_json import read_object
from bootstrap.collector.telemetry.records import Item, LogLine, TraceSummary
from bootstrap.collector.telling.wishes import Wishes

_LOOKED_AT = 1_000


def of_trace(summary: TraceSummary) -> bytes:
    """Tell of a trace."""
    return _event("trace", summary_view(summary))


def of_line(line: LogLine) -> bytes:
    """Tell of a log line."""
    return _event("log", line_view(line))


def of_item(item: Item) -> bytes:
    """Tell of an item."""
    return _event("item", item_view(item))


def of_skipped(count: int) -> bytes:
    """Tell how many were left out."""
    return _event("skipped", {"count": count})


def _event(kind: str, view: dict[str, Any]) -> bytes:
    # https://html.spec.whatwg.org/multipage/server-sent-events.html; the JSON is one line.
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(view) + b"\n\n"


def read_line(row: LineRow) -> LogLine:
    """The log line that is stored as a row."""
    fields = read_object(row.message) if row.structured else None
    return LogLine(
        row.group, row.stream, row.time_ns, row.ingested_ns, row.message, row.trace_id, row.service, fields
    )


def read_item(row: ItemRow) -> Item:
    """The item that is stored as a row."""
    data = msgspec.json.decode(row.body, type=dict[str, Any])
    return Item(row.uuid, row.trace_id, row.service, row.level, row.title, row.environment, row.time_ns, data)


def last(store: Store, wishes: Wishes, count: int) -> list[bytes]:
    """Tell what was stored last, oldest first; of log lines and items the latest thousand are looked at."""
    wanted, told = wishes.wanted, list[tuple[int, bytes]]()
    evidence = EvidenceFilter(service=wanted.service, text=wanted.text)
    if "traces" in wishes.kinds:
        traces = store.search.traces(wanted, limit=count).traces
        told += ((each.start_ns, of_trace(each)) for each in traces)
    if "logs" in wishes.kinds:
        lines = store.search.lines(evidence, limit=_LOOKED_AT).lines
        told += ((each.time_ns, of_line(each)) for each in lines if wishes.line(each))
    if "items" in wishes.kinds:
        items = store.search.items(evidence, limit=_LOOKED_AT).items
        told += ((each.time_ns, of_item(each)) for each in items if wishes.item(each))
    told.sort(key=lambda each: each[0])
    return [event for _, event in told[-count:]]

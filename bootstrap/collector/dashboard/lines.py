"""Log lines as pages show them: what the line says first, everything else below it."""

from typing import Any

from msgspec import Struct

from bootstrap.collector.dashboard.facts import Fact, section
from bootstrap.collector.telemetry.records import LogLine

_MESSAGE = ("message", "msg", "event", "log")
_LEVEL = ("level", "levelname", "severity", "log.level")
_SPAN = ("span_id", "spanId", "otelSpanID")
_SHOWN = 2_000
"""Characters of a message that stand in a list."""


class LineView(Struct):
    """A log line; `level` empty where it says none."""

    time_ns: int
    service: str
    level: str
    message: str
    trace_id: str | None
    span_id: str | None
    group: str
    stream: str
    facts: list[Fact]


def view(line: LogLine) -> LineView:
    """Find the message, the level and the span in the fields of a line."""
    fields = line.fields or {}
    message = _first(fields, _MESSAGE)
    values: dict[str, Any] = {**fields, "log group": line.group, "log stream": line.stream}
    if len(message or line.message) > _SHOWN:
        values = {"whole line": line.message, **values}
    return LineView(
        time_ns=line.time_ns,
        service=line.service or "",
        level=(_first(fields, _LEVEL) or "")[:20],
        message=(message or line.message)[:_SHOWN],
        trace_id=line.trace_id,
        span_id=_first(fields, _SPAN),
        group=line.group,
        stream=line.stream,
        facts=section("Fields", values).facts,
    )


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """The first text of these names."""
    return next((fields[name] for name in names if isinstance(fields.get(name), str) and fields[name]), None)

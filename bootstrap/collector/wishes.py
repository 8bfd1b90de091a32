"""What one reader of the live stream wants to be told of."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

from msgspec import Struct

from bootstrap.collector.questions import TraceFilter
from bootstrap.collector.records import Attributes, Item, LogLine, TraceSummary

Kind = Literal["traces", "logs", "items"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FAILED = frozenset({"error", "critical", "fatal"})
_LEVELS = ("level", "levelname", "severity", "log.level")


class Wishes(Struct, frozen=True):
    """Which kinds, and which of them.

    Of log lines and items `status` is their level: error, and what is worse. They have no duration, so that
    whoever asks for one is told of traces alone.
    """

    kinds: frozenset[Kind] = frozenset(KINDS)
    wanted: TraceFilter = TraceFilter()

    def summary(self, summary: TraceSummary) -> bool:
        """Whether a trace is told, as far as its summary says: not of its attributes and its text."""
        wanted, duration = self.wanted, summary.duration_ns
        if wanted.min_ns is not None or wanted.max_ns is not None:
            if duration is None or duration < (wanted.min_ns or 0):
                return False
            if wanted.max_ns is not None and duration >= wanted.max_ns:
                return False
        return (
            "traces" in self.kinds
            and (wanted.service is None or wanted.service in summary.services)
            and self._status(failed=summary.error)
            and self._started(summary.start_ns)
        )

    def line(self, line: LogLine) -> bool:
        """Whether a log line is told."""
        fields = line.fields or {}
        level = next((fields[name] for name in _LEVELS if isinstance(fields.get(name), str)), "")
        return (
            "logs" in self.kinds
            and self._event(line.service, line.time_ns, failed=level.lower() in _FAILED)
            and self._has(fields)
            and self._says(line.message)
        )

    def item(self, item: Item) -> bool:
        """Whether an item is told."""
        return (
            "items" in self.kinds
            and self._event(item.service, item.time_ns, failed=item.level.lower() in _FAILED)
            and self._has(item.data)
            and (self._says(item.title) or any(map(self._says, _texts(item.data))))
        )

    def _event(self, service: str | None, time_ns: int, *, failed: bool) -> bool:
        wanted = self.wanted
        return (
            (wanted.service is None or wanted.service == service)
            and self._status(failed=failed)
            and self._started(time_ns)
            and wanted.min_ns is None
            and wanted.max_ns is None
        )

    def _status(self, *, failed: bool) -> bool:
        return self.wanted.status is None or (self.wanted.status == "error") == failed

    def _started(self, time_ns: int) -> bool:
        start, end = self.wanted.start_ns, self.wanted.end_ns
        return (start is None or start <= time_ns) and (end is None or time_ns < end)

    def _has(self, fields: Attributes) -> bool:
        return all(_as_text(_at(fields, name)) == value for name, value in self.wanted.attributes)

    def _says(self, text: str) -> bool:
        return self.wanted.text is None or self.wanted.text.casefold() in text.casefold()


def _at(value: Any, path: str) -> Any:
    """What stands at a dotted path; a name may have dots itself."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    for at, character in enumerate(path):
        if character == "." and path[:at] in value:
            found = _at(value[path[:at]], path[at + 1 :])
            if found is not None:
                return found
    return None


def _as_text(value: Any) -> str | None:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            return None


def _texts(value: Any) -> Iterator[str]:
    """Every name and value in a JSON value."""
    match value:
        case dict():
            for name, inner in value.items():
                yield name
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case _:
            yield _as_text(value) or ""

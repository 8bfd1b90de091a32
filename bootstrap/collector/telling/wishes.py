"""What one reader of the live stream wants to be told of."""

from collections.abc import Iterable
from typing import Literal, get_args

from msgspec import Struct

from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.telemetry import attributes
from bootstrap.collector.telemetry.records import Attributes, Item, LogLine

Kind = Literal["traces", "logs", "items"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FAILED = frozenset({"error", "critical", "fatal"})
_LEVELS = ("level", "levelname", "severity", "log.level")


class Wishes(Struct, frozen=True):
    """Which kinds, and which of them: traces as everywhere, log lines and items as far as that fits them.

    Of log lines and items `status` is their level: error, and what is worse. They have no duration, so that
    whoever asks for one is told of traces alone.
    """

    kinds: frozenset[Kind] = frozenset(KINDS)
    wanted: TraceFilter = TraceFilter()

    def line(self, line: LogLine) -> bool:
        """Whether a log line is told."""
        fields = line.fields or {}
        level = next((fields[name] for name in _LEVELS if isinstance(fields.get(name), str)), "")
        return (
            "logs" in self.kinds
            and self._event(line.service, line.time_ns, failed=level.lower() in _FAILED)
            and self._has(fields)
            and self._says([line.message])
        )

    def item(self, item: Item) -> bool:
        """Whether an item is told."""
        return (
            "items" in self.kinds
            and self._event(item.service, item.time_ns, failed=item.level.lower() in _FAILED)
            and self._has(item.data)
            and self._says(attributes.texts([item.title, item.data]))
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
        wanted = self.wanted.attributes
        return all(attributes.has(attributes.pairs(fields), name, value) for name, value in wanted)

    def _says(self, texts: Iterable[str]) -> bool:
        return self.wanted.text is None or attributes.Needle(self.wanted.text).is_in(texts)

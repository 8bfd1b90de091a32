"""What arrives at the collector, a line each."""

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import cycle
from typing import Any

import click

from bootstrap.cli import output

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
_NOBODY = "-"
_ID_DIGITS = 8
#: characters of a text; all of it is in the JSON
_TEXT = 2_000
_FAILED = frozenset({"error", "critical", "fatal"})
_LEVELS = ("level", "levelname", "severity", "log.level")
_MESSAGES = ("message", "msg", "event")


class Arriving:
    """Prints events of the live stream: in columns, or as JSON Lines with `as_json`."""

    def __init__(self, services: Iterable[str], *, as_json: bool) -> None:
        self._json = as_json
        self._colours = dict(zip(sorted(services), cycle(_COLOURS), strict=False))
        self._width = max(map(len, self._colours), default=0)

    def show(self, name: str, view: Mapping[str, Any]) -> None:
        """Print one event: a trace, a log line, an item, or how many were skipped."""
        if self._json:
            output.json_line({"event": name, **view})
        elif name == "skipped":
            count = view.get("count")
            output.words(f"({count} left out: more arrived than could be shown)", style="yellow")
        elif name in {"trace", "log", "item"}:
            self._line(name, view)

    def _line(self, name: str, view: Mapping[str, Any]) -> None:
        failed, text = _told(name, view)
        services = view.get("services") or [view.get("service") or _NOBODY]
        service = output.clean_value(",".join(map(str, services)))
        # Whoever has a longer name moves all that follow.
        self._width = max(self._width, len(service))
        duration = view.get("duration_ms")
        columns = [
            (_clock(str(view.get("start") or view.get("timestamp"))), "bright_black"),
            (f"{service:<{self._width}}", self._colours.get(service)),
            (f"{'error' if name == 'item' else name:<5}", "red" if failed else None),
            (f"{'' if duration is None else _duration(duration):>9}", None),
            (f"{str(view.get('trace_id') or '')[-_ID_DIGITS:]:<{_ID_DIGITS}}", "bright_black"),
            (("! " if failed else "  ") + output.clean_value(text[:_TEXT]), "red" if failed else None),
        ]
        coloured = output.colour_wanted(sys.stdout)
        shown = [click.style(part, fg=colour) if coloured and colour else part for part, colour in columns]
        output.raw("  ".join(shown).rstrip() + "\n")


def _told(name: str, view: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether it tells of a failure, and in which words."""
    match name:
        case "trace":
            return bool(view.get("error")), str(view.get("name") or "(only log lines and errors so far)")
        case "item":
            level, title = str(view.get("level")), str(view.get("title"))
            return level in _FAILED, title if level == "error" else f"{level}: {title}"
        case _:
            fields = view.get("fields") or {}
            level = _first_text(fields, _LEVELS).lower()
            message = _first_text(fields, _MESSAGES) or str(view.get("message"))
            return level in _FAILED, f"{level}: {message}" if level else message


def _first_text(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str)), "")


def _clock(moment: str) -> str:
    """The time of day where we are, in milliseconds."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError):
        return moment


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 10_000 else f"{milliseconds / 1_000:.1f} s"  # noqa: PLR2004

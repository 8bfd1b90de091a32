"""How pages write numbers, times and foreign text; times are nanoseconds since 1970 (UTC)."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = 1_000
_MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What a page would not show, or would obey: controls but for tab and line feed, what turns the direction of
# writing or has no width, and what ends lines elsewhere.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\ufffe\uffff\U000e0000-\U000e0fff]"
)
_SPACE, _DELETE, _SYMBOLS = 0x20, 0x7F, 0x2400


def visible(text: str) -> str:
    """The text with a symbol in place of each character that would not be seen: ␀, ⟦U+202E⟧."""
    if text.isascii() and text.isprintable():  # as nearly all of it is
        return text
    return _HIDDEN.sub(_symbol, text)


def _symbol(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < _SPACE:
        return chr(_SYMBOLS + number)
    return "␡" if number == _DELETE else f"⟦U+{number:04X}⟧"


def iso(nanoseconds: int) -> str:
    """ISO 8601 in UTC with microseconds, all that Python's clock knows."""
    return _moment(nanoseconds).isoformat(timespec="microseconds").replace("+00:00", "Z")


def full(nanoseconds: int) -> str:
    """A moment for people, without a script that knows their time zone: 2026-11-28 09:14:03.250 UTC."""
    return f"{_moment(nanoseconds).isoformat(' ', 'milliseconds').removesuffix('+00:00')} UTC"


def clock(nanoseconds: int) -> str:
    """The time of the day, in UTC: 09:14:03.250."""
    return _moment(nanoseconds).time().isoformat("milliseconds")


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // _MICROSECOND)


def ago(nanoseconds: int, now_ns: int) -> str:
    """How long ago: 3 s ago, 5 min ago, 2 h ago, 4 d ago; what lies ahead, by clocks that differ, is now."""
    past = now_ns - nanoseconds
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if past >= unit:
            return f"{past // unit} {name} ago"
    return "now"


def duration(nanoseconds: int | None) -> str:
    """With three digits and a unit; an ellipsis for what has not ended."""
    if nanoseconds is None:
        return "…"
    if nanoseconds == 0:
        return "0"
    size = abs(nanoseconds)
    if size >= HOUR:
        return f"{nanoseconds / HOUR:,.1f} h"
    if size >= 2 * MINUTE:
        return f"{nanoseconds / MINUTE:.1f} min"
    for unit, name in ((SECOND, "s"), (_MILLISECOND, "ms"), (_MICROSECOND, "µs")):
        if size >= unit:
            return f"{_three_digits(nanoseconds / unit)} {name}"
    return f"{nanoseconds} ns"


def _three_digits(number: float) -> str:
    size = abs(number)
    return f"{number:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"  # noqa: PLR2004 -- where they round up


def offset(nanoseconds: int) -> str:
    """How much later than the start of the trace."""
    return f"{'-' if nanoseconds < 0 else '+'}{duration(abs(nanoseconds))}"


def percent(share: float) -> str:
    """A part of the whole (0..1); what is there but small is not called nothing."""
    if 0 < share < 0.01:  # noqa: PLR2004 -- less than one percent
        return "<1 %"
    return f"{'>99' if 0.99 < share < 1 else round(share * 100)} %"  # noqa: PLR2004 -- more than 99


def number(count: int) -> str:
    """With commas."""
    return f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number and its noun: 1 span, 2 spans."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def plain(value: Any) -> str:
    """A JSON value as text: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Filters as the query of an address, for the API, the pages and the terminal: read, and written again.

service=  status=ok|error  min= max= (milliseconds)  start= end= (ISO 8601)  attribute=name=value  q=text
from= to= (ISO 8601)  low= high= (milliseconds): a region of the heatmap
limit=  after=
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, cast

from starlette.datastructures import QueryParams

from bootstrap.collector.asking.conditions import Cursor
from bootstrap.collector.asking.questions import EvidenceFilter, Region, TraceFilter
from bootstrap.collector.telemetry.ids import parse_trace_id
from bootstrap.collector.telemetry.records import MAX_TIME_NS

DEFAULT_LIMIT = 50
MAX_LIMIT = 1_000
DEFAULT_COLUMNS = 60
MAX_COLUMNS = 200

MAX_TEXT = 1_000
"""Characters of a text that is looked for, and of an attribute."""
MAX_ATTRIBUTES = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = 1_000_000
_MILLISECONDS = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,6})?", re.ASCII)
# A plus sign that somebody did not escape is a space in a query.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([-+ ])(\d\d):?(\d\d))?)?", re.ASCII
)


class ParameterError(ValueError):
    """A parameter that cannot be understood; the text says what it should be."""


def read_filter(params: QueryParams) -> TraceFilter:
    """The filter that a query asks for; a parameter without a value leaves nothing out."""
    status = params.get("status") or None
    if status not in {None, "ok", "error"}:
        raise ParameterError("status is ok or error.")
    attributes = [text for text in params.getlist("attribute") if text]
    if len(attributes) > MAX_ATTRIBUTES:
        raise ParameterError(f"There are up to {MAX_ATTRIBUTES} attributes.")
    return TraceFilter(
        service=params.get("service") or None,
        status=cast("Literal['ok', 'error'] | None", status),
        min_ns=_duration(params, "min"),
        max_ns=_duration(params, "max"),
        start_ns=_moment(params, "start"),
        end_ns=_moment(params, "end"),
        attributes=tuple(map(_read_attribute, attributes)),
        text=read_text(params),
    )


def write_filter(wanted: TraceFilter) -> list[tuple[str, str]]:
    """The parameters that `read_filter` reads as this filter."""
    given = {
        "service": wanted.service,
        "status": wanted.status,
        "min": _write_duration(wanted.min_ns),
        "max": _write_duration(wanted.max_ns),
        "start": _write_moment(wanted.start_ns),
        "end": _write_moment(wanted.end_ns),
        "q": wanted.text,
    }
    attributes = [("attribute", _write_attribute(name, value)) for name, value in wanted.attributes]
    return [(name, value) for name, value in given.items() if value] + attributes


def read_region(params: QueryParams) -> Region:
    """The region that a query asks for."""
    start, end = _moment(params, "from"), _moment(params, "to")
    low, high = _duration(params, "low"), _duration(params, "high")
    if start is None or end is None or low is None or high is None:
        raise ParameterError("A region needs from and to (ISO 8601), low and high (milliseconds).")
    if start >= end or low >= high:
        raise ParameterError("A region's from lies before its to, its low below its high.")
    return Region(start, end, low, high)


def write_region(region: Region) -> list[tuple[str, str]]:
    """The parameters that `read_region` reads as this region."""
    return [
        ("from", write_moment(region.start_ns)),
        ("to", write_moment(region.end_ns)),
        ("low", write_duration(region.min_ns)),
        ("high", write_duration(region.max_ns)),
    ]


def read_limit(params: QueryParams) -> int:
    """How many are asked for."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise ParameterError(f"limit is a number from 1 to {MAX_LIMIT}.")
    return limit


def read_after(params: QueryParams) -> str | None:
    """Where a list goes on."""
    text = params.get("after") or None
    try:
        return text and Cursor.read(text).write()
    except ValueError as error:
        raise ParameterError("after is what the page before has called next.") from error


def read_evidence(params: QueryParams) -> EvidenceFilter:
    """Which log lines, or items, a query asks for."""
    trace_id = parse_trace_id(params.get("trace_id") or "")
    if params.get("trace_id") and trace_id is None:
        raise ParameterError("trace_id is 32 hexadecimal digits, or in X-Ray's form.")
    return EvidenceFilter(
        service=params.get("service") or None,
        trace_id=trace_id,
        level=params.get("level") or None,
        text=read_text(params),
    )


def read_columns(params: QueryParams) -> int:
    """How many columns a heatmap may have."""
    text = params.get("columns") or str(DEFAULT_COLUMNS)
    columns = int(text) if re.fullmatch("[0-9]{1,3}", text, re.ASCII) else 0
    if not 1 <= columns <= MAX_COLUMNS:
        raise ParameterError(f"columns is a number from 1 to {MAX_COLUMNS}.")
    return columns


def read_text(params: QueryParams) -> str | None:
    """The text that is looked for."""
    text = params.get("q") or None
    if text and len(text) > MAX_TEXT:
        raise ParameterError(f"q is a text of up to {MAX_TEXT} characters.")
    return text


def write_moment(nanoseconds: int) -> str:
    """A time in ISO 8601 and UTC, exact to the nanosecond."""
    moment = (_EPOCH + timedelta(seconds=nanoseconds // 1_000_000_000)).isoformat()
    fraction = f"{nanoseconds % 1_000_000_000:09}".rstrip("0")
    return f"{moment.removesuffix('+00:00')}{'.' if fraction else ''}{fraction}Z"


def write_duration(nanoseconds: int) -> str:
    """A duration in milliseconds, exact to the nanosecond."""
    text = f"{nanoseconds // _MILLISECOND}.{nanoseconds % _MILLISECOND:06}"
    return text.rstrip("0").removesuffix(".")


def _write_moment(nanoseconds: int | None) -> str | None:
    return None if nanoseconds is None else write_moment(nanoseconds)


def _write_duration(nanoseconds: int | None) -> str | None:
    return None if nanoseconds is None else write_duration(nanoseconds)


def _duration(params: QueryParams, name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    if not _MILLISECONDS.fullmatch(text):
        raise ParameterError(f"{name} is a number of milliseconds, with up to six decimals: 12.5.")
    return int(Decimal(text) * _MILLISECOND)


def _moment(params: QueryParams, name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    try:
        nanoseconds = _nanoseconds(text)
    except ValueError:
        nanoseconds = -1
    if not 0 <= nanoseconds <= MAX_TIME_NS:
        raise ParameterError(
            f"{name} is a time as 2026-01-31T12:30:00Z, from 1970 to 2262; without a zone, UTC."
        )
    return nanoseconds


def _nanoseconds(text: str) -> int:
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError
    day, minute, second, fraction, sign, hours, minutes = found.groups()
    moment = datetime.fromisoformat(f"{day}T{minute or '00:00'}:{second or '00'}+00:00")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    seconds = (moment - _EPOCH - offset) // timedelta(seconds=1)
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


# An equals sign in a name has a backslash before it, and so has a backslash.
_ATTRIBUTE = re.compile(r"((?:\\[\\=]|\\(?![\\=])|[^\\=])+)=(.*)", re.DOTALL)


def _read_attribute(text: str) -> tuple[str, str]:
    found = _ATTRIBUTE.fullmatch(text)
    if not found or len(text) > MAX_TEXT:
        raise ParameterError(f"attribute is name=value, of up to {MAX_TEXT} characters: app.plan=free.")
    return re.sub(r"\\([\\=])", r"\1", found[1]), found[2]


def _write_attribute(name: str, value: str) -> str:
    quoted = re.sub(r"[\\=]", r"\\\g<0>", name)
    return f"{quoted}={value}"

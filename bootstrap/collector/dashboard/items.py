"""Rollbar's items as pages show them: what was raised and where, and what the program knew then."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from bootstrap.collector.dashboard.facts import Fact, Section, section
from bootstrap.collector.dashboard.wording import plain
from bootstrap.collector.telemetry.records import Item

_MOST_FRAMES = 100
_MOST_RAISED = 10


class Frame(Struct):
    """One place of a stack; `code` are its lines with their numbers, the one that ran marked."""

    file: str
    line: int | None
    function: str
    code: list[tuple[str, str, bool]]
    variables: list[Fact]


class Raised(Struct):
    """One exception, with its stack: the innermost call first, as it says most."""

    name: str
    message: str
    frames: list[Frame]
    left_out: int = 0


class ItemView(Struct):
    """An item whole; `raised` has the exception that was reported first, then its causes."""

    raised: list[Raised]
    text: str
    sections: list[Section]


def view(item: Item) -> ItemView:
    """Read an item; what it says in no known form stays among its facts."""
    body = item.data.get("body")
    body = body if isinstance(body, Mapping) else {}
    chain = body.get("trace_chain")
    traces = chain if isinstance(chain, list) else [body.get("trace")]
    sections = [
        section("Request", item.data.get("request")),
        section("Person", item.data.get("person")),
        section("Custom", item.data.get("custom")),
        section("Server", item.data.get("server")),
        section("Item", {name: value for name, value in item.data.items() if name not in _SHOWN}),
    ]
    return ItemView(
        raised=[_raised(trace) for trace in traces[:_MOST_RAISED] if isinstance(trace, Mapping)],
        text=_text(body),
        sections=[each for each in sections if each.facts],
    )


_SHOWN = {"body", "request", "person", "custom", "server"}


def _text(body: Mapping[str, Any]) -> str:
    """The message, or the raw report, of an item without a stack."""
    for kind, part in (("message", "body"), ("crash_report", "raw")):
        holder = body.get(kind)
        if isinstance(holder, Mapping) and isinstance(holder.get(part), str):
            return plain(holder[part])
    return ""


def _raised(trace: Mapping[str, Any]) -> Raised:
    exception = trace.get("exception")
    exception = exception if isinstance(exception, Mapping) else {}
    given = trace.get("frames")
    frames = [frame for frame in given if isinstance(frame, Mapping)] if isinstance(given, list) else []
    frames.reverse()  # Rollbar has the innermost call last
    return Raised(
        name=plain(exception.get("class") or "Exception"),
        message=plain(exception.get("message") or exception.get("description") or ""),
        frames=[_frame(frame) for frame in frames[:_MOST_FRAMES]],
        left_out=max(0, len(frames) - _MOST_FRAMES),
    )


def _frame(frame: Mapping[str, Any]) -> Frame:
    line = frame.get("lineno")
    line = line if isinstance(line, int) and not isinstance(line, bool) else None
    arguments = frame.get("argspec"), frame.get("args")
    values = dict(frame["locals"]) if isinstance(frame.get("locals"), Mapping) else {}
    if isinstance(arguments[0], list) and isinstance(arguments[1], list):
        values = dict(zip(map(plain, arguments[0]), arguments[1], strict=False)) | values
    return Frame(
        file=plain(frame.get("filename") or ""),
        line=line,
        function=plain(frame.get("method") or ""),
        code=list(_code(frame, line)),
        variables=section("", values).facts,
    )


def _code(frame: Mapping[str, Any], line: int | None) -> Iterator[tuple[str, str, bool]]:
    context = frame.get("context")
    context = context if isinstance(context, Mapping) else {}
    before, after = (_lines(context.get(part)) for part in ("pre", "post"))
    code = frame.get("code")
    own = [code] if isinstance(code, str) else []
    first = None if line is None else line - len(before)
    for index, text in enumerate([*before, *own, *after]):
        yield "" if first is None else str(first + index), text, bool(own) and index == len(before)


def _lines(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []

"""The only place that formats: data to stdout, words to stderr, control characters escaped."""

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

# Everything that could move the cursor, change a title or hide text; tab and line end stay.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Escape control characters: a log line or a name must not steer the terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def clean_value(text: str) -> str:
    """Escape line ends, too: a value must not look like a line of ours."""
    return clean(text).replace("\n", "\\n")


def colour_wanted(stream: Any) -> bool:
    """Colours are for people at a terminal who did not ask for none (https://no-color.org)."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def words(text: str = "", *, style: str | None = None, bold: bool = False) -> None:
    """Write a line for people to stderr."""
    _write(sys.stderr, text, style=style, bold=bold)


def data(text: str, *, style: str | None = None) -> None:
    """Write a line of data to stdout."""
    _write(sys.stdout, text, style=style)


def raw(text: str) -> None:
    """Write data to stdout exactly as it is: an encoder made it for another program.

    That is UTF-8 in every locale, and bytes that were none when they came in are the same bytes again.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
    sys.stdout.buffer.flush()


def _write(stream: Any, text: str, *, style: str | None = None, bold: bool = False) -> None:
    plain = clean(text)
    coloured = (style or bold) and colour_wanted(stream)
    stream.write((click.style(plain, fg=style, bold=bold or None) if coloured else plain) + "\n")
    stream.flush()


def error(message: str, hint: str) -> None:
    """Write an expected error: one line, and one line of what to do."""
    words(f"bootstrap: {_one_line(message)}", style="red")
    if hint:
        words(f"  {_one_line(hint)}")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def json_document(value: Any) -> None:
    """Write one JSON document to stdout; what could steer a terminal is escaped, as JSON allows."""
    raw(_safe_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def json_line(value: Any) -> None:
    """Write one line of JSON Lines to stdout."""
    raw(_safe_json(json.dumps(value, ensure_ascii=False)) + "\n")


def _safe_json(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows in columns to stdout; the last column is as long as it is."""
    everything = [tuple(map(clean_value, row)) for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in everything) for column in range(len(headings))]
    first, *others = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    )
    data(first, style="bright_black")
    if others:
        data("\n".join(others))  # in one: thousands of rows would be as many writes


def diff_line(line: str) -> None:
    """Write one line of a unified diff to stdout."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    data(line, style=styles.get(line[:1]))

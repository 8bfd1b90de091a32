"""JSON as programs really write it: Python's escapes half a surrogate pair, which is no text in UTF-8."""

import json
from typing import Any, TypeVar

import msgspec

_Kind = TypeVar("_Kind")


def decode(text: bytes | str, kind: type[_Kind]) -> _Kind:
    """Read JSON as a type of msgspec's; half a surrogate pair becomes a question mark.

    Raises msgspec.ValidationError where it is another type, msgspec.DecodeError where it is no JSON: NaN,
    numbers that no float holds, and what is nested without end among it.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return msgspec.json.decode(_with_whole_characters(text), type=kind)


def read_object(text: str) -> dict[str, Any] | None:
    """The object that a text is, or None if it is anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return decode(text, dict[str, Any])
    except msgspec.MsgspecError:
        return None


def _with_whole_characters(text: bytes | str) -> bytes:
    """Write it anew; msgspec reads what comes out more strictly than Python does."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace")
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(f"JSON is malformed: {error}") from error

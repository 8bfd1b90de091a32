"""One YAML document of a stranger's as plain data, read as Compose's own reader (go-yaml v3) takes it.

Scalars are YAML 1.2's: `22:22`, `yes` and dates are texts. A document may name a part of itself many times
over, so that a few lines stand for millions; what it stands for is counted before anything is made of it.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from bootstrap.model.errors import BootstrapError

#: bytes; the largest Compose files of well-known projects have a tenth of that
LONGEST = 256 * 1024
#: values that a document stands for, and levels in it
_MOST = 50_000
_DEEPEST = 60

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*|0[0-7_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
#: characters; Python refuses to make numbers of very long texts, and 64 bits is all that go-yaml takes
_LONGEST_NUMBER = 64
_OCTAL = re.compile(r"[-+]?0[0-7_]+", re.ASCII)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"


class UnreadableFileError(BootstrapError):
    """A file of theirs that is not read, and why; no value of it is quoted."""


class Reset:
    """`!reset`: whatever the files below say is gone."""


class Overriding:
    """`!override`: `value` takes the place of what the files below say."""

    def __init__(self, value: Any) -> None:
        self.value = value


def load(data: bytes, path: str) -> Any:
    """Read the one document in `data`; `path` is what errors call it. Raises UnreadableFileError."""
    if len(data) > LONGEST:
        raise UnreadableFileError(f"{path}: has more than {LONGEST // 1024} KiB", _BY_HAND)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{path}: is not UTF-8 (byte {error.start})", "Save it as UTF-8.") from None
    node = _compose(text, path)
    if node is None:
        return None
    _Extent(path).measure(node)
    return _Values(path).value(node)


_BY_HAND = "Write what you need of it into bootstrap.toml by hand."


def _compose(text: str, path: str) -> Any:
    import yaml  # noqa: PLC0415 - 15 ms, and only who has files of their own needs it

    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)
    except RecursionError:
        raise UnreadableFileError(f"{path}: is nested too deeply", _BY_HAND) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UnreadableFileError(
            f"{path}{where}: is not YAML: {error.problem or error.context}", "Correct that line."
        ) from None
    except yaml.YAMLError:
        raise UnreadableFileError(
            f"{path}: holds a character that YAML does not allow", "Remove it."
        ) from None


class _Extent:
    """Counts what a document stands for, on the graph of its parts, each of which is looked at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        #: part -> how many values it stands for, and how many levels; None while it is being counted
        self._known: dict[int, tuple[int, int] | None] = {}

    def measure(self, node: Any) -> tuple[int, int]:
        """Raises UnreadableFileError for a part that holds itself, for too many values or levels."""
        key = id(node)
        if key in self._known:
            known = self._known[key]
            if known is None:
                raise UnreadableFileError(f"{self._path}: a part of it holds itself", _BY_HAND)
            return known
        self._known[key] = None
        below = [self.measure(each) for each in _parts(node)]
        size = 1 + sum(count for count, _ in below)
        depth = 1 + max((levels for _, levels in below), default=0)
        if size > _MOST:
            raise UnreadableFileError(f"{self._path}: stands for more than {_MOST} values", _BY_HAND)
        if depth > _DEEPEST:
            raise UnreadableFileError(f"{self._path}: is nested too deeply", _BY_HAND)
        self._known[key] = (size, depth)
        return size, depth


def _parts(node: Any) -> Iterator[Any]:
    if node.id == "mapping":
        for key, value in node.value:
            yield key
            yield value
    elif node.id == "sequence":
        yield from node.value


class _Values:
    """Makes plain data of nodes."""

    def __init__(self, path: str) -> None:
        self._path = path

    def value(self, node: Any) -> Any:
        if node.tag == "!reset":
            return Reset()
        made = self._plain(node)
        return Overriding(made) if node.tag == "!override" else made

    def _plain(self, node: Any) -> Any:
        if node.id == "mapping":
            return self._mapping(node)
        if node.id == "sequence":
            return [self.value(each) for each in node.value]
        return _scalar(node)

    def _mapping(self, node: Any) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.id != "scalar":
                raise self._wrong(key, "has a key that is no text")
            if key.value == _MERGE and key.style is None:
                merged = {**self._merged(value), **merged}
            elif key.value in own:
                raise self._wrong(key, f"says {key.value[:80]!r} twice")
            else:
                own[key.value] = self.value(value)
        return {**merged, **own}

    def _merged(self, node: Any) -> dict[str, Any]:
        """What `<<` names: a table, or several of which the first wins."""
        parts = node.value if node.id == "sequence" else [node]
        made: dict[str, Any] = {}
        for part in parts:
            if part.id != "mapping":
                raise self._wrong(part, "merges what is no table")
            made = {**self._mapping(part), **made}
        return made

    def _wrong(self, node: Any, problem: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"{self._path}, line {node.start_mark.line + 1}: {problem}", "Correct that line."
        )


def _scalar(node: Any) -> Any:
    text: str = node.value
    if node.style is not None:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return _numeral(text)


def _numeral(text: str) -> Any:
    if _INTEGER.fullmatch(text) and len(text) < _LONGEST_NUMBER:
        return int(text.replace("_", ""), 8 if _OCTAL.fullmatch(text) else 0)
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text

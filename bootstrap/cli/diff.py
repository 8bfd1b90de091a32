"""A unified diff that shows no secret: no known value, and nothing that stands where one would."""

import difflib
import re
from collections.abc import Iterable, Iterator

from bootstrap.cli import output
from bootstrap.model.files import FileChange

_HIDDEN = "********"
#: parts of names that open something
_OPENERS = ("key", "token", "secret", "pass", "pwd", "headers", "credential", "dsn", "auth")
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]{0,200}:)[^/\s@]{1,500}@")
_SEPARATOR = re.compile(r"[:=]")
_BLOCKS = ("|", ">", "|-", ">-", "|+", ">+")


def show(change: FileChange, known: Iterable[str]) -> None:
    """Print what changes in one file; `known` are values that must not appear."""
    values = sorted(filter(None, known), key=len, reverse=True)
    after = change.after.text if change.after is not None else ""
    for line in difflib.unified_diff(
        masked(change.before or "", values),
        masked(after, values),
        f"{change.path} (now)",
        f"{change.path} (rendered)",
        lineterm="",
    ):
        output.diff_line(line)


def masked(text: str, known: Iterable[str] = ()) -> list[str]:
    """Split `text` into lines without its secrets; `known` is masked in its order."""
    for value in known:
        text = text.replace(value, _HIDDEN)
    return list(_masked_lines(text))


def _masked_lines(text: str) -> Iterator[str]:
    margin: int | None = None  # of the name whose block of lines is being hidden
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if margin is not None and (indent > margin or not line.strip()):
            yield " " * indent + _HIDDEN
            continue
        margin = None
        parts = _SEPARATOR.split(line, maxsplit=1)
        value = parts[-1].strip()
        if len(parts) > 1 and value and _opens(parts[0]) and not value.lstrip("\"'").startswith("${"):
            margin = indent if value in _BLOCKS else None
            yield f"{line[: len(parts[0]) + 1]} {_HIDDEN}"
        else:
            yield _PASSWORD_IN_URL.sub(rf"\1{_HIDDEN}@", line)


def _opens(name: str) -> bool:
    lowered = name.lower()
    return any(part in lowered for part in _OPENERS)

"""What goes wrong when a secret is copied and pasted: found by looking, said without quoting."""

import re

from msgspec import Struct

_BLANKS = " \t\u00a0\u200b\u2060\ufeff"
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_EXPORT = re.compile(r"\s*(export|set(\s+-\w+)*|setx|declare(\s+-\w+)*)\s+[A-Za-z_]\w*[\s=]", re.ASCII)
_COMMAND = re.compile(r"\s*(gp\s+env|gh\s+secret|bootstrap\s+secrets)\s", re.ASCII)
_PLACEHOLDER = re.compile(
    r"your([ _-].*|key|token|secret)|.*[ _-]here|<.*>|\[.*\]|x{3,}|\*{3,}|\.{3,}|\u2026|change[ _-]?me.*"
    r"|placeholder|replace[ _-]?me.*|(insert|enter|paste)[ _-].*|todo|tbd|none|null|undefined",
    re.IGNORECASE | re.DOTALL,
)
_UNEXPANDED = re.compile(r"\$\{?[A-Za-z_]\w*\}?|%\w+%|\$\(.*\)|\{\{.*\}\}", re.ASCII | re.DOTALL)
_FIRST_LINE = re.compile(r"\s*(-----BEGIN [^\n]*-----|[{\[])\s*")
#: what keys without a letter send, and a terminal that brackets what is pasted
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ONE_LETTER = re.compile(r"(.)\1{2,}", re.DOTALL)


class Slip(Struct, frozen=True):
    """One thing that looks wrong: `text` continues "NAME ..."; `certain` where no real value looks so."""

    text: str
    certain: bool = False


def find(name: str, value: str) -> Slip | None:
    """Find the first slip in a value that is not empty; None where there is none."""
    stripped = value.strip(_BLANKS + "\r\n")
    return _beginning(name, value) or _remains(name, value) or _stand_in(stripped) or _edges(value)


def _beginning(name: str, value: str) -> Slip | None:
    """Look for what stood before the value where it was copied."""
    # In any case: people name things as they please where only they read them.
    if re.match(rf"\s*{re.escape(name)}\s*[=:]", value, re.IGNORECASE):
        return Slip(f"begins with {name}=: the value is only what stands behind it", certain=True)
    if _EXPORT.match(value) or _COMMAND.match(value):
        return Slip("begins with a command: the value is only what stands behind it", certain=True)
    if value.lstrip(_BLANKS).startswith("="):
        return Slip("begins with an equals sign")
    return None


def _remains(name: str, value: str) -> Slip | None:
    """Look for what a prompt makes of what is no single line of letters: it ends at the first line end."""
    if _FIRST_LINE.fullmatch(value):
        way = f"give all of it on stdin, bootstrap secrets set {name} < FILE"
        return Slip(f"is only the first of several lines: {way}", certain=True)
    if _CONTROL.search(value):
        return Slip("holds control characters, as arrow keys make them")
    return None


def _stand_in(stripped: str) -> Slip | None:
    """Look for what stands where a value is to be put."""
    if not stripped:
        return Slip("holds nothing but blanks", certain=True)
    if _UNEXPANDED.fullmatch(stripped):
        return Slip("is the name of a variable, not its value")
    if _PLACEHOLDER.fullmatch(stripped.strip(_QUOTES)) or _ONE_LETTER.fullmatch(stripped):
        return Slip("is a placeholder, not a value")
    return None


def _edges(value: str) -> Slip | None:
    """Look at how a value begins and ends."""
    if value[-1] in "\r\n":
        return Slip("ends with a line end")
    if value[0] in _QUOTES and value[-1] in _QUOTES and len(value) > 1:
        return Slip("stands in quotes, which are no part of it")
    if value[0] in _BLANKS or value[-1] in _BLANKS or value[0] in "\r\n":
        return Slip("has blanks around it")
    if value[0] in _QUOTES or value[-1] in _QUOTES:
        return Slip("has a quote at one end")
    return None


def matches(pattern: str, value: str) -> bool:
    """Say whether a value fits a pattern. Unlike in Python, `$` is the end and not the line end before it."""
    found = re.search(pattern, value)
    if found is None:
        return False
    before_line_end = value.endswith("\n") and found.end() == len(value) - 1
    return not ("$" in pattern and before_line_end)

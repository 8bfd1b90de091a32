"""Addresses that keep what the present one asks for, and change one thing."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

Pairs = Sequence[tuple[str, str]]

#: what is about the page rather than about what it shows
_OWN = {"fragment", "token", "after"}


def kept(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a link goes on asking for: neither empty fields of a form, nor the place in a list."""
    return [(name, value) for name, value in pairs if value and name not in _OWN]


def address(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A path and its query."""
    query = urlencode(list(pairs), errors="replace")
    return f"{path}?{query}" if query else path


def without(pairs: Pairs, *names: str) -> list[tuple[str, str]]:
    """Leave some names out."""
    return [(name, value) for name, value in pairs if name not in names]


def less(pairs: Pairs, pair: tuple[str, str]) -> list[tuple[str, str]]:
    """Leave one condition out."""
    return [each for each in pairs if each != pair]


def more(pairs: Pairs, name: str, value: str) -> list[tuple[str, str]]:
    """Add one condition."""
    return [*less(pairs, (name, value)), (name, value)]

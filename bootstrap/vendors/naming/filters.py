"""Reads the filter expressions of X-Ray's groups, as far as it takes to say whose traces they can show.

The language: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html.
"""

import re
from collections.abc import Callable
from typing import NoReturn

from msgspec import Struct

#: the API takes no longer expression, and nobody nests one so deeply
_LONGEST = 2000
_DEEPEST = 50
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][\w.-]*(?:\[[^\]"]*\])?)
      | (?P<sign>!=|<=|>=|[=<>!(){},:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "BEGINSWITH", "ENDSWITH", "CONTAINS"})
#: A segment is called after its service or, with dynamic naming, after the host: never after a URL.
_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE | re.ASCII)


class Match(Struct, frozen=True):
    """Which traces an expression holds for: for none, for some, or for each."""

    possible: bool
    always: bool


class _Name(Struct, frozen=True):
    """Whom `service` or `edge` asks for: by name, unless that is None; not `alone` together with a type."""

    text: str | None
    alone: bool


_SOME = Match(possible=True, always=False)
_ALL = Match(possible=True, always=True)
_NONE = Match(possible=False, always=False)


class _UnreadableError(Exception):
    """The expression is none that this module understands."""


def is_url(name: str) -> bool:
    """Whether somebody gave a URL for a service's name."""
    return _URL.match(name) is not None


def match(expression: str, service: str | None = None) -> Match | None:
    """Say for which traces through `service` alone the expression holds; for None, of whichever services.

    None where the expression cannot be read, so that nothing can be said about it.
    """
    try:
        return _Reader(expression, service).whole()
    except _UnreadableError:
        return None


class _Reader:
    """Reads one expression from left to right, and judges it on the way."""

    def __init__(self, expression: str, service: str | None) -> None:
        self._tokens = _tokens(expression)
        self._at = 0
        self._depth = 0
        self._service = service

    def whole(self) -> Match:
        """Everything that there is."""
        found = self._either()
        if self._at < len(self._tokens):
            self._unreadable()
        return found

    def _either(self) -> Match:
        found = self._both()
        while self._take("OR"):
            other = self._both()
            found = Match(found.possible or other.possible, found.always or other.always)
        return found

    def _both(self) -> Match:
        """What stands side by side holds together, with AND between or without: `ok !partial`."""
        found = self._one()
        while self._take("AND") or self._next() not in {"", "OR", ")", "}"}:
            found = _and(found, self._one())
        return found

    def _one(self) -> Match:
        if self._take("!"):
            found = self._nested(self._one)
            return Match(not found.always, not found.possible)
        if self._take("("):
            found = self._nested(self._either)
            self._expect(")")
            return found
        if self._next() == "service" and self._next(1) == "(":
            return self._node(self._of_service, 1)
        if self._next() == "edge" and self._next(1) == "(":
            return self._node(self._of_edge, 2)
        return self._comparison()

    def _node(self, judged: Callable[[list[_Name]], Match], most: int) -> Match:
        """`service(...)` or `edge(...)`, and what has to hold there."""
        self._at += 2
        names: list[_Name] = []
        while not self._take(")"):
            if names:
                self._expect(",")
            names.append(self._name())
        if len(names) > most:
            self._unreadable()
        found = judged(names)
        if self._take("{"):
            found = _and(found, self._nested(self._either))
            self._expect("}")
        return found

    def _of_service(self, names: list[_Name]) -> Match:
        if not names:
            return _ALL
        name = names[0]
        if name.text is not None and is_url(name.text):
            return _NONE
        if name.text is None or self._service is None:
            return _SOME
        if name.text != self._service:
            return _NONE
        return _ALL if name.alone else _SOME

    def _of_edge(self, names: list[_Name]) -> Match:
        return _NONE if any(name.text is not None and is_url(name.text) for name in names) else _SOME

    def _name(self) -> _Name:
        """A name in quotes, or `id(name: "...", type: "...")`, which may give either."""
        if self._next() != "id":
            return _Name(self._text(), alone=True)
        self._at += 1
        self._expect("(")
        given: dict[str, str] = {}
        while not self._take(")"):
            if given:
                self._expect(",")
            key = self._word()
            self._expect(":")
            given[key] = self._text()
        return _Name(given.get("name"), alone=given.keys() == {"name"})

    def _comparison(self) -> Match:
        """Whether a keyword has some value: depends on the request."""
        self._word()
        if self._next() in _COMPARISONS:
            self._at += 1
            if self._next() in {"", "(", ")", "{", "}", ",", ":", "!", *_COMPARISONS}:
                self._unreadable()
            self._at += 1
        return _SOME

    def _nested(self, read: Callable[[], Match]) -> Match:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._unreadable()
        found = read()
        self._depth -= 1
        return found

    def _next(self, further: int = 0) -> str:
        at = self._at + further
        return self._tokens[at] if at < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        if self._next() != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            self._unreadable()

    def _text(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            self._unreadable()
        self._at += 1
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)

    def _word(self) -> str:
        token = self._next()
        if not (token[:1].isalpha() or token[:1] == "_") or token in {"AND", "OR", *_COMPARISONS}:
            self._unreadable()
        self._at += 1
        return token

    def _unreadable(self) -> NoReturn:
        raise _UnreadableError


def _and(one: Match, other: Match) -> Match:
    return Match(one.possible and other.possible, one.always and other.always)


def _tokens(expression: str) -> list[str]:
    if len(expression) > _LONGEST:
        raise _UnreadableError
    found, at, text = [], 0, expression.rstrip()
    while at < len(text):
        step = _TOKEN.match(text, at)
        if step is None:
            raise _UnreadableError
        found.append(step[0].strip())
        at = step.end()
    return found

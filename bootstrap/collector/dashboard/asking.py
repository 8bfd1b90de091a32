"""What a page is asked for: its parameters as they came, and as a filter."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from bootstrap.collector.answering.parameters import ParameterError, read_filter
from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.dashboard import links
from bootstrap.collector.dashboard.wording import DAY, HOUR, MINUTE


class Moved(Exception):  # noqa: N818 -- an answer, not an error
    """There is a better page."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class Missing(Exception):  # noqa: N818 -- an answer, not an error
    """There is no such thing; a title and a sentence."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self.title = title
        self.text = text


class View(NamedTuple):
    """What to show: a template and its values."""

    template: str
    values: Mapping[str, Any]


class Chip(NamedTuple):
    """A condition in words, and the address without it."""

    label: str
    address: str
    time_ns: int | None = None
    """Stands behind the label."""


class Form(Struct):
    """What stands in the fields."""

    service: str
    status: str
    min: str
    max: str
    q: str
    attributes: list[str]

    @property
    def any(self) -> bool:
        """Whether there is a condition."""
        return bool(self.service or self.status or self.min or self.max or self.q or self.attributes)


#: how far back a page may look, by the name in its address
LATELY = {"15min": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY}

#: the conditions of a filter, and the words before them
_WORDS = {
    "service": "",
    "status": "status ",
    "min": "at least ms: ",
    "max": "less than ms: ",
    "attribute": "",
    "q": "text ",
    "start": "since",
    "end": "before",
}


class Asked:
    """One request for traces."""

    def __init__(self, path: str, params: QueryParams) -> None:
        self.path = path
        self.params = params
        self.now_ns = time.time_ns()
        self.pairs = links.kept(params.multi_items())
        """All that is asked for, without the place in the list."""

    def filter(self) -> TraceFilter:
        """Which traces; ParameterError."""
        wanted = read_filter(self.params)
        lately = self.lately
        if lately is None:
            return wanted
        since = self.now_ns - LATELY[lately]
        return replace(wanted, start_ns=max(since, wanted.start_ns or 0))

    @property
    def lately(self) -> str | None:
        """How far back, as LATELY names it; ParameterError."""
        name = self.params.get("last") or None
        if name is not None and name not in LATELY:
            raise ParameterError(f"last is one of {', '.join(LATELY)}.")
        return name

    def form(self) -> Form:
        """The fields, as they were filled in."""
        first = {name: self.params.get(name, "") for name in ("service", "status", "min", "max", "q")}
        return Form(**first, attributes=[value for value in self.params.getlist("attribute") if value])

    def chips(self) -> list[Chip]:
        """The conditions, each with the address that leaves it out."""
        return [self._chip(name, value) for name, value in dict.fromkeys(self.pairs) if name in _WORDS]

    def _chip(self, name: str, value: str) -> Chip:
        address = links.address(self.path, links.less(self.pairs, (name, value)))
        if name in ("start", "end"):
            try:
                wanted = read_filter(QueryParams([(name, value)]))
            except ParameterError:
                return Chip(f"{_WORDS[name]} {value}", address)
            return Chip(_WORDS[name], address, wanted.start_ns if name == "start" else wanted.end_ns)
        return Chip(f"{_WORDS[name]}{value}", address)

    def with_(self, path: str | None = None, *, leave: Sequence[str] = (), **added: str) -> str:
        """The address of a page that asks for the same, without and with something."""
        pairs = links.without(self.pairs, *leave, *added)
        return links.address(path or self.path, [*pairs, *added.items()])


def longest(durations: Sequence[int | None]) -> int:
    """What bars are relative to; never nothing."""
    return max((each or 0 for each in durations), default=0) or 1


def limit_of(params: QueryParams, usual: int, most: int) -> int:
    """How many rows are asked for; ParameterError."""
    text = params.get("limit") or str(usual)
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise ParameterError(f"limit is a number from 1 to {most}.")
    return int(text)

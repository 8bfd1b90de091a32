"""The page of log lines."""

import hashlib
from typing import Any

from msgspec import Struct

from bootstrap.collector.answering.parameters import ParameterError, read_evidence
from bootstrap.collector.asking.questions import LinePage
from bootstrap.collector.dashboard import lines
from bootstrap.collector.dashboard.asking import Asked, View, limit_of
from bootstrap.collector.storing.store import Store
from bootstrap.collector.telemetry.records import LogLine

_ROWS, _MOST_ROWS = 100, 500


class Wanted(Struct):
    """What stands in the fields."""

    service: str
    text: str
    trace_id: str

    @property
    def any(self) -> bool:
        """Whether there is a condition."""
        return bool(self.service or self.text or self.trace_id)


def wanted_of(asked: Asked) -> Wanted:
    """The fields, as they were filled in."""
    get = asked.params.get
    return Wanted(get("service", ""), get("q", ""), get("trace_id", "").strip())


def show(store: Store, asked: Asked) -> View:
    """The latest lines that fit."""
    wanted = wanted_of(asked)
    page, problem = LinePage([]), ""
    after = asked.params.get("after") or None
    try:
        limit = limit_of(asked.params, _ROWS, _MOST_ROWS)
        page = store.search.lines(read_evidence(asked.params), limit=limit, after=after)
    except ParameterError as error:
        problem = str(error)
    except ValueError:
        problem = "This place in the list is none that a page has given."
    return View(
        "logs.html",
        {
            "lines": [(_key(line), lines.view(line)) for line in page.lines],
            "wanted": wanted,
            "services": services_with(store, wanted.service),
            "older": asked.with_(after=page.next) if page.next else None,
            "newest": asked.with_() if after else None,
            "searched_to_ns": page.searched_to_ns,
            "problem": problem,
            "here": "Logs",
            "kinds": None if after else "logs",
        },
    )


def services_with(store: Store, chosen: str) -> list[str]:
    """What can be chosen, and what is chosen."""
    services = store.search.services()
    return [chosen, *services] if chosen and chosen not in services else services


def _key(line: LogLine) -> str:
    """The same for the same line whenever the page is made anew."""
    told: tuple[Any, ...] = (line.time_ns, line.group, line.stream, line.message)
    return hashlib.blake2b(repr(told).encode(errors="replace"), digest_size=8).hexdigest()

"""What of a filter the tables answer by themselves, as SQL over `trace`; and where a page of it begins."""

import contextlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Self

from bootstrap.collector.asking.questions import TraceFilter
from bootstrap.collector.tables.rollup import MOST_ARRIVALS, ONLY_MENTIONED
from bootstrap.collector.telemetry.records import MAX_TIME_NS

Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]

_CURSOR = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")

_OF_SERVICE = """EXISTS (
    SELECT 1 FROM trace_service
    WHERE trace_service.number = trace.number AND trace_service.service = :service
)"""

# True but of a service that has never sent anything: a bound of no value ends the search in the index
# before it has begun. Where so many services have sent that they are no longer told apart, any may have.
_HAS_SENT = """start_ns <= (
    SELECT :last_ns WHERE EXISTS (SELECT 1 FROM arrival WHERE arrival.service = :service)
        OR (SELECT count(*) FROM arrival) >= :most_services
)"""


class Cursor(NamedTuple):
    """Where a list has got to: what comes after it is older, or arrived earlier."""

    time_ns: int
    number: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError for what `write` has not written."""
        found = _CURSOR.fullmatch(text)
        cursor = cls(int(found[1]), int(found[2])) if found else None
        if cursor is None or max(cursor) > MAX_TIME_NS:
            raise ValueError("is not where a list of this collector's goes on")
        return cursor

    def write(self) -> str:
        """As text that nobody needs to understand."""
        return f"{self.time_ns}-{self.number}"


class Conditions(NamedTuple):
    """SQL that is true of the rows that are wanted, and its parameters."""

    where: str
    values: dict[str, Any]

    def within(self, statement: str) -> str:
        """The statement with the conditions in place of {where}."""
        return statement.replace("{where}", self.where)

    def also(self, where: str, **values: Any) -> "Conditions":
        """These, and one more."""
        return Conditions(f"{self.where} AND {where}", {**self.values, **values})

    def giving(self, **values: Any) -> "Conditions":
        """These, with more parameters for the statement around them."""
        return Conditions(self.where, {**self.values, **values})

    def after(self, cursor: Cursor | None) -> "Conditions":
        """Those that come after a place in the list."""
        if cursor is None:
            return self
        return self.also("(start_ns, number) < (:at_ns, :at)", at_ns=cursor.time_ns, at=cursor.number)


def conditions(wanted: TraceFilter) -> Conditions:
    """All of a filter but what needs a trace to be read: attributes and text."""
    parts: dict[str, dict[str, Any]] = {
        f"{_HAS_SENT} AND {_OF_SERVICE}": {
            "service": wanted.service,
            "last_ns": MAX_TIME_NS,
            "most_services": MOST_ARRIVALS,
        },
        "error = :error": {"error": None if wanted.status is None else wanted.status == "error"},
        "end_ns - start_ns >= :min_ns": {"min_ns": storable(wanted.min_ns)},
        "end_ns - start_ns < :max_ns": {"max_ns": storable(wanted.max_ns)},
        "start_ns >= :start_ns": {"start_ns": wanted.start_ns},
        "start_ns < :end_ns": {"end_ns": wanted.end_ns},
        "rank < :mentioned": {"mentioned": ONLY_MENTIONED if wanted.measured else None},
    }
    given = {sql: value for sql, value in parts.items() if None not in value.values()}
    values = {name: value for each in given.values() for name, value in each.items()}
    return Conditions(" AND ".join(given) or "TRUE", values)


def storable(nanoseconds: int | None) -> int | None:
    """A bound as SQLite can hold it: no duration reaches further."""
    return None if nanoseconds is None else min(nanoseconds, MAX_TIME_NS)


class Budget:
    """The time that one answer may take; a statement that is still running when it is over is interrupted."""

    SECONDS = 0.2
    _STEPS = 20_000  # of SQLite's machine, between two looks at the clock

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left."""
        return self._end - time.monotonic()

    def is_over(self) -> bool:
        """Whether none are."""
        return self.left() <= 0

    @contextlib.contextmanager
    def limiting(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Interrupt what the connection does, with sqlite3.OperationalError, once it is over."""
        connection.set_progress_handler(self.is_over, self._STEPS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

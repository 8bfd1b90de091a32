"""Looking again and again: what settles, what completes itself, and what is given up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bootstrap.verification.interface import Arrival, Finding, Reading, Report, waiting
from bootstrap.verification.patience import settle

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Reading(Arrival.ARRIVED, "all of it")
PART = Reading(Arrival.ARRIVED, "a part", settled=False)
REFUSED = Reading(Arrival.MISSING, "refused")


def in_turn(*readings: Reading) -> tuple[float, Callable[[], Reading]]:
    """Show one reading after the other, and the last one for ever."""
    left = list(readings)
    return time.time(), lambda: left.pop(0) if len(left) > 1 else left[0]


def nothing(_keys: list[str], _seconds: float) -> None:
    raise AssertionError("nobody waits that long")


def test_what_is_settled_is_looked_at_once() -> None:
    found = settle({"a": in_turn(HERE, REFUSED), "b": in_turn(REFUSED, HERE)}, 5, nothing)
    assert [found[key][0] for key in "ab"] == [HERE, REFUSED]


def test_what_is_not_there_is_looked_for_again() -> None:
    found = settle({"a": in_turn(waiting("no"), waiting("no"), HERE), "b": in_turn(HERE)}, 5, nothing)
    assert found["a"][0] == HERE
    assert found["a"][1] > found["b"][1]


def test_time_counts_from_the_request_and_until_the_first_of_it_was_seen() -> None:
    _, look = in_turn(PART, waiting("gone"), HERE)
    found = settle({"a": (time.time() - 100, look)}, 5, nothing)
    assert found["a"][0] == HERE
    assert 100 <= found["a"][1] < 100.1


def test_the_last_look_counts_when_the_time_is_up() -> None:
    start = time.monotonic()
    found = settle({"a": in_turn(waiting("first"), waiting("then")), "b": in_turn(PART)}, 0.3, nothing)
    assert time.monotonic() - start < 2
    assert (found["a"][0].detail, found["b"][0]) == ("then", PART)


def test_a_person_is_told_what_is_waited_for() -> None:
    told: list[tuple[list[str], float]] = []
    settle({"a": in_turn(waiting("no")), "b": in_turn(HERE)}, 1.4, lambda *said: told.append(said))
    ((keys, seconds),) = told
    assert keys == ["a"]
    assert 1 <= seconds < 2


def test_only_what_has_not_arrived_is_a_problem_unless_somebody_is_strict() -> None:
    findings = tuple(
        Finding(service="s", vendor=state.name, title="", state=state, detail="") for state in Arrival
    )
    report = Report((), findings)
    assert [finding.state for finding in report.problems(strict=False)] == [Arrival.MISSING]
    assert [finding.state for finding in report.problems(strict=True)] == [Arrival.ACCEPTED, Arrival.MISSING]

"""Whatever goes wrong with whichever call of `apply`: the next one finishes the job.

Nothing is there twice then. Every call is counted, so that none is left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from signal import SIGKILL
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from bootstrap.model.errors import BootstrapError
from bootstrap.provisioning.honeycomb.queries import COLUMNS, QUERIES
from bootstrap.provisioning.interface import Action
from tests.provisioning.honeycomb.scenario import Someone
from tests.stand_ins.honeycomb_rules import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stand_ins.honeycomb_configuration import Fault, HoneycombConfiguration

ROOT = Path(__file__).parents[3]
#: what an `apply` from nothing calls: whose key it is, four looks, a dataset, columns, queries with their
#: annotations, a last look at those, and the board
CALLS = 1 + 4 + 1 + len(COLUMNS) + 2 * len(QUERIES) + 1 + 1
#: what an `apply` calls that finds one query asking something else: whose key it is, three looks and one at
#: the query, the new one and its annotation, a look at all, the board, and the old annotation's end
CHANGING = 1 + 3 + 1 + 2 + 1 + 1 + 1


@pytest.fixture(scope="module")
def children() -> Iterator[Popen[str]]:
    """A process whose children apply."""
    program = [sys.executable, "-m", "tests.provisioning.honeycomb.killable"]
    with Popen(program, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


def ask(children: Popen[str], line: str) -> int:
    assert children.stdin is not None
    assert children.stdout is not None
    children.stdin.write(f"{line}\n")
    children.stdin.flush()
    return int(children.stdout.readline())


def try_to_apply(someone: Someone) -> bool:
    """Whether all of it was done; what was not says what to do."""
    try:
        outcome = someone.carry_out()
    except BootstrapError as error:
        words = [(error.message, error.hint)]
    else:
        words = [(message, hint) for _, message, hint in outcome.failed]
    assert all(message and hint for message, hint in words)
    return not words


def check(someone: Someone, environment: Environment) -> None:
    """See that everything is there, and once."""
    someone.apply()
    assert [change.action for change in someone.plan() if change.action is not Action.KEEP] == []
    assert len(environment.columns["posts"]) == len(COLUMNS)
    assert len(environment.annotations["posts"]) == len(QUERIES)
    assert len(environment.boards) == 1
    assert environment.dangling() == []


def age(environment: Environment) -> None:
    """Let one query ask something else than what is wanted."""
    annotation = next(iter(environment.annotations["posts"].values()))
    annotation["description"] = annotation["description"].replace("query=", "query=0")
    environment.queries["posts"][annotation["query_id"]]["limit"] = 7


def nothing(_someone: Someone, _environment: Environment) -> None:
    pass


def old(someone: Someone, environment: Environment) -> None:
    someone.apply()
    age(environment)


@pytest.mark.parametrize(("prepare", "calls"), [(nothing, CALLS), (old, CHANGING)])
@pytest.mark.parametrize("fault", ["error", "unavailable", "throttle", "forbid", "drop", "lose"])
def test_a_fault_at_every_single_call(
    prepare: Callable[[Someone, Environment], None],
    calls: int,
    fault: Fault,
    honeycomb: HoneycombConfiguration,
) -> None:
    attempts = 2 if fault in ("throttle", "unavailable") else 1
    for number in range(1, calls + 1):
        environment = Environment("production")
        key, _ = honeycomb.add_key(environment)
        me = Someone(key=key, url=honeycomb.url, attempts=attempts)
        prepare(me, environment)
        honeycomb.fail(number, fault=fault)
        done = try_to_apply(me)
        assert len(honeycomb.calls) >= number, "no such call"
        assert done or fault != "throttle"  # what was too much is not so a moment later
        honeycomb.fail(0, fault=fault)
        check(me, environment)
    environment = Environment("production")
    key, _ = honeycomb.add_key(environment)
    me = Someone(key=key, url=honeycomb.url)
    prepare(me, environment)
    honeycomb.fail(0, fault=fault)
    me.apply()
    assert len(honeycomb.calls) == calls, "a call was left out"


@pytest.mark.slow
@pytest.mark.parametrize(("prepare", "calls"), [(nothing, CALLS), (old, CHANGING)])
def test_an_answer_that_comes_too_late(
    prepare: Callable[[Someone, Environment], None], calls: int, honeycomb: HoneycombConfiguration
) -> None:
    for number in range(1, calls + 1):
        environment = Environment("production")
        key, _ = honeycomb.add_key(environment)
        me = Someone(key=key, url=honeycomb.url)
        prepare(me, environment)
        honeycomb.fail(number, fault="slow")
        try_to_apply(replace(me, timeout=honeycomb.late / 2))
        honeycomb.fail(0, fault="slow")
        check(me, environment)


@pytest.mark.slow
@pytest.mark.parametrize(("prepare", "calls"), [(nothing, CALLS), (old, CHANGING)])
@pytest.mark.parametrize("fault", ["kill", "kill after"])
def test_an_apply_that_is_killed_at_every_single_call(
    prepare: Callable[[Someone, Environment], None],
    calls: int,
    fault: Fault,
    honeycomb: HoneycombConfiguration,
    children: Popen[str],
) -> None:
    for number in range(1, calls + 1):
        environment = Environment("production")
        key, _ = honeycomb.add_key(environment)
        me = Someone(key=key, url=honeycomb.url)
        prepare(me, environment)
        honeycomb.fail(number, fault=fault)
        honeycomb.caller = ask(children, json.dumps({"key": key, "url": honeycomb.url}))
        assert ask(children, "go") == -SIGKILL
        assert len(honeycomb.calls) >= number, "no such call"
        honeycomb.fail(0, fault=fault)
        check(me, environment)

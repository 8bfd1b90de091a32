"""What becomes of a plan when calls fail, or were answered by nobody: the next one finishes the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import BootstrapError, RemoteRefusedError, UnreachableError
from bootstrap.provisioning.applying import carry_out
from bootstrap.provisioning.planning import Wish, look, plan
from tests.provisioning.things import COLLEAGUE, OURS, STRANGER, Thing, World

if TYPE_CHECKING:
    from bootstrap.provisioning.interface import Outcome


def three(world: World) -> list[Thing]:
    """One alone, and one that needs another."""
    return [
        Thing(world, "alone", size=1),
        Thing(world, "policy", size=1),
        Thing(world, "role", "policy", size=1),
    ]


def applied(world: World, things: list[Thing], **wish: Any) -> Outcome:
    removing = wish.get("direction") == "destroy"
    made = plan(things, look(things, removing=removing), Wish(owners={"world": OURS}, **wish))
    return carry_out(made, {"world": OURS}, {"world": world})


def names(outcome: Outcome) -> tuple[list[str], list[str], list[str]]:
    done = [change.resource.name for change in outcome.done]
    failed = [change.resource.name for change, _, _ in outcome.failed]
    return done, failed, [change.resource.name for change in outcome.skipped]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [RemoteRefusedError("no", "do"), UnreachableError("silence")])
@pytest.mark.parametrize("broken", ["alone", "policy", "role"])
def test_after_any_failure_the_next_apply_finishes_the_job(
    broken: str,
    error: BootstrapError,
    late: bool,  # noqa: FBT001 - a parameter
) -> None:
    world = World()
    world.errors = {f"create {broken}": error}
    world.late = {f"create {broken}"} if late else set()
    things = three(world)
    first = applied(world, things)
    assert first.failed or late
    world.errors = {}
    applied(world, things)
    assert not plan(things, look(things), Wish(owners={"world": OURS})).pending
    assert all(found.owner == OURS and found.fields == {"size": 1} for found in world.there.values())


def test_a_refusal_ends_only_what_needs_it() -> None:
    world = World()
    world.errors = {"create policy": RemoteRefusedError("no", "do this")}
    outcome = applied(world, three(world))
    assert names(outcome) == (["alone"], ["policy"], ["role"])
    assert outcome.failed[0][1:] == ("no", "do this")


def test_who_does_not_answer_is_not_asked_again() -> None:
    world = World()
    world.errors = {"create alone": UnreachableError("silence")}
    assert names(applied(world, three(world))) == ([], ["alone"], ["policy", "role"])
    assert [call for call in world.calls if "create" in call] == ["create alone"]


def test_what_was_made_though_the_answer_was_an_error_is_done() -> None:
    world = World()
    world.errors = {"create alone": RemoteRefusedError("exists already")}
    world.late = {"create alone"}
    assert names(applied(world, three(world))) == (["alone", "policy", "role"], [], [])


@pytest.mark.parametrize("late", [False, True])
def test_what_was_updated_though_the_answer_was_an_error_is_done(late: bool) -> None:  # noqa: FBT001
    world = World()
    world.exists("alone", OURS, size=2)
    world.errors = {"update size alone": RemoteRefusedError("there are five versions by now")}
    world.late = {"update size alone"} if late else set()
    assert names(applied(world, three(world)))[1] == ([] if late else ["alone"])


def test_what_was_half_made_is_completed_at_once() -> None:
    world = World()
    thing = Thing(world, "a", size=1)
    made = plan([thing], look([thing]), Wish(owners={"world": OURS}))
    world.exists("a", OURS, size=None)  # as if the first try had got so far
    assert names(carry_out(made, {"world": OURS}, {"world": world})) == (["a"], [], [])
    assert world.there["a"].fields == {"size": 1}


def test_what_a_colleague_makes_meanwhile_is_brought_to_what_is_wanted() -> None:
    world = World()
    thing = Thing(world, "a", size=1)
    made = plan([thing], look([thing]), Wish(owners={"world": OURS}))
    world.exists("a", COLLEAGUE, size=5)
    assert names(carry_out(made, {"world": OURS}, {"world": world})) == (["a"], [], [])
    assert (world.there["a"].fields, world.there["a"].owner) == ({"size": 1}, COLLEAGUE)


def test_what_a_stranger_makes_meanwhile_is_left_alone() -> None:
    world = World()
    thing = Thing(world, "a", size=1)
    made = plan([thing], look([thing]), Wish(owners={"world": OURS}))
    world.exists("a", STRANGER, size=5)
    outcome = carry_out(made, {"world": OURS}, {"world": world})
    assert names(outcome) == ([], ["a"], [])
    assert "exists by now, and is not ours" in outcome.failed[0][1]
    assert world.there["a"].fields == {"size": 5}


def test_adopting_marks_first_and_then_updates() -> None:
    world = World()
    world.exists("alone", None, size=2)
    outcome = applied(world, three(world), adopt=["alone"])
    assert names(outcome)[0] == ["alone", "policy", "role"]
    assert world.calls.index("adopt alone") < world.calls.index("update size alone")
    assert world.there["alone"].adopted
    assert not list(applied(world, three(world)).done)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("broken", ["alone", "policy", "role"])
def test_after_any_failure_the_next_destroy_finishes_the_job(broken: str, late: bool) -> None:  # noqa: FBT001
    world = World()
    things = three(world)
    applied(world, things)
    world.exists("other", STRANGER)
    world.errors = {f"delete {broken}": RemoteRefusedError("no")}
    world.late = {f"delete {broken}"} if late else set()
    outcome = applied(world, things, direction="destroy")
    assert bool(outcome.failed) == (not late)
    if broken == "role" and not late:
        assert names(outcome)[2] == ["policy"]
    world.errors = {}
    applied(world, things, direction="destroy")
    assert list(world.there) == ["other"]


def test_what_was_read_is_forgotten_after_each_change() -> None:
    world = World()
    applied(world, three(world))
    assert world.forgotten == 3

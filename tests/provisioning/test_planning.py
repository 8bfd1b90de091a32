"""What is to be done about a resource: decided from plain values, without anybody being asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.errors import RemoteRefusedError, UsageError
from bootstrap.provisioning.interface import Action, Found, Hold, Plan
from bootstrap.provisioning.planning import Wish, look, plan
from tests.provisioning.things import COLLEAGUE, OURS, STRANGER, Thing, World


def planned(*things: Thing, **wish: Any) -> Plan:
    removing = wish.get("direction") == "destroy"
    return plan(things, look(things, removing=removing), Wish(owners={"world": OURS}, **wish))


def actions(found: Plan) -> list[tuple[str, str]]:
    return [(change.action.value, change.resource.name) for change in found.changes]


def test_what_is_not_there_is_created_with_every_field() -> None:
    world = World()
    (change,) = planned(Thing(world, "a", size=1, colour="red")).changes
    assert change.action is Action.CREATE
    assert [(drift.name, drift.before, drift.after) for drift in change.drift] == [
        ("size", None, 1),
        ("colour", None, "red"),
    ]


def test_what_is_as_it_should_be_is_kept_whatever_else_it_has() -> None:
    world = World()
    world.exists("a", OURS, size=1, of_somebody_else="x")
    found = planned(Thing(world, "a", size=1))
    assert actions(found) == [("keep", "a")]
    assert found.pending == ()


@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3), min_size=1),
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3)),
)
def test_the_drift_is_every_field_that_differs_and_no_other(
    wanted: dict[str, int], there: dict[str, int]
) -> None:
    world = World()
    world.there["thing"] = Found(fields=there, owner=OURS)
    thing = Thing(world, "thing")
    thing.fields = wanted
    (change,) = planned(thing).changes
    assert {drift.name for drift in change.drift} == {
        name for name in wanted if there.get(name) != wanted[name]
    }
    assert all(
        (drift.before, drift.after) == (there.get(drift.name), wanted[drift.name]) for drift in change.drift
    )
    assert change.changes == bool(change.drift)


@pytest.mark.parametrize(
    ("owner", "adopted", "adopt", "action"),
    [
        (OURS, False, (), "update"),
        (COLLEAGUE, False, (), "update"),
        (STRANGER, False, (), "leave"),
        (None, False, (), "leave"),
        (None, True, (), "update"),
        (STRANGER, True, (), "update"),
        (None, False, ("a",), "adopt"),
        (STRANGER, False, ("thing a",), "adopt"),
        (OURS, False, ("a",), "update"),
    ],
)
def test_who_may_be_updated(owner: Any, adopted: bool, adopt: Any, action: str) -> None:  # noqa: FBT001
    world = World()
    world.exists("a", owner, adopted=adopted, size=2)
    found = planned(Thing(world, "a", size=1), adopt=adopt)
    assert actions(found) == [(action, "a")]
    assert [drift.name for drift in found.changes[0].drift] == ["size"]  # also of what is left alone


def test_what_is_not_ours_says_whose_it_is_and_how_to_take_it() -> None:
    world = World()
    world.exists("a", STRANGER)
    (change,) = planned(Thing(world, "a")).changes
    assert "exists, not ours" in change.reason
    assert STRANGER.repository in change.reason
    assert "--adopt a" in change.hint


@pytest.mark.parametrize(
    ("owner", "adopted", "action"),
    [
        (OURS, False, "delete"),
        (COLLEAGUE, False, "leave"),
        (STRANGER, False, "leave"),
        (None, False, "leave"),
        (None, True, "leave"),
        (STRANGER, True, "leave"),
    ],
)
def test_only_what_we_have_made_ourselves_is_removed(owner: Any, adopted: bool, action: str) -> None:  # noqa: FBT001
    world = World()
    world.exists("a", owner, adopted=adopted)
    assert actions(planned(Thing(world, "a"), direction="destroy")) == [(action, "a")]


def test_what_is_not_there_needs_no_removing() -> None:
    world = World()
    assert planned(Thing(world, "a"), direction="destroy").changes == ()


def test_what_has_no_place_for_a_mark_is_updated_and_never_removed() -> None:
    world = World()
    world.exists("a", None, size=2)
    thing = Thing(world, "a", size=1)
    thing.markable = False
    assert actions(planned(thing)) == [("update", "a")]
    assert actions(planned(thing, direction="destroy")) == [("leave", "a")]


@pytest.mark.parametrize(
    ("lost", "with_logs", "action"),
    [(True, False, "leave"), (True, True, "delete"), (False, False, "leave"), (False, True, "leave")],
)
def test_what_holds_something_stays_until_somebody_wants_it_lost(
    *, lost: bool, with_logs: bool, action: str
) -> None:
    world = World()
    world.exists("a", OURS)
    thing = Thing(world, "a", hold=Hold("holds events", "do this", lost=lost))
    found = planned(thing, direction="destroy", with_logs=with_logs)
    assert actions(found) == [(action, "a")]
    assert found.changes[0].reason == "holds events"


def test_nobody_asks_what_something_holds_before_it_would_go() -> None:
    world = World()
    world.exists("a", OURS)
    planned(Thing(world, "a", hold=Hold("x")))
    assert world.calls == ["find a"]


def test_what_others_need_comes_first_and_goes_last() -> None:
    world = World()
    things = [Thing(world, "role", "policy"), Thing(world, "policy"), Thing(world, "user", "role")]
    assert [name for _, name in actions(planned(*things))] == ["policy", "role", "user"]
    for name in ("role", "policy", "user"):
        world.exists(name, OURS)
    removal = planned(*things, direction="destroy")
    assert [name for _, name in actions(removal)] == ["user", "role", "policy"]


def test_what_needs_something_that_is_not_ours_is_left_too() -> None:
    world = World()
    world.exists("policy", None)
    found = planned(Thing(world, "policy"), Thing(world, "role", "policy"))
    assert actions(found) == [("leave", "policy"), ("leave", "role")]
    assert found.changes[1].reason == "needs thing policy, which is not ours"
    both = planned(Thing(world, "policy"), Thing(world, "role", "policy"), adopt=["policy"])
    assert actions(both) == [("adopt", "policy"), ("create", "role")]


def test_what_is_used_by_something_that_stays_stays_too() -> None:
    world = World()
    world.exists("policy", OURS)
    world.exists("role", COLLEAGUE)
    found = planned(Thing(world, "policy"), Thing(world, "role", "policy"), direction="destroy")
    assert actions(found) == [("leave", "role"), ("leave", "policy")]
    assert found.changes[1].reason == "used by thing role, which stays"


def test_a_name_that_nothing_has_cannot_be_adopted() -> None:
    world = World()
    with pytest.raises(UsageError, match="--adopt b: there is no such resource") as caught:
        planned(Thing(world, "a"), adopt=["b"])
    assert caught.value.hint == "Names: a"


def test_the_first_error_of_a_look_is_raised() -> None:
    world = World()
    world.errors = {"find a": RemoteRefusedError("one"), "find b": RemoteRefusedError("two")}
    with pytest.raises(RemoteRefusedError, match="one"):
        look([Thing(world, name) for name in "abc"])
    assert sorted(world.calls) == ["find a", "find b", "find c"]

"""Several keys, several repositories, and what people have made by hand: whose is what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from bootstrap.model.errors import UsageError
from bootstrap.provisioning.honeycomb.queries import COLUMNS, QUERIES
from bootstrap.provisioning.interface import Action
from tests.provisioning.honeycomb.scenario import Someone, project_of

if TYPE_CHECKING:
    from tests.stand_ins.honeycomb_configuration import HoneycombConfiguration
    from tests.stand_ins.honeycomb_rules import Environment

NAMES = [f"posts: {query.title}" for query in QUERIES]
BOARD = "Honeycomb board cruddur"


@pytest.fixture
def colleague(me: Someone, honeycomb: HoneycombConfiguration, environment: Environment) -> Someone:
    """Somebody of the same team, with a key of their own, in a clone of the same repository."""
    key, _ = honeycomb.add_key(environment)
    return replace(me, key=key)


@pytest.fixture
def stranger(colleague: Someone) -> Someone:
    """Somebody whose repository is another one."""
    return replace(colleague, repository="github.com/others/cruddur")


def reasons(changes: tuple[Any, ...], *actions: Action) -> dict[str, str]:
    return {change.resource.key: change.reason for change in changes if change.action in actions}


def test_a_colleague_updates_and_removes_nothing(
    me: Someone, colleague: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    me.apply()
    board = next(iter(environment.boards.values()))
    board["description"] = ""
    assert colleague.apply() == [f"update {BOARD}"]
    assert me.pending() == []
    before = environment.snapshot()
    mine = honeycomb.keys[me.key].id
    left = reasons(colleague.plan("destroy"), Action.LEAVE)
    assert left[BOARD] == f"not ours to remove: made by {mine} for github.com/acme/cruddur"
    assert set(NAMES) <= {key.removeprefix("Honeycomb query ") for key in left}
    assert colleague.destroy() == []
    assert environment.snapshot() == before
    assert len(me.destroy()) == len(NAMES) + 1
    assert environment.boards == {}


def test_a_query_that_a_colleague_makes_anew_stays_the_makers(
    me: Someone, colleague: Someone, environment: Environment
) -> None:
    me.apply()
    for annotation in environment.annotations["posts"].values():
        annotation["description"] = annotation["description"].replace("query=", "query=0")
        environment.queries["posts"][annotation["query_id"]]["limit"] = 7
    assert len(colleague.apply()) == len(NAMES) + 1
    assert me.pending() == []
    assert colleague.destroy() == []
    assert len(me.destroy()) == len(NAMES) + 1


def test_another_repository_leaves_everything(
    me: Someone, stranger: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    me.apply()
    before = environment.snapshot()
    left = [change for change in stranger.plan() if change.action is Action.LEAVE]
    mine = honeycomb.keys[me.key].id
    assert {change.resource.name: change.reason for change in left} == {
        "cruddur": f"exists, not ours: made by {mine} for github.com/acme/cruddur"
    }
    assert left[-1].hint == "To have it updated from here on: bootstrap provision apply --adopt cruddur"
    assert stranger.apply() == []
    assert stranger.destroy() == []
    assert environment.snapshot() == before
    assert me.pending() == []


def test_two_projects_in_one_environment(me: Someone, stranger: Someone, environment: Environment) -> None:
    other = replace(stranger, project=project_of("posts", "likes", name="Shop"))
    me.apply()
    done = other.apply()
    assert "create Honeycomb board Shop" in done
    assert (me.pending(), other.pending()) == ([], [])
    assert {one["name"] for one in environment.boards.values()} == {"cruddur", "Shop"}
    shown = next(one for one in environment.boards.values() if one["name"] == "Shop")["panels"]
    assert len(shown) == 2 * len(NAMES)
    other.destroy()
    assert me.pending() == []
    me.destroy()
    assert environment.boards == {}
    assert {slug: len(every) for slug, every in environment.annotations.items()} == {"posts": 0, "likes": 0}


def test_two_projects_in_one_repository_have_a_board_each(me: Someone, environment: Environment) -> None:
    other = replace(me, project=project_of("posts", name="Shop"))
    me.apply()
    assert other.apply() == ["create Honeycomb board Shop"]
    assert (me.pending(), other.pending()) == ([], [])
    assert len(environment.boards) == 2


def by_hand(honeycomb: HoneycombConfiguration, environment: Environment, *, alike: bool) -> None:
    """Make everything as somebody might who has read our documentation."""
    honeycomb.make_dataset(environment, "posts")
    for column, (kind, _) in COLUMNS.items():
        wrong = "string" if column == "duration_ms" and not alike else kind
        honeycomb.make_column(environment, "posts", key_name=column, type=wrong, description="By hand")
    for number, query in enumerate(QUERIES):
        asked = {**query.specification, "id": f"q{number}"}
        if not alike:
            asked["limit"] = 7
        environment.queries["posts"][f"q{number}"] = asked
        honeycomb.make_annotation(
            environment, "posts", name=f"posts: {query.title}", query_id=f"q{number}", description=query.text
        )
    tag = {"key": "squad", "value": "blue"}
    links = {"board_url": "https://ui.honeycomb.io/b"}
    environment.boards["b"] = {
        "id": "b",
        "name": "cruddur",
        "type": "flexible",
        "description": "By hand",
        "panels": [],
        "tags": [tag],
        "preset_filters": [],
        "links": links,
    }


@pytest.mark.parametrize("alike", [True, False])
def test_what_was_made_by_hand_is_left_until_it_is_adopted(
    alike: bool,  # noqa: FBT001 - a parameter of pytest's
    me: Someone,
    honeycomb: HoneycombConfiguration,
    environment: Environment,
) -> None:
    by_hand(honeycomb, environment, alike=alike)
    before = environment.snapshot()
    left = reasons(me.plan(), Action.LEAVE)
    columns = set() if alike else {"Honeycomb column posts/duration_ms"}
    queries = set() if alike else {f"Honeycomb query {name}" for name in NAMES}
    assert set(left) == {BOARD} | queries | columns
    assert set(left.values()) == {"exists, not ours: it has no mark of ours"}
    assert me.apply() == []
    assert environment.snapshot() == before

    names = [*NAMES, "cruddur", *(["posts/duration_ms"] if columns else [])]
    me.apply(*names)
    assert me.pending() == []
    board = environment.boards["b"]
    assert len(board["panels"]) == len(NAMES)
    assert {"key": "squad", "value": "blue"} in board["tags"]
    hands = [one for one in environment.annotations["posts"].values() if one["query_id"].startswith("q")]
    assert len(hands) == len(NAMES)  # nobody's annotation is removed
    left = reasons(me.plan("destroy"), Action.LEAVE)
    assert left[BOARD] == "not ours to remove: adopted, made by somebody else"
    before = environment.snapshot()
    assert me.destroy() == []
    assert environment.snapshot() == before


def test_what_is_adopted_is_updated(
    me: Someone, colleague: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    by_hand(honeycomb, environment, alike=True)
    me.apply(*NAMES, "cruddur")
    environment.boards["b"]["description"] = "Mine"
    for annotation in environment.annotations["posts"].values():
        annotation["description"] = "Mine " + annotation["description"]
    assert len(me.pending()) == len(NAMES) + 1
    colleague.apply()
    assert (me.pending(), colleague.pending()) == ([], [])
    assert (me.destroy(), colleague.destroy()) == ([], [])


def test_a_board_without_room_for_the_mark_is_refused_before_anything_else(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    by_hand(honeycomb, environment, alike=True)
    tags = environment.boards["b"]["tags"]
    tags += [{"key": f"squad{letter}", "value": "blue"} for letter in "abcdefg"]
    outcome = me.carry_out(adopt=["cruddur"])
    ((change, message, hint),) = outcome.failed
    assert change.resource.key == BOARD
    assert message == "a board has 8 tags of its own, and 7 leave room for our mark"
    assert "Remove some of them in Honeycomb" in hint
    assert len(tags) == 8


def test_a_name_that_nothing_has_cannot_be_adopted(me: Someone) -> None:
    with pytest.raises(UsageError, match="--adopt nothing"):
        me.plan(adopt=["nothing"])

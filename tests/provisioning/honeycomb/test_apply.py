"""From nothing to everything, any field by itself, and back: what is seen at Honeycomb at each step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from bootstrap.provisioning.honeycomb.queries import COLUMNS, QUERIES
from bootstrap.provisioning.interface import Action
from tests.provisioning.honeycomb.scenario import REPOSITORY, project_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provisioning.honeycomb.scenario import Someone
    from tests.stand_ins.honeycomb_configuration import HoneycombConfiguration
    from tests.stand_ins.honeycomb_rules import Environment
    from tests.stand_ins.openapi import Document

NAMES = [f"posts: {query.title}" for query in QUERIES]
BOARD = "Honeycomb board cruddur"
READS = ["GET /1/auth", "GET /1/boards", "GET /1/columns/posts", "GET /1/query_annotations/posts"]


def board_of(environment: Environment, name: str = "cruddur") -> dict[str, Any]:
    (board,) = [one for one in environment.boards.values() if one["name"] == name]
    return board


def annotation_of(environment: Environment, name: str) -> dict[str, Any]:
    (annotation,) = [one for one in environment.annotations["posts"].values() if one["name"] == name]
    return annotation


def shown_by(environment: Environment, board: dict[str, Any]) -> list[str]:
    """The names of the queries that a board shows."""
    return [
        environment.annotations["posts"][panel["query_panel"]["query_annotation_id"]]["name"]
        for panel in board["panels"]
    ]


def kept(someone: Someone) -> bool:
    return all(change.action is Action.KEEP for change in someone.plan())


def test_the_official_document_is_asked_about_every_request(official: Document | None) -> None:
    if official is None:
        pytest.skip("no official document of Honeycomb's API beside this repository")
    body = b'{"name": "a", "type": "flexible", "tags": [{"key": "k"}], "colour": 1, "id": "x"}'
    assert official.request("POST", "/1/boards", body, "application/json") == [
        "unknown property colour",
        "$.id: is read-only",
        "$.tags[0]: 'value' is a required property",
    ]
    assert official.request("GET", "/1/boards?page=2", b"", None) == ["unknown query parameter page"]
    assert official.request("PATCH", "/1/auth", b"", None) == ["no such method: PATCH /1/auth"]
    assert official.answer("GET", "/1/boards", 200, [{"name": 1}]) != []


def test_from_nothing_to_everything(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    assert [(action, key) for action, key, _ in me.pending()] == [
        ("create", "Honeycomb dataset posts"),
        *(("create", f"Honeycomb column posts/{column}") for column in COLUMNS),
        *(("create", f"Honeycomb query {name}") for name in NAMES),
        ("create", BOARD),
    ]
    assert environment.snapshot() == [{}, {}, {}, {}, {}]
    assert len(me.apply()) == 2 + len(COLUMNS) + len(NAMES)
    assert {one["key_name"]: one["type"] for one in environment.columns["posts"].values()} == {
        column: kind for column, (kind, _) in COLUMNS.items()
    }
    board = board_of(environment)
    assert shown_by(environment, board) == NAMES
    assert [panel["query_panel"]["query_style"] for panel in board["panels"]] == ["graph", "table", "combo"]
    asked = [environment.queries["posts"][panel["query_panel"]["query_id"]] for panel in board["panels"]]
    assert [one["calculations"] for one in asked] == [
        [{"op": "HEATMAP", "column": "duration_ms"}, {"op": "P90", "column": "duration_ms"}],
        [{"op": "P90", "column": "duration_ms"}],
        [{"op": "COUNT"}],
    ]
    assert [one["breakdowns"] for one in asked] == [[], ["trace.trace_id"], ["http.route"]]
    honeycomb.calls.clear()
    assert kept(me)
    assert sorted(honeycomb.calls) == READS


def test_a_plan_asks_twice_for_each_service_and_twice_for_all(
    me: Someone, honeycomb: HoneycombConfiguration
) -> None:
    many = [f"service-{number}" for number in range(5)]
    someone = replace(me, project=project_of(*many))
    someone.apply()
    honeycomb.calls.clear()
    assert kept(someone)
    assert len(honeycomb.calls) == len(set(honeycomb.calls)) == 2 + 2 * len(many)


def test_a_second_apply_changes_nothing(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    me.apply()
    before = environment.snapshot()
    honeycomb.calls.clear()
    assert me.apply() == []
    assert sorted(honeycomb.calls) == READS
    assert environment.snapshot() == before


Mutation = tuple[str, list[str]]


def _column(environment: Environment, _name: str) -> Mutation:
    (column,) = [one for one in environment.columns["posts"].values() if one["key_name"] == "duration_ms"]
    column["type"] = "string"
    return "Honeycomb column posts/duration_ms", ["type"]


def _missing_column(environment: Environment, _name: str) -> Mutation:
    columns = environment.columns["posts"]
    environment.columns["posts"] = {key: one for key, one in columns.items() if one["key_name"] != "error"}
    return "Honeycomb column posts/error", ["type"]


def _text(environment: Environment, name: str) -> Mutation:
    annotation = annotation_of(environment, name)
    annotation["description"] = "Mine! " + annotation["description"]
    return f"Honeycomb query {name}", ["description"]


def _board_name(environment: Environment, _name: str) -> Mutation:
    board_of(environment)["name"] = "Cruddur's own"
    return BOARD, ["name"]


def _board_text(environment: Environment, _name: str) -> Mutation:
    board_of(environment)["description"] = ""
    return BOARD, ["description"]


def _panel(environment: Environment, name: str) -> Mutation:
    board = board_of(environment)
    del board["panels"][NAMES.index(name)]
    return BOARD, ["panels"]


def _no_panels(environment: Environment, _name: str) -> Mutation:
    board_of(environment)["panels"] = []
    return BOARD, ["panels"]


def _style(environment: Environment, name: str) -> Mutation:
    panel = board_of(environment)["panels"][NAMES.index(name)]["query_panel"]
    panel["query_style"] = "table" if panel["query_style"] != "table" else "graph"
    return BOARD, ["panels"]


def _board(environment: Environment, _name: str) -> Mutation:
    environment.boards.clear()
    return BOARD, ["name", "description", "panels", "superseded queries"]


_OF_THE_WHOLE = (_column, _missing_column, _board_name, _board_text, _no_panels, _board)
_OF_A_QUERY = (_text, _panel, _style)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *((change, "") for change in _OF_THE_WHOLE),
        *((change, name) for change in _OF_A_QUERY for name in NAMES),
    ],
)
def test_what_differs_is_shown_and_mended(
    change: Callable[[Environment, str], Mutation], name: str, me: Someone, environment: Environment
) -> None:
    me.apply()
    before = _essence(environment)
    key, fields = change(environment, name)
    ((action, shown, drift),) = me.pending()
    assert (shown, drift) == (key, fields)
    assert me.apply() == [f"{action} {key}"]
    assert kept(me)
    assert _essence(environment) == before


def _essence(environment: Environment) -> Any:
    """What is there, whatever ids it has by now."""
    columns = {
        (one["key_name"], one["type"], one["description"])
        for one in environment.columns.get("posts", {}).values()
    }
    annotations = {(one["name"], one["description"]) for one in environment.annotations["posts"].values()}
    boards = [
        (
            board["name"],
            board["description"],
            [(one["key"], one["value"]) for one in board["tags"]],
            sorted(
                (environment.annotations["posts"][one["query_annotation_id"]]["name"], one["query_style"])
                for one in (panel["query_panel"] for panel in board["panels"])
            ),
        )
        for board in environment.boards.values()
    ]
    return columns, annotations, boards


_OLDER = {
    "calculations": [{"op": "COUNT"}],
    "breakdowns": ["error"],
    "filters": [{"column": "error", "op": "exists"}],
    "orders": [{"op": "COUNT"}],
    "time_range": 60,
    "limit": 7,
}


def _age(environment: Environment, name: str, part: str) -> dict[str, Any]:
    """Let a query be one that asks something else in one part, as an earlier version of ours might have."""
    annotation = annotation_of(environment, name)
    query = environment.queries["posts"][annotation["query_id"]]
    query[part] = _OLDER[part] if query.get(part) != _OLDER[part] else []
    annotation["description"] = re.sub("query=[0-9a-f]+", "query=0123456789ab", annotation["description"])
    return annotation


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", sorted(_OLDER))
def test_a_query_that_asks_something_else_is_made_anew(
    part: str, name: str, me: Someone, environment: Environment
) -> None:
    me.apply()
    before = _essence(environment)
    old = _age(environment, name, part)
    queries = len(environment.queries["posts"])
    changes = [change for change in me.plan() if change.changes]
    query, board = changes
    assert (query.resource.name, [drift.name for drift in query.drift]) == (name, [part])
    assert query.reason == "made anew and shown in the old one's place, for no query can be changed"
    assert (board.resource.key, [drift.name for drift in board.drift]) == (BOARD, ["panels"])
    me.apply()
    assert kept(me)
    assert _essence(environment) == before
    assert old["id"] not in environment.annotations["posts"]
    assert len(environment.queries["posts"]) == queries + 1  # the old one stays, for nobody can delete it


def test_what_an_interrupted_change_has_left_goes(me: Someone, environment: Environment) -> None:
    me.apply()
    old = dict(annotation_of(environment, NAMES[0]), id="older", created_at="2020-01-01T00:00:00Z")
    old["description"] = re.sub("query=[0-9a-f]+", "query=0123456789ab", old["description"])
    environment.annotations["posts"]["older"] = old
    assert me.pending() == [("update", BOARD, ["superseded queries"])]
    me.apply()
    assert kept(me)
    assert "older" not in environment.annotations["posts"]


def test_a_copy_of_the_board_keeps_its_annotations(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    me.apply()
    for annotation in list(environment.annotations["posts"].values()):
        body = {key: annotation[key] for key in ("name", "description", "query_id")}
        honeycomb.make_annotation(environment, "posts", **body, source="board")
    assert kept(me)
    assert me.destroy() != []
    assert [one["source"] for one in environment.annotations["posts"].values()] == ["board"] * len(NAMES)


def test_a_removed_annotation_is_made_anew_in_its_panel(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    me.apply()
    before = _essence(environment)
    gone = annotation_of(environment, NAMES[1])
    del environment.annotations["posts"][gone["id"]]
    assert [key for _, key, _ in me.pending()] == [f"Honeycomb query {NAMES[1]}", BOARD]
    me.apply()
    assert kept(me)
    assert _essence(environment) == before
    honeycomb.broken.clear()  # by somebody's hand, this time
    assert environment.dangling() == []


def test_what_somebody_has_put_on_the_board_stays(me: Someone, environment: Environment) -> None:
    me.apply()
    board = board_of(environment)
    text = {
        "type": "text",
        "text_panel": {"content": "Mine"},
        "position": {"x_coordinate": 6, "y_coordinate": 40, "height": 3, "width": 6},
    }
    board["panels"].insert(1, text)
    board["panels"][0]["position"]["x_coordinate"] = 3
    board["panels"][0]["query_panel"]["visualization_settings"] = {"utc_xaxis": True}
    board["preset_filters"] = [{"column": "http.route", "alias": "Route"}]
    board["tags"].append({"key": "squad", "value": "blue"})
    assert kept(me)
    places = [panel["position"] for panel in board["panels"]]
    del board["panels"][-1]
    board["description"] = "Mine"
    me.apply()
    assert kept(me)
    board = board_of(environment)
    assert board["panels"][1] == text
    assert [panel["position"] for panel in board["panels"]][:-1] == places[:-1]
    assert board["panels"][-1]["position"]["y_coordinate"] == 43
    assert board["panels"][0]["query_panel"]["visualization_settings"] == {"utc_xaxis": True}
    assert board["preset_filters"] == [{"column": "http.route", "alias": "Route"}]
    assert {"key": "squad", "value": "blue"} in board["tags"]


def test_what_came_with_the_first_trace_is_everybodys(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    honeycomb.make_dataset(environment, "posts")
    for column, (kind, _) in COLUMNS.items():
        honeycomb.make_column(environment, "posts", key_name=column, type=kind)
    before = environment.snapshot()[:2]
    assert [change.action for change in me.plan()[:6]] == [Action.KEEP] * 6
    assert len(me.apply()) == len(NAMES) + 1
    assert kept(me)
    assert environment.snapshot()[:2] == before


def test_destroy_leaves_nothing_of_ours_and_touches_nothing_else(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    honeycomb.make_dataset(environment, "posts")
    honeycomb.make_dataset(environment, "others")
    honeycomb.make_column(environment, "posts", key_name="mine")
    environment.queries["posts"]["q"] = {"id": "q"}
    honeycomb.make_annotation(environment, "posts", name="Mine", query_id="q")
    environment.boards["b"] = {"id": "b", "name": "Mine", "type": "flexible", "panels": [], "tags": []}
    before = environment.snapshot()
    me.apply()
    leaves = {
        change.resource.key: change.reason for change in me.plan("destroy") if change.action is Action.LEAVE
    }
    assert leaves == {
        "Honeycomb dataset posts": "its traces would be lost with it",
        **{f"Honeycomb column posts/{column}": "what traces say in it would be lost" for column in COLUMNS},
    }
    assert me.destroy() == [
        f"delete {BOARD}",
        *(f"delete Honeycomb query {name}" for name in reversed(NAMES)),
    ]
    after = environment.snapshot()
    datasets, columns, queries, annotations, boards = after
    assert (datasets, annotations, boards) == (before[0], before[3], before[4])
    assert len(columns["posts"]) == len(COLUMNS) + 1
    assert len(queries["posts"]) == len(QUERIES) + 1
    assert [change for change in me.plan("destroy") if change.changes] == []
    assert REPOSITORY not in str((datasets, annotations, boards))
    me.apply()
    assert kept(me)


def test_a_board_with_panels_of_others_stays_and_so_do_its_queries(
    me: Someone, environment: Environment
) -> None:
    me.apply()
    board_of(environment)["panels"].append({"type": "text", "text_panel": {"content": "Mine"}})
    before = environment.snapshot()
    reasons = {change.resource.key: change.reason for change in me.plan("destroy")}
    assert reasons[BOARD] == "it has a panel that is not ours"
    assert reasons[f"Honeycomb query {NAMES[0]}"] == f"used by {BOARD}, which stays"
    assert me.destroy() == []
    assert environment.snapshot() == before


def test_a_dataset_whose_slug_is_another_one(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    dataset = honeycomb.make_dataset(environment, "posts")
    for kind in (environment.datasets, environment.columns, environment.queries, environment.annotations):
        kind["posts-1"] = kind.pop("posts")
    dataset["slug"] = "posts-1"
    me.apply()
    assert kept(me)
    assert list(environment.datasets) == ["posts-1"]
    assert me.destroy() != []


def test_what_was_made_for_a_service_that_is_gone_goes_with_it(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    both = replace(me, project=project_of("posts", "likes"))
    both.apply()
    gone = [f"likes: {query.title}" for query in QUERIES]
    honeycomb.calls.clear()
    assert [(action, key) for action, key, _ in me.pending()] == [
        ("update", BOARD),
        *(("delete", f"Honeycomb query {name}") for name in reversed(gone)),
    ]
    assert sorted(honeycomb.calls) == sorted([*READS, "GET /1/query_annotations/likes"])
    me.apply()
    assert kept(me)
    assert environment.annotations["likes"] == {}
    assert shown_by(environment, board_of(environment)) == NAMES
    assert len(environment.columns["likes"]) == len(COLUMNS)


def test_destroy_removes_what_was_made_for_a_service_that_is_gone(
    me: Someone, environment: Environment
) -> None:
    replace(me, project=project_of("posts", "likes")).apply()
    done = me.destroy()
    assert done[0] == f"delete {BOARD}"
    assert len(done) == 1 + 2 * len(QUERIES)
    assert environment.boards == {}
    assert environment.annotations == {"posts": {}, "likes": {}}


def test_what_another_board_shows_is_no_leftover(me: Someone, environment: Environment) -> None:
    both = replace(me, project=project_of("posts", "likes"))
    both.apply()
    copied = dict(board_of(environment), id="copy", name="Copy", tags=[])
    environment.boards["copy"] = copied
    assert kept(me)
    board, *_ = me.plan("destroy")
    assert board.reason == "it has 3 panels that are not ours"

"""What one of Honeycomb's environments holds, and what the real API refuses that its schemas do not say.

Columns that a query names and its dataset lacks, what nobody can calculate or order by, tags, and the links
between queries, annotations and boards.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.stand_ins.server import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = ("integer", "float")
_TAG_KEY, _TAG_VALUE = re.compile("[a-z]{1,32}"), re.compile("[a-z][a-z0-9/-]{0,127}")


class RefusedError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.response = json_response(status, {"error": words})


@dataclass
class Environment:
    """What one environment of a team has."""

    slug: str
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: of each dataset, by id
    columns: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    queries: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    annotations: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def snapshot(self) -> Any:
        """A copy of everything, to be compared later."""
        parts = (self.datasets, self.columns, self.queries, self.annotations, self.boards)
        return json.loads(json.dumps(parts))

    def dangling(self) -> list[str]:
        """Boards' panels whose annotation is gone."""
        known = {identifier for every in self.annotations.values() for identifier in every}
        panels = [panel for board in self.boards.values() for panel in board["panels"]]
        shown = [panel["query_panel"] for panel in panels if panel["type"] == "query"]
        return [one["query_annotation_id"] for one in shown if one["query_annotation_id"] not in known]


@dataclass(frozen=True)
class Key:
    """One configuration key."""

    id: str
    environment: Environment
    permissions: frozenset[str]


def dataset_of(environment: Environment, query: str) -> str:
    slug = next(slug for slug, every in environment.queries.items() if query in every)
    return str(environment.datasets[slug]["name"])


def wrong_with(body: Any, types: dict[str, str]) -> Iterator[str]:
    """What the real API finds in a query that its schema does not say."""
    calculations = [(one["op"], one.get("column")) for one in body.get("calculations", [])]
    named = [column for _, column in calculations if column is not None]
    named += body.get("breakdowns", [])
    named += [one["column"] for one in body.get("filters", [])]
    yield from (f"unknown column {name}" for name in named if name not in types)
    for op, column in calculations:
        if (column is None) != (op in ("COUNT", "CONCURRENCY")):
            yield f"{op} and column {column}"
        elif column is not None and op != "COUNT_DISTINCT" and types.get(column) not in _NUMBERS:
            yield f"{op} of a column that is no number: {column}"
    for one in body.get("orders", []):
        key = (one.get("op"), one.get("column"))
        if key not in calculations and not (key[0] is None and key[1] in body.get("breakdowns", [])):
            yield f"order by what is not asked for: {one}"
        if key[0] == "HEATMAP":
            yield "nobody can order by a heatmap"
    for one in body.get("filters", []):
        if ("value" in one) != (one["op"] not in ("exists", "does-not-exist")):
            yield f"filter with or without a value: {one}"
    if body.get("limit", 100) > 1000:
        yield "limit is too large"


def check_board(environment: Environment, body: Any) -> None:
    tags = body.get("tags", [])
    keys = [one["key"] for one in tags]
    if len(keys) > 10 or len(set(keys)) < len(keys):
        raise RefusedError(422, "tags: too many, or twice the same")
    for one in tags:
        if not _TAG_KEY.fullmatch(one["key"]) or not _TAG_VALUE.fullmatch(one["value"]):
            raise RefusedError(422, f"tags: {one}")
    if not 1 <= len(body["name"]) <= 255 or len(body.get("description", "")) > 1024:
        raise RefusedError(422, "name or description: too long")
    for panel in body.get("panels", []):
        if panel["type"] != "query":
            continue
        shown = panel["query_panel"]
        found = [every.get(shown["query_annotation_id"]) for every in environment.annotations.values()]
        annotation = next(filter(None, found), None)
        if annotation is None or annotation["query_id"] != shown["query_id"]:
            raise RefusedError(422, "panels: the annotation is not of this query")

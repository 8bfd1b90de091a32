"""Honeycomb's configuration API with a memory: what is made is there afterwards.

Every request is held against the official OpenAPI document where that is at hand, and so is every answer, so
that this stays what it stands in for. Beyond the document, `honeycomb_rules` has what is refused.
"""

from __future__ import annotations

import json
import os
import signal
import string
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.stand_ins.honeycomb import configuration_key, letters
from tests.stand_ins.honeycomb_rules import (
    Environment,
    Key,
    RefusedError,
    check_board,
    dataset_of,
    wrong_with,
)
from tests.stand_ins.server import HangUpError, Request, Response, StandIn, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.openapi import Document

ALL = frozenset({"createDatasets", "columns", "boards", "queries", "events"})
_NEEDED = {
    "datasets": "createDatasets",
    "columns": "columns",
    "queries": "columns",
    "query_annotations": "columns",
    "boards": "boards",
}
#: what goes wrong with one call. "error", "unavailable", "throttle" and "forbid" answer so instead of doing
#: it; "drop" ends the connection before, "lose" after having done it; "slow" answers too late;
#: "kill" and "kill after" end the process that calls
Fault = Literal["error", "unavailable", "throttle", "forbid", "drop", "lose", "slow", "kill", "kill after"]


class HoneycombConfiguration(StandIn):
    """One region."""

    def __init__(self, document: Document | None = None) -> None:
        super().__init__()
        self._document = document
        self.keys: dict[str, Key] = {}
        #: what the document does not allow, of requests and of our own answers
        self.violations: list[str] = []
        #: what broke a board for a moment, which no step of ours may
        self.broken: list[str] = []
        self.calls: list[str] = []
        self._faults: dict[int, Fault] = {}
        #: the process to be killed
        self.caller = 0
        #: seconds that a late answer takes
        self.late = 0.3
        self._lock = Lock()
        self._ids = count(1)
        self._began = datetime.now(UTC)

    def reset(self) -> None:
        """Forget everybody, and everything that was seen."""
        for seen in (self.keys, self._faults, self.violations, self.broken, self.calls):
            seen.clear()

    def add_key(
        self, environment: Environment, permissions: frozenset[str] = ALL, key: str | None = None
    ) -> tuple[str, str]:
        """Make a configuration key known; returns its value and its id."""
        value = key or configuration_key()
        made = Key(f"hcxlk_{letters(26)}", environment, permissions)
        self.keys[value] = made
        return value, made.id

    def fail(self, *calls: int, fault: Fault) -> None:
        """Let something go wrong with the calls of these numbers, counted from 1 as of now."""
        self.calls.clear()
        self._faults = dict.fromkeys(calls, fault)

    def answer(self, request: Request) -> Response:
        with self._lock:
            self.calls.append(f"{request.method} {urlsplit(request.path).path}")
            fault = self._faults.get(len(self.calls))
        if fault == "kill":
            os.kill(self.caller, signal.SIGKILL)
            raise HangUpError
        if fault == "drop":
            raise HangUpError
        if fault in _INSTEAD:
            return _INSTEAD[fault]
        with self._lock:
            response = self._checked(request)
        if fault == "kill after":
            os.kill(self.caller, signal.SIGKILL)
            raise HangUpError
        if fault == "lose":
            raise HangUpError
        if fault == "slow":
            time.sleep(self.late)
        return response

    def _checked(self, request: Request) -> Response:
        if self._document is not None:
            kind = request.headers.get("Content-Type")
            wrong = self._document.request(request.method, request.path, request.body, kind)
            self.violations += (f"{request.method} {request.path}: {one}" for one in wrong)
        try:
            response = self._answer(request)
        except RefusedError as refused:
            response = refused.response
        for key in self.keys.values():
            self.broken += (f"{request.method} {request.path}: {one}" for one in key.environment.dangling())
        if self._document is not None:
            body = json.loads(response.body) if response.body else None
            wrong = self._document.answer(request.method, request.path, response.status, body)
            self.violations += (f"answer to {request.method} {request.path}: {one}" for one in wrong)
        return response

    def _answer(self, request: Request) -> Response:
        key = self.keys.get(request.headers.get("X-Honeycomb-Team", ""))
        if key is None:
            raise RefusedError(401, "unknown API key - check your credentials")
        parts = urlsplit(request.path)
        _, _, group, *rest = map(unquote, parts.path.split("/"))
        if group == "auth":
            return json_response(200, _auth(key))
        if _NEEDED[group] not in key.permissions:
            raise RefusedError(401, f"this key may not do that: {_NEEDED[group]}")
        handle: Callable[..., Response] = getattr(self, f"_{request.method.lower()}_{group}")
        body = json.loads(request.body) if request.body else {}
        if group in ("datasets", "boards"):
            return handle(key.environment, *rest, body)
        if rest[0] not in key.environment.datasets:
            raise RefusedError(404, "Dataset not found")
        if request.method == "GET" and len(rest) == 1:
            body = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return handle(key.environment, *rest, body)

    def _id(self) -> str:
        return f"{letters(6)}{next(self._ids):05d}"

    def _now(self) -> str:
        """A moment that is later than every one before."""
        return (self._began + timedelta(seconds=next(self._ids))).isoformat().replace("+00:00", "Z")

    # datasets

    def _get_datasets(self, environment: Environment, _body: Any) -> Response:
        return json_response(200, list(environment.datasets.values()))

    def _post_datasets(self, environment: Environment, body: Any) -> Response:
        for one in environment.datasets.values():
            if body["name"] == one["name"] or _slug(body["name"]) == one["slug"]:
                return json_response(200, one)
        return json_response(201, self.make_dataset(environment, body["name"], body.get("description", "")))

    def make_dataset(self, environment: Environment, name: str, description: str = "") -> dict[str, Any]:
        """As the first trace of a service does it, too."""
        slug = _slug(name)
        made = {
            "name": name,
            "slug": slug,
            "description": description,
            "settings": {"delete_protected": True},
            "expand_json_depth": 0,
            "regular_columns_count": None,
            "last_written_at": None,
            "created_at": self._now(),
        }
        environment.datasets[slug] = made
        for kind in (environment.columns, environment.queries, environment.annotations):
            kind[slug] = {}
        return made

    # columns

    def _get_columns(self, environment: Environment, slug: str, _body: Any) -> Response:
        return json_response(200, list(environment.columns[slug].values()))

    def _post_columns(self, environment: Environment, slug: str, body: Any) -> Response:
        if any(one["key_name"] == body["key_name"] for one in environment.columns[slug].values()):
            raise RefusedError(409, "column already exists")
        return json_response(201, self.make_column(environment, slug, **body))

    def make_column(self, environment: Environment, slug: str, **body: Any) -> dict[str, Any]:
        """As an event does it that has a new field."""
        now = self._now()
        made = {
            "id": self._id(),
            "type": "string",
            "description": "",
            "hidden": False,
            "last_written": now,
            "created_at": now,
            "updated_at": now,
            **body,
        }
        environment.columns[slug][made["id"]] = made
        return made

    def _put_columns(self, environment: Environment, slug: str, identifier: str, body: Any) -> Response:
        there = _at(environment.columns[slug], identifier)
        if body["key_name"] != there["key_name"]:
            raise RefusedError(400, "a column cannot be renamed")
        there.update({"description": "", "hidden": False, **body, "updated_at": self._now()})
        return json_response(200, there)

    # queries

    def _post_queries(self, environment: Environment, slug: str, body: Any) -> Response:
        types = {one["key_name"]: one["type"] for one in environment.columns[slug].values()}
        for words in wrong_with(body, types):
            raise RefusedError(422, words)
        made = {
            "breakdowns": [],
            "filter_combination": "AND",
            "limit": 100,
            "time_range": 7200,
            **body,
            "id": self._id(),
        }
        made["filters"] = [{"value": None, **one} for one in made.get("filters", [])]
        environment.queries[slug][made["id"]] = made
        return json_response(200, made)

    def _get_queries(self, environment: Environment, slug: str, identifier: str, _body: Any) -> Response:
        return json_response(200, _at(environment.queries[slug], identifier))

    # annotations

    def _get_query_annotations(self, environment: Environment, slug: str, body: Any) -> Response:
        every = environment.annotations[slug].values()
        boards = body.get("include_board_annotations") == "true"
        return json_response(200, [one for one in every if boards or one["source"] == "query"])

    def _post_query_annotations(self, environment: Environment, slug: str, body: Any) -> Response:
        if body["query_id"] not in environment.queries[slug]:
            raise RefusedError(400, "no such query")
        return json_response(201, self.make_annotation(environment, slug, **body))

    def make_annotation(self, environment: Environment, slug: str, **body: Any) -> dict[str, Any]:
        """As somebody does it in the page; source="board" for what a board makes by itself."""
        now = self._now()
        made = {
            "description": "",
            "id": self._id(),
            "created_at": now,
            "updated_at": now,
            "source": "query",
            **body,
        }
        environment.annotations[slug][made["id"]] = made
        return made

    def _put_query_annotations(
        self, environment: Environment, slug: str, identifier: str, body: Any
    ) -> Response:
        there = _at(environment.annotations[slug], identifier)
        if body["query_id"] != there["query_id"]:
            raise RefusedError(400, "the query of an annotation cannot be changed")
        there.update({"description": "", **body, "updated_at": self._now()})
        return json_response(200, there)

    def _delete_query_annotations(
        self, environment: Environment, slug: str, identifier: str, _body: Any
    ) -> Response:
        _at(environment.annotations[slug], identifier)
        del environment.annotations[slug][identifier]
        return Response(204)

    # boards

    def _get_boards(self, environment: Environment, _body: Any) -> Response:
        return json_response(200, list(environment.boards.values()))

    def _post_boards(self, environment: Environment, body: Any) -> Response:
        check_board(environment, body)
        identifier = self._id()
        links = {"board_url": f"https://ui.honeycomb.io/acme/boards/{identifier}"}
        made = {"description": "", "tags": [], "preset_filters": [], **body, "id": identifier, "links": links}
        environment.boards[identifier] = self._laid_out(environment, made)
        return json_response(201, made)

    def _put_boards(self, environment: Environment, identifier: str, body: Any) -> Response:
        there = _at(environment.boards, identifier)
        check_board(environment, body)
        filters = there["preset_filters"]
        kept = {"id": identifier, "links": there["links"]}
        made = {"description": "", "tags": [], "preset_filters": filters, **body, **kept}
        environment.boards[identifier] = self._laid_out(environment, made)
        return json_response(200, made)

    def _delete_boards(self, environment: Environment, identifier: str, _body: Any) -> Response:
        _at(environment.boards, identifier)
        del environment.boards[identifier]
        return Response(204)

    @staticmethod
    def _laid_out(environment: Environment, board: dict[str, Any]) -> dict[str, Any]:
        automatic = board.pop("layout_generation", "manual") == "auto"
        board.setdefault("panels", [])
        for row, panel in enumerate(board["panels"]):
            if automatic or "position" not in panel:
                panel["position"] = {"x_coordinate": 0, "y_coordinate": row * 6, "height": 6, "width": 12}
            if panel["type"] == "query":
                shown = panel["query_panel"]
                shown["dataset"] = dataset_of(environment, shown["query_id"])
                shown.setdefault("query_style", "graph")
        return board


_INSTEAD: dict[Fault | None, Response] = {
    "error": json_response(500, {"error": "something went wrong"}),
    "unavailable": json_response(503, {"error": "unavailable"}),
    "forbid": json_response(403, {"error": "not any more"}),
    "throttle": Response(429, b'{"error": "too many requests"}', {"Retry-After": "0"}),
}


def _auth(key: Key) -> dict[str, Any]:
    environment = key.environment.slug
    return {
        "id": key.id,
        "type": "configuration",
        "api_key_access": {name: name in key.permissions for name in sorted(ALL | {"markers", "slos"})},
        "environment": {"name": environment.title(), "slug": environment},
        "team": {"name": "Acme Shops", "slug": "acme-shops"},
    }


def _slug(name: str) -> str:
    allowed = string.ascii_lowercase + string.digits + "_.~-"
    return "".join(letter if letter in allowed else "-" for letter in name.lower())


def _at(things: dict[str, dict[str, Any]], identifier: str) -> dict[str, Any]:
    if identifier not in things:
        raise RefusedError(404, "not found")
    return things[identifier]

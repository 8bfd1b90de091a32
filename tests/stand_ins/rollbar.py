"""Rollbar's API: reading asks for the scope `read`, and every refusal is in its own words."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.stand_ins.server import Request, Response, StandIn, json_response


def token() -> str:
    return secrets.token_hex(16)


def long_token() -> str:
    return secrets.token_hex(48)


class Rollbar(StandIn):
    """Knows tokens by their scopes. `echoes`: it quotes a token that it does not know, as it once did."""

    def __init__(self, *, echoes: bool = False) -> None:
        super().__init__()
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._echoes = echoes
        self.items: list[bytes] = []
        #: the newest first, twenty a page
        self.occurrences: list[dict[str, Any]] = []

    def add(self, value: str, *scopes: str) -> str:
        """Make a token known."""
        self._scopes[value] = scopes
        return value

    def answer(self, request: Request) -> Response:
        value = request.headers.get("X-Rollbar-Access-Token", "")
        scopes = self._scopes.get(value)
        if scopes is None:
            return self._unknown(value)
        if request.method == "POST" and request.path == "/api/1/item/":
            return self._item(request, scopes)
        path = urlsplit(request.path).path
        if request.method != "GET" or path not in ("/api/1/environments", "/api/1/instances/"):
            return json_response(404, {"err": 1, "message": "not found"})
        if "read" not in scopes:
            return self._insufficient("read", scopes)
        if path == "/api/1/instances/":
            return self._page(int(parse_qs(urlsplit(request.path).query).get("page", ["1"])[0]))
        shown = {"id": 1, "project_id": 2, "environment": "development", "visible": 1}
        return json_response(200, {"err": 0, "result": {"page": 1, "environments": [shown]}})

    def _item(self, request: Request, scopes: tuple[str, ...]) -> Response:
        if "post_server_item" not in scopes:
            return self._insufficient("post_server_item", scopes)
        self.items.append(request.body)
        try:
            data = json.loads(request.body)["data"]
            self.occur(data["custom"]["trace_id"], **data)
        except (ValueError, KeyError, TypeError):
            return json_response(422, {"err": 1, "message": "Invalid format. Required: data.environment."})
        return json_response(200, {"err": 0, "result": {"id": None, "uuid": data.get("uuid")}})

    def occur(self, trace_id: str, *, ago: float = 0, **data: Any) -> None:
        """Let an occurrence come in."""
        now = int(time.time() - ago)
        data = {"uuid": secrets.token_hex(16), "custom": {"trace_id": trace_id}, **data}
        occurrence = {"id": len(self.occurrences) + 1, "item_id": 7, "timestamp": now, "data": data}
        self.occurrences.insert(0, occurrence)

    def _page(self, number: int) -> Response:
        """https://docs.rollbar.com/reference/list-all-occurrences."""
        page = self.occurrences[20 * (number - 1) : 20 * number]
        return json_response(200, {"err": 0, "result": {"page": number, "instances": page}})

    def _unknown(self, value: str) -> Response:
        if self._echoes:
            return json_response(403, {"err": 1, "message": f"access token not found: {value}"})
        return json_response(401, {"err": 1, "message": "invalid access token"})

    def _insufficient(self, needed: str, scopes: tuple[str, ...]) -> Response:
        words = (
            f"insufficient privileges: {needed} scope is required "
            f"but the access token only has {', '.join(scopes)}."
        )
        return json_response(403, {"err": 1, "message": words})

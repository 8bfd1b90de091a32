"""Rollbar's API: reading asks for the scope `read`, and every refusal is in its own words."""

from __future__ import annotations

import secrets

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
        if request.method != "GET" or request.path != "/api/1/environments":
            return json_response(404, {"err": 1, "message": "not found"})
        if "read" not in scopes:
            return self._insufficient("read", scopes)
        shown = {"id": 1, "project_id": 2, "environment": "development", "visible": 1}
        return json_response(200, {"err": 0, "result": {"page": 1, "environments": [shown]}})

    def _item(self, request: Request, scopes: tuple[str, ...]) -> Response:
        if "post_server_item" not in scopes:
            return self._insufficient("post_server_item", scopes)
        self.items.append(request.body)
        return json_response(200, {"err": 0, "result": {"id": None, "uuid": secrets.token_hex(16)}})

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

"""One region of Honeycomb's API, as its OpenAPI document has it: GET /1/auth and /2/auth."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from tests.stand_ins.server import Request, Response, StandIn, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERMISSIONS = (
    "events",
    "markers",
    "triggers",
    "boards",
    "queries",
    "columns",
    "createDatasets",
    "slos",
    "recipients",
    "privateBoards",
)
_LOWER = string.ascii_lowercase + string.digits


def letters(count: int, alphabet: str = _LOWER) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def ingest_key(kind: str = "ik") -> str:
    return f"hcx{kind}_{letters(58)}"


def configuration_key() -> str:
    return letters(22, string.ascii_letters + string.digits)


def classic_key() -> str:
    return letters(32, "0123456789abcdef")


def management_key() -> str:
    return f"hcxmk_{letters(26)}:{letters(32)}"


class Honeycomb(StandIn):
    """Knows the keys of its own region and no others."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._management: dict[str, Mapping[str, Any]] = {}

    def add(self, key: str, *permissions: str, environment: str = "production") -> str:
        """Make an ingest or configuration key known; an ingest key's answer has one permission at most."""
        assert set(permissions) <= set(_PERMISSIONS)
        ingest = key.startswith("hc")
        names = ("createDatasets",) if ingest else _PERMISSIONS
        self._keys[key] = {
            "id": key[:32] if ingest else letters(12),
            "type": "ingest" if ingest else "configuration",
            "api_key_access": {name: name in permissions for name in names},
            "environment": {"name": environment.title(), "slug": environment},
            "team": {"name": "Acme Shops", "slug": "acme-shops"},
        }
        return key

    def add_management(self, key: str, *scopes: str) -> str:
        """Make a management key known."""
        self._management[key] = {
            "data": {
                "id": key.partition(":")[0],
                "type": "api-keys",
                "attributes": {
                    "name": "a key",
                    "key_type": "management",
                    "disabled": False,
                    "scopes": list(scopes),
                },
            }
        }
        return key

    def answer(self, request: Request) -> Response:
        if request.method != "GET" or request.path not in ("/1/auth", "/2/auth"):
            return json_response(404, {"error": "not found"})
        if request.path == "/2/auth":
            return self._answer_bearer(request)
        known = self._keys.get(request.headers.get("X-Honeycomb-Team", ""))
        if known is None:
            return json_response(401, {"error": "unknown API key - check your credentials"})
        return json_response(200, known)

    def _answer_bearer(self, request: Request) -> Response:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        known = self._management.get(key) if scheme == "Bearer" else None
        if known is None:
            error = {"id": letters(32), "code": "unauthenticated", "title": "unknown API key"}
            return json_response(401, {"errors": [error]}, "application/vnd.api+json")
        return json_response(200, known, "application/vnd.api+json")

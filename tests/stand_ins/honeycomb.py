"""One region of Honeycomb's API, as its OpenAPI document has it: keys, datasets, queries, and OTLP beside."""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from bootstrap.collector.receiving.spans import UndecodableError, decode_json
from tests.stand_ins.server import Request, Response, StandIn, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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
        #: name -> when it was last written
        self.datasets: dict[str, datetime | None] = {}
        #: trace id -> its spans in any dataset
        self.spans: dict[str, int] = {}
        self.received: list[ExportTraceServiceRequest] = []
        #: whether the team's plan has the Query Data API
        self.enterprise = False
        self.ahead = timedelta(0)
        self._queries: dict[str, dict[str, Any]] = {}
        self._results: dict[str, int] = {}

    def write(self, dataset: str, trace_id: str = "", spans: int = 1) -> None:
        """Let spans come in."""
        self.datasets[dataset] = datetime.now(UTC) + self.ahead
        self.spans[trace_id] = self.spans.get(trace_id, 0) + spans

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
        response = self._answer(request)
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return Response(response.status, response.body, {**response.headers, "Date": date})

    def _answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/2/auth"):
            return self._answer_bearer(request)
        known = self._keys.get(request.headers.get("X-Honeycomb-Team", ""))
        if known is None:
            return json_response(401, {"error": "unknown API key - check your credentials"})
        if (request.method, request.path) == ("GET", "/1/auth"):
            return json_response(200, known)
        if (request.method, request.path) == ("POST", "/v1/traces"):
            return self._take(request)
        if known["type"] == "ingest":
            return json_response(401, {"error": "this key is for ingest alone"})
        return self._answer_reader(request, known["api_key_access"])

    def _take(self, request: Request) -> Response:
        """https://opentelemetry.io/docs/specs/otlp/#otlphttp-request, in JSON."""
        assert request.headers["Content-Type"] == "application/json"
        try:
            message = decode_json(request.body)
        except UndecodableError as error:
            return json_response(400, {"message": str(error)})
        self.received.append(message)
        return json_response(200, {})

    def _answer_reader(self, request: Request, access: Mapping[str, bool]) -> Response:
        _, _, what, *rest = request.path.split("/")
        match request.method, what, rest:
            case "GET", "datasets", []:
                if not access["createDatasets"]:
                    return json_response(401, {"error": "not allowed to read datasets"})
                return json_response(200, [self._dataset(name) for name in self.datasets])
            case "POST", "queries", [slug]:
                return self._make_query(request, slug) if access["queries"] else _forbidden("queries")
            case "POST", "query_results", [_]:
                return self._run(json.loads(request.body))
            case "GET", "query_results", [_, result]:
                return self._result(result)
        return json_response(404, {"error": "not found"})

    def _dataset(self, name: str) -> dict[str, Any]:
        written = self.datasets[name]
        return {
            "name": name,
            "slug": name.lower(),
            "last_written_at": written.strftime("%Y-%m-%dT%H:%M:%SZ") if written else None,
            "regular_columns_count": None if written is None else 7,
        }

    def _make_query(self, request: Request, slug: str) -> Response:
        if slug not in map(str.lower, self.datasets):
            return json_response(404, {"error": "Dataset not found"})
        specification = json.loads(request.body)
        allowed = {"calculations", "breakdowns", "filters", "time_range"}
        if not set(specification) <= allowed or specification["calculations"] != [{"op": "COUNT"}]:
            return json_response(422, {"error": "unprocessable"})
        identifier = letters(11)
        self._queries[identifier] = specification
        return json_response(200, {"id": identifier, **specification})

    def _run(self, document: dict[str, Any]) -> Response:
        if not self.enterprise:
            return _forbidden("the Query Data API, which comes with Enterprise")
        if document.get("query_id") not in self._queries:
            return json_response(404, {"error": "no such query"})
        (only,) = self._queries[document["query_id"]]["filters"]
        assert (only["column"], only["op"]) == ("trace.trace_id", "=")
        identifier = letters(11)
        self._results[identifier] = self.spans.get(only["value"], 0)
        return json_response(201, {"id": identifier, "complete": False})

    def _result(self, identifier: str) -> Response:
        if identifier not in self._results:
            return json_response(404, {"error": "no such result"})
        rows = [{"data": {"COUNT": self._results[identifier]}}]
        return json_response(200, {"id": identifier, "complete": True, "data": {"results": rows}})

    def _answer_bearer(self, request: Request) -> Response:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        known = self._management.get(key) if scheme == "Bearer" else None
        if known is None:
            error = {"id": letters(32), "code": "unauthenticated", "title": "unknown API key"}
            return json_response(401, {"errors": [error]}, "application/vnd.api+json")
        return json_response(200, known, "application/vnd.api+json")


def _forbidden(what: str) -> Response:
    return json_response(403, {"error": f"not allowed: {what}"})

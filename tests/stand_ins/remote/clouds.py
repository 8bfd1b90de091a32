"""A vendor's API as a program of its own, also in a container: nothing but Python is needed.

`python3 clouds.py honeycomb|rollbar|logs HOST PORT KEYS` serves until it is told to stop. KEYS is a JSON file
that may change at any time: the SHA-256 of each key that is known, with what that key may do. The program
itself holds no key. `GET /-/seen` tells a test what has come in.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import secrets
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

Answer = tuple[int, Any]

#: https://docs.honeycomb.io/api/tag/Auth - what GET /1/auth says of every key
_ACCESS = ("events", "markers", "triggers", "boards", "queries", "columns", "createDatasets", "slos")
_TEAM = {"name": "Acme Shops", "slug": "acme-shops"}
_ENVIRONMENT = {"name": "Test", "slug": "test"}
_PAGE = 20
_LARGEST_ITEM = 1 << 20


class Fields:
    """One message of protobuf, by the numbers of its fields: https://protobuf.dev/programming-guides/encoding."""

    def __init__(self, data: bytes) -> None:
        self._found: dict[int, list[bytes]] = {}
        place = 0
        while place < len(data):
            tag, place = self._varint(data, place)
            kind, number = tag & 7, tag >> 3
            if kind == 0:
                _, place = self._varint(data, place)
                continue
            if kind == 2:
                size, place = self._varint(data, place)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError(f"wire type {kind}")
            if place + size > len(data):
                raise ValueError("cut short")
            self._found.setdefault(number, []).append(data[place : place + size])
            place += size

    @staticmethod
    def _varint(data: bytes, place: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            if place == len(data):
                raise ValueError("cut short")
            value |= (data[place] & 127) << shift
            place, shift = place + 1, shift + 7
            if not data[place - 1] & 128:
                return value, place

    def bytes(self, number: int) -> bytes:
        """The last one, or nothing."""
        return self._found.get(number, [b""])[-1]

    def messages(self, number: int) -> Iterator[Fields]:
        """All of them."""
        return map(Fields, self._found.get(number, ()))


class Cloud:
    """What both have in common: keys that they know by a hash alone."""

    header = ""

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        self._lock = threading.Lock()
        self.refused: Counter[str] = Counter()

    def known(self, headers: Message) -> Any:
        """What the caller's key may do; None where nobody knows it."""
        digest = hashlib.sha256(headers.get(self.header, "").encode()).hexdigest()
        return json.loads(self._keys.read_text()).get(digest)

    def serve(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        with self._lock:
            if path == "/-/seen":
                return 200, self.seen() | {"refused": dict(self.refused)}
            status, answer = self.answer(method, path, headers, body)
            if status >= 400:
                self.refused[f"{status} {method} {path}"] += 1
            return status, answer

    def seen(self) -> dict[str, Any]:
        raise NotImplementedError

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        raise NotImplementedError


class Honeycomb(Cloud):
    """A key's record is its kind (ingest, configuration) and the permissions that it has."""

    header = "X-Honeycomb-Team"

    def __init__(self, keys: Path) -> None:
        super().__init__(keys)
        #: name -> when it was last written
        self._datasets: dict[str, float] = {}
        #: (dataset, trace id) -> names of spans
        self._spans: dict[tuple[str, str], list[str]] = {}
        self._queries: dict[str, dict[str, Any]] = {}
        self._results: dict[str, int] = {}

    def seen(self) -> dict[str, Any]:
        spans = [
            {"dataset": name, "trace_id": trace, "names": all_} for (name, trace), all_ in self._spans.items()
        ]
        return {"spans": spans}

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        known = self.known(headers)
        if known is None:
            return 401, {"error": "unknown API key - check your credentials"}
        access = known["access"]
        if (method, path) == ("GET", "/1/auth"):
            names = ("createDatasets",) if known["type"] == "ingest" else _ACCESS
            allowed = {name: name in access for name in names}
            about = {"team": _TEAM, "environment": _ENVIRONMENT}
            return 200, {"id": "a-key", "type": known["type"], "api_key_access": allowed, **about}
        if (method, path) == ("POST", "/v1/traces"):
            return self._take(known, headers, body)
        if known["type"] == "ingest":
            return 401, {"error": "this key is for ingest alone"}
        return self._read_back(method, path, access, body)

    def _take(self, known: dict[str, Any], headers: Message, body: bytes) -> Answer:
        """https://opentelemetry.io/docs/specs/otlp/#otlphttp-request, in protobuf."""
        if known["type"] != "ingest" and "events" not in known["access"]:
            return 401, {"error": "not allowed to send events"}
        if headers.get("Content-Type") != "application/x-protobuf":
            return 415, {"error": "only protobuf, here"}
        try:
            data = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
            spans = list(_spans(data))
        except (ValueError, OSError) as error:
            return 400, {"error": str(error)}
        fresh = {name for name, _, _ in spans} - self._datasets.keys()
        if fresh and "createDatasets" not in known["access"]:
            return 401, {"error": "not allowed to create datasets"}
        for dataset, trace_id, name in spans:
            self._datasets[dataset] = time.time()
            self._spans.setdefault((dataset, trace_id), []).append(name)
        return 200, b""

    def _read_back(self, method: str, path: str, access: list[str], body: bytes) -> Answer:
        _, _, what, *rest = path.split("/")
        match method, what, rest:
            case "GET", "datasets", []:
                if "createDatasets" not in access:
                    return 401, {"error": "not allowed to read datasets"}
                return 200, [self._dataset(name) for name in self._datasets]
            case "POST", "queries", [slug] if "queries" in access:
                return self._query(slug, json.loads(body))
            case "POST", "query_results", [slug] if "queries" in access:
                return self._run(slug, json.loads(body))
            case "GET", "query_results", [_, result] if result in self._results:
                rows = [{"data": {"COUNT": self._results[result]}}]
                return 200, {"id": result, "complete": True, "data": {"results": rows}}
        return 404, {"error": "not found"}

    def _dataset(self, name: str) -> dict[str, Any]:
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._datasets[name]))
        return {"name": name, "slug": name.lower(), "last_written_at": written, "regular_columns_count": 7}

    def _query(self, slug: str, specification: dict[str, Any]) -> Answer:
        if slug not in map(str.lower, self._datasets):
            return 404, {"error": "Dataset not found"}
        (only,) = specification["filters"]
        right = (only["column"], only["op"], specification["calculations"])
        if right != ("trace.trace_id", "=", [{"op": "COUNT"}]):
            return 422, {"error": "unprocessable"}
        identifier = secrets.token_hex(6)
        self._queries[identifier] = specification
        return 200, {"id": identifier, **specification}

    def _run(self, slug: str, document: dict[str, Any]) -> Answer:
        query = self._queries.get(document.get("query_id", ""))
        if query is None:
            return 404, {"error": "no such query"}
        trace_id = query["filters"][0]["value"]
        identifier = secrets.token_hex(6)
        self._results[identifier] = sum(
            len(names)
            for (name, trace), names in self._spans.items()
            if (name.lower(), trace) == (slug, trace_id)
        )
        return 201, {"id": identifier, "complete": False}


def _spans(data: bytes) -> Iterator[tuple[str, str, str]]:
    """(service, trace id, name) of each span in an ExportTraceServiceRequest."""
    for resource_spans in Fields(data).messages(1):
        service = "unknown_service"
        for attribute in Fields(resource_spans.bytes(1)).messages(1):
            if attribute.bytes(1) == b"service.name":
                service = Fields(attribute.bytes(2)).bytes(1).decode()
        for scope_spans in resource_spans.messages(2):
            for span in scope_spans.messages(2):
                if (len(span.bytes(1)), len(span.bytes(2))) != (16, 8):
                    raise ValueError("a span without its ids")
                yield service, span.bytes(1).hex(), span.bytes(5).decode()


class Rollbar(Cloud):
    """A token's record is the list of its scopes."""

    header = "X-Rollbar-Access-Token"

    def __init__(self, keys: Path) -> None:
        super().__init__(keys)
        #: the newest first
        self._occurrences: list[dict[str, Any]] = []

    def seen(self) -> dict[str, Any]:
        return {"items": [each["data"] for each in self._occurrences]}

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        scopes = self.known(headers)
        if scopes is None:
            return 401, {"err": 1, "message": "invalid access token"}
        parts = urlsplit(path)
        match method, parts.path:
            case "POST", "/api/1/item/":
                return self._item(scopes, body)
            case "GET", "/api/1/environments" | "/api/1/instances/":
                if "read" not in scopes:
                    return self._insufficient("read", scopes)
                page = int(parse_qs(parts.query).get("page", ["1"])[0])
                if parts.path == "/api/1/environments":
                    shown = {"id": 1, "project_id": 2, "environment": "development", "visible": 1}
                    return 200, {"err": 0, "result": {"page": page, "environments": [shown]}}
                found = self._occurrences[_PAGE * (page - 1) : _PAGE * page]
                return 200, {"err": 0, "result": {"page": page, "instances": found}}
        return 404, {"err": 1, "message": "not found"}

    def _item(self, scopes: list[str], body: bytes) -> Answer:
        if "post_server_item" not in scopes:
            return self._insufficient("post_server_item", scopes)
        try:
            data = json.loads(body)["data"]
            right = isinstance(data["environment"], str) and data["body"].keys() & {
                "trace",
                "trace_chain",
                "message",
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            data, right = {}, False
        if not right or len(body) > _LARGEST_ITEM:
            return 422, {"err": 1, "message": "Invalid format. Required: data.environment, data.body."}
        number = len(self._occurrences) + 1
        now = int(time.time())
        self._occurrences.insert(0, {"id": number, "item_id": 7, "timestamp": now, "data": data})
        return 200, {"err": 0, "result": {"id": None, "uuid": data.get("uuid")}}

    @staticmethod
    def _insufficient(needed: str, scopes: list[str]) -> Answer:
        words = f"insufficient privileges: {needed} scope is required but the access token only has "
        return 403, {"err": 1, "message": f"{words}{', '.join(scopes)}."}


class Logs(Cloud):
    """CloudWatch Logs with one log group. A key is an id and a token; its record is what it may do."""

    group = "cruddur"

    def __init__(self, keys: Path) -> None:
        super().__init__(keys)
        #: stream -> events
        self._streams: dict[str, list[dict[str, Any]]] = {}
        #: the SHA-256 of each token with which lines have come
        self._writers: list[str] = []

    def seen(self) -> dict[str, Any]:
        return {"events": sum(map(len, self._streams.values())), "writers": self._writers}

    def known(self, headers: Message) -> Any:
        """The signature itself is looked at by others: this one has no secrets."""
        scope = re.match(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/\d+/[\w-]+/logs/", headers["Authorization"] or ""
        )
        held = f"{scope[1] if scope else ''} {headers.get('X-Amz-Security-Token', '')}"
        return json.loads(self._keys.read_text()).get(hashlib.sha256(held.encode()).hexdigest())

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        allowed = self.known(headers)
        name = headers.get("X-Amz-Target", "").removeprefix("Logs_20140328.")
        given = json.loads(body) if (method, path) == ("POST", "/") else {}
        if allowed is None:
            return self._refuse("UnrecognizedClientException", "The security token is invalid.")
        if f"logs:{name}" not in allowed:
            return self._refuse("AccessDeniedException", f"not authorized to perform: logs:{name}")
        if given.get("logGroupName") != self.group:
            return self._refuse("ResourceNotFoundException", "The specified log group does not exist.")
        if name == "FilterLogEvents":
            phrase = given["filterPattern"][1:-1]
            every = [each for events in self._streams.values() for each in events]
            return 200, {"events": [each for each in every if phrase in each["message"]]}
        return self._write(name, given, headers.get("X-Amz-Security-Token", ""))

    def _write(self, name: str, given: dict[str, Any], token: str) -> Answer:
        stream = self._streams.get(given["logStreamName"])
        if name == "CreateLogStream" and stream is None:
            self._streams[given["logStreamName"]] = []
            return 200, {}
        if name == "CreateLogStream":
            return self._refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
        if stream is None:
            return self._refuse("ResourceNotFoundException", "The specified log stream does not exist.")
        stream += given["logEvents"]
        self._writers.append(hashlib.sha256(token.encode()).hexdigest())
        return 200, {"nextSequenceToken": "1"}

    @staticmethod
    def _refuse(code: str, message: str) -> Answer:
        return 400, {"__type": code, "message": message}


def main() -> None:
    kind, host, port, keys = sys.argv[1:]
    cloud: Cloud = {"honeycomb": Honeycomb, "rollbar": Rollbar, "logs": Logs}[kind](Path(keys))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = cloud.serve(self.command, self.path, self.headers, body)
            answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            kind = "application/x-protobuf" if isinstance(document, bytes) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()

"""What a log line says: one JSON object, of a log record or of a request that was served."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from observability.edge import current_trace
from observability.wsgi import MOST_CHARACTERS, Headers, path_of, watching

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_BYTES = 262_144 - 26  # of a line: the API's limit, less what it adds to each


# In a query string, names with a value. What stands alone, or before "==", is a value itself.
_NAMES = re.compile(r"(?:^|&)([\w.%\[\]-]{1,40})=(?=[^=&])", re.ASCII)


class RequestLine(NamedTuple):
    """One request that was served, as it is when there is time for it no more than to note it down."""

    created: float  # seconds since the epoch
    method: str
    path: str
    query: str
    status: int
    seconds: float
    trace_id: str | None

    def text(self, service: str) -> str:
        """Write the line of a service, at a level that fits the status."""
        # The names in the query string, too: the values may be anybody's secrets.
        names = _NAMES.findall(self.query) if self.query else ()
        path = f"{self.path}?{'&'.join(names)}" if names else self.path
        level = "INFO"
        if self.status >= HTTPStatus.BAD_REQUEST:
            level = "WARNING" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "ERROR"
        line = {
            "level": level,
            "logger": "requests_served",
            "service": service,
            "message": f"{self.method} {path} {self.status}",
            "method": self.method,
            "path": path,
            "status": self.status,
            "duration_ms": round(self.seconds * 1000, 2),
        }
        return _fitting(line if self.trace_id is None else {**line, "trace_id": self.trace_id})


class RequestLines:
    """WSGI middleware: notes every request down, once it is answered."""

    def __init__(self, app: "WSGIApplication", note: Callable[[RequestLine], None]) -> None:
        self._app = app
        self._note = note

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request, then say so."""
        started = time.perf_counter()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)  # until the app answers

        def seen(given: int, _headers: Headers) -> None:
            nonlocal status
            status = given

        try:
            return self._app(environ, watching(start_response, seen))
        finally:
            trace = current_trace()
            self._note(
                RequestLine(
                    time.time(),
                    environ["REQUEST_METHOD"],
                    path_of(environ),
                    (environ.get("QUERY_STRING") or "")[:MOST_CHARACTERS],
                    status,
                    time.perf_counter() - started,
                    trace and trace.id,
                )
            )


class JsonLine(logging.Formatter):
    """One record as one JSON object: whose it is, what it says, its `extra` fields, and its traceback."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Answer the line."""
        line = {
            "level": record.levelname,
            "logger": record.name,
            "service": self._service,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD_FIELDS}
        if record.exc_text:
            line["traceback"] = record.exc_text
        return _fitting(line)


def _fitting(line: Mapping[str, object]) -> str:
    """Write the line, with its longest parts cut if it is too long."""
    text, most = _encode(line), MOST_BYTES
    while len(text) > MOST_BYTES and most:  # it is ASCII: some characters take twelve
        most //= 2
        text = _encode({name: _cut(value, most) for name, value in line.items()})
    return text


def _cut(value: object, most: int) -> object:
    text = value if isinstance(value, str) else _encode(value)
    return value if len(text) <= most else text[:most] + " [cut]"


_encode = json.JSONEncoder(default=str).encode
_STANDARD_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

"""Log lines to CloudWatch Logs through watchtower: one for each request, and those of the services.

Every line is one JSON object, with the trace id of its request.
"""

import json
import logging
import os
import platform
import re
import threading
import time
import warnings
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from flask import Flask, current_app, has_app_context
from watchtower import CloudWatchLogHandler, WatchtowerWarning

from observability.delivery import Account, Delivery
from observability.edge import current_trace
from settings import CloudWatch, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_LINES_WAITING = 10_000
MOST_BYTES = 262_144 - 26  # of a line: the API's limit, less what it adds to each
SECONDS_BETWEEN_BATCHES = 1.0
_LINES_PER_BATCH = 2_000


def instrument(app: Flask, settings: Settings) -> None:
    """Send the lines of the app, of the services, and one per request. The log group has to be there already.

    The handler sits on these loggers only: on the root it would send what sending logs, and never end.
    """
    warnings.filterwarnings("ignore", category=WatchtowerWarning)  # `Delivery` says what is dropped
    lines = Lines(app, settings.cloudwatch, settings.service_name)
    services = logging.getLogger("services")
    # Of this app alone, and no child of the root: the console has no use for a line per request.
    requests = logging.Logger("requests_served", logging.INFO)  # noqa: LOG001 - as the line above says
    loggers = (app.logger, services, requests)
    for logger in loggers:
        logger.addHandler(lines)
    services.setLevel(logging.INFO)
    if logging.lastResort:  # without handlers, warnings would be on the console; they shall stay there
        services.addHandler(logging.lastResort)

    def flush(seconds: float) -> None:
        for logger in loggers:
            logger.removeHandler(lines)
        lines.stop(seconds)

    app.extensions["telemetry_delivery"]["cloudwatch"] = lines.delivery.report
    app.extensions["telemetry_flush"]["cloudwatch"] = flush
    app.wsgi_app = RequestLines(app.wsgi_app, requests)  # type: ignore[method-assign] # as Flask's docs say


class RequestLines:
    """WSGI middleware: writes one line for each request, once it is answered."""

    def __init__(self, app: "WSGIApplication", log: logging.Logger) -> None:
        self._app = app
        self._log = log

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request, then say so."""
        started = time.perf_counter()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)  # until the app answers

        def respond(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info) if exc_info else start_response(line, headers)

        try:
            return self._app(environ, respond)
        finally:
            path = _path(environ)
            method = environ["REQUEST_METHOD"]
            self._log.log(
                _level(status),
                "%s %s %d",
                method,
                path,
                status,
                extra={
                    "method": method,
                    "path": path,
                    "status": status,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 2),
                },
            )


def _level(status: int) -> int:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    return logging.WARNING if status >= HTTPStatus.BAD_REQUEST else logging.INFO


def _path(environ: "WSGIEnvironment") -> str:
    """Answer the path and the names in the query string: the values may be anybody's secrets."""
    path = str(environ["PATH_INFO"]).encode("latin-1").decode(errors="replace")  # as WSGI wraps it
    names = re.findall(r"(?:^|&)([^=&]+)=", environ.get("QUERY_STRING") or "")
    return f"{path}?{'&'.join(names)}" if names else path


class JsonLine(logging.Formatter):
    """One record as one JSON object: what the record says, its `extra` fields, and its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Answer the line."""
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD_FIELDS}
        if record.exc_text:
            line["traceback"] = record.exc_text
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


class Lines(CloudWatchLogHandler):
    """watchtower's handler, with our own delivery in place of its queue.

    That queue has no end, wakes a thread for every line, and nobody learns what it has lost.
    """

    def __init__(self, app: Flask, cloudwatch: CloudWatch, service: str) -> None:
        self._client = _LogsClient(cloudwatch.region)
        stream = f"{service}/{platform.node()}/{os.getpid()}"
        super().__init__(
            log_group_name=cloudwatch.log_group,
            log_stream_name=re.sub(r"[:*]", "_", stream),  # which its name may not hold
            use_queues=False,
            create_log_group=False,
            boto3_client=self._client,
        )
        self.sequence_tokens[self.log_stream_name] = None
        self.setFormatter(JsonLine())
        self._flask_app = app
        self.delivery = Delivery(
            Account("cloudwatch", "log lines"),
            self._event,
            self._send,
            most=MOST_LINES_WAITING,
            batch=_LINES_PER_BATCH,
            seconds=SECONDS_BETWEEN_BATCHES,
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record on, if it is this app's."""
        if has_app_context() and current_app._get_current_object() is not self._flask_app:  # type: ignore[attr-defined] # noqa: SLF001 - Flask documents it
            return
        if record.exc_info:
            # As text, and in a copy: a traceback would keep every local variable alive while it waits.
            text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            record = logging.makeLogRecord({**record.__dict__, "exc_text": text, "exc_info": None})
        if trace := current_trace():
            record.trace_id = trace.id
        self.delivery.put(record)

    def stop(self, seconds: float) -> None:
        """Send what waits, for so long at most."""
        self._client.hurry()
        self.delivery.stop(seconds)
        self.close()  # type: ignore[no-untyped-call]

    def _event(self, record: logging.LogRecord) -> dict[str, Any]:
        return {"timestamp": int(record.created * 1000), "message": self.format(record)}

    def _send(self, events: list[dict[str, Any]]) -> str | None:
        """Send them in batches of the size that the API takes. Answers None, or why one failed."""
        failure: str | None = None
        batch: list[dict[str, Any]] = []
        size = 0
        for event in events:
            length = len(event["message"]) + self.EXTRA_MSG_PAYLOAD_SIZE  # the line is ASCII
            if size + length > self.max_batch_size:
                failure = self._send_batch(batch) or failure
                batch, size = [], 0
            batch.append(event)
            size += length
        return self._send_batch(batch) or failure

    def _send_batch(self, batch: list[dict[str, Any]]) -> str | None:
        self._client.outcome = "nothing was sent"
        self._submit_batch(batch, self.log_stream_name)  # type: ignore[no-untyped-call]
        return self._client.outcome


class _LogsClient:
    """The AWS client, which remembers how the last delivery ended and waits after a failure.

    It is made at first use, because to find credentials can take a call to the network.
    """

    def __init__(self, region: str) -> None:
        self.outcome: str | None = None  # why the last delivery failed; None: it did not
        self._region = region
        self._pause = threading.Event()
        self._failures = 0

    def __getattr__(self, name: str) -> Any:
        if name == "_made":
            self._made = boto3.session.Session().client(
                "logs",
                region_name=self._region,
                config=Config(
                    connect_timeout=3,
                    read_timeout=5,
                    retries={"total_max_attempts": 1},
                    parameter_validation=False,  # of thousands of lines, whose form is our own
                ),
            )
            return self._made
        return getattr(self._made, name)

    def put_log_events(self, **batch: Any) -> Any:
        """Deliver one batch; on failure wait, longer each time, as watchtower tries again at once."""
        try:
            response = self._made.put_log_events(**batch)
        except Exception as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            self.outcome = str(code)
            if code != "ResourceNotFoundException":  # watchtower makes the stream, then tries again
                self._failures += 1
                self._pause.wait(min(0.5 * 2**self._failures, 10))
            raise
        self._failures = 0
        self.outcome = "RejectedLogEvents" if response.get("rejectedLogEventsInfo") else None
        return response

    def hurry(self) -> None:
        """Wait no more between attempts: the process ends."""
        self._pause.set()

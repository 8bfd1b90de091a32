"""Log lines to CloudWatch Logs through watchtower: one for each request, and those of the services.

Every line is one JSON object, with the name of the service and the trace id of its request.
"""

import functools
import logging
import os
import platform
import re
import threading
import warnings
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from flask import Flask, current_app, has_app_context
from watchtower import CloudWatchLogHandler, WatchtowerWarning

from observability.delivery import Account, Delivery, Lost, Running
from observability.edge import current_trace
from observability.log_lines import JsonLine, RequestLine, RequestLines
from observability.wsgi import wrap
from settings import CloudWatch, Settings

MOST_LINES_WAITING = 10_000
SECONDS_BETWEEN_BATCHES = 1.0
_LINES_PER_BATCH = 2_000
_SERVICES = "services"  # the folder whose modules log; rename it here, too


def instrument(app: Flask, settings: Settings) -> Running:
    """Send the lines of the app, of the services, and one per request. The log group has to be there already.

    The handler sits on these loggers only: on the root it would send what sending logs, and never end.
    """
    lines = Lines(app, settings.cloudwatch, settings.service_name)
    warnings.filterwarnings("ignore", category=WatchtowerWarning)  # `Delivery` says what is dropped
    services = logging.getLogger(_SERVICES)
    for logger in (app.logger, services):
        logger.addHandler(lines)
    services.setLevel(logging.INFO)
    if logging.lastResort and not logging.getLogger().handlers:
        services.addHandler(logging.lastResort)  # warnings shall stay on the console, as without any handler

    def shut_down(seconds: float) -> None:
        for logger in (app.logger, services):
            logger.removeHandler(lines)
        lines.stop(seconds)

    wrap(app, lambda inner: RequestLines(inner, lines.delivery.put))
    return Running(lines.delivery.report, shut_down)


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
        self.sequence_tokens[self.log_stream_name] = None  # as watchtower's queue would have set it
        self.setFormatter(JsonLine(service))
        self._flask_app = app
        self._service = service
        self.delivery: Delivery[logging.LogRecord | RequestLine, dict[str, Any]] = Delivery(
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

    def _event(self, line: logging.LogRecord | RequestLine) -> dict[str, Any]:
        text = line.text(self._service) if isinstance(line, RequestLine) else self.format(line)
        return {"timestamp": int(line.created * 1000), "message": text}

    def _send(self, events: list[dict[str, Any]]) -> Lost:
        """Send them in batches of the size that the API takes."""
        lost = Lost(0, "")
        batch: list[dict[str, Any]] = []
        size = 0
        for event in events:
            length = len(event["message"]) + self.EXTRA_MSG_PAYLOAD_SIZE  # the line is ASCII
            if size + length > self.max_batch_size:
                lost = _together(lost, self._send_batch(batch))
                batch, size = [], 0
            batch.append(event)
            size += length
        return _together(lost, self._send_batch(batch))

    def _send_batch(self, batch: list[dict[str, Any]]) -> Lost:
        self._client.lost = Lost(len(batch), "nothing was sent")
        self._submit_batch(batch, self.log_stream_name)  # type: ignore[no-untyped-call]
        return self._client.lost


def _together(one: Lost, other: Lost) -> Lost:
    return Lost(one.count + other.count, other.why or one.why)


def _rejected(response: dict[str, Any], count: int) -> Lost:
    """Read what the API has left out: from one index on, lines are too new, before another too old."""
    info = response.get("rejectedLogEventsInfo") or {}
    new = count - info.get("tooNewLogEventStartIndex", count)
    old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    return Lost(min(count, new + old), "RejectedLogEvents" if new + old else "")


class _LogsClient:
    """The AWS client, which remembers how the last delivery ended and waits after a failure.

    It is made at first use, because to find credentials can take a call to the network.
    """

    def __init__(self, region: str) -> None:
        self.lost = Lost(0, "")  # of the last delivery
        self._region = region
        self._pause = threading.Event()
        self._failures = 0

    @functools.cached_property
    def _made(self) -> Any:
        return boto3.session.Session().client(
            "logs",
            region_name=self._region,
            config=Config(
                connect_timeout=3,
                read_timeout=5,
                retries={"total_max_attempts": 1},
                parameter_validation=False,  # of thousands of lines, whose form is our own
            ),
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def put_log_events(self, **batch: Any) -> Any:
        """Deliver one batch; on failure wait, longer each time, as watchtower tries again at once."""
        try:
            response = self._made.put_log_events(**batch)
        except Exception as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            self.lost = Lost(len(batch["logEvents"]), str(code))
            if code != "ResourceNotFoundException":  # watchtower makes the stream, then tries again
                self._failures += 1
                self._pause.wait(min(0.5 * 2**self._failures, 10))
            raise
        self._failures = 0
        self.lost = _rejected(response, len(batch["logEvents"]))
        return response

    def hurry(self) -> None:
        """Wait no more between attempts: the process ends."""
        self._pause.set()

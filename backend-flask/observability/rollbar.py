"""Errors and messages to Rollbar: pyrollbar makes and scrubs the items, a thread here delivers them."""

import json
import threading
from http import HTTPStatus
from typing import Any

import rollbar
import urllib3
from flask import Flask, got_request_exception, has_request_context, request
from werkzeug.datastructures import ImmutableMultiDict

from observability.delivery import Account, Delivery, Running
from observability.edge import PROOF_HEADER, current_trace
from observability.wsgi import MOST_CHARACTERS
from settings import Rollbar, Settings

MOST_ITEMS_WAITING = 100
MOST_BYTES = 131_072  # of one item
_MOST_NAMES = 50  # of headers or fields that the client sent
_PLAIN_HEADERS = {
    "accept",
    "accept-language",
    "content-length",
    "content-type",
    "host",
    "origin",
    "referer",
    "user-agent",
}
_SECONDS_BETWEEN_LOOKS = 0.25
_ATTEMPTS = 4

# Names that pyrollbar does not know, of things that nobody else shall read; `_spellings` adds the others.
_SECRET_NAMES = [
    "api_key",
    "auth_token",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "client_secret",
    "cookie",
    "csrf_token",
    "honeycomb_api_key",
    "id_token",
    "otel_exporter_otlp_headers",
    "private_key",
    "proxy_authorization",
    "refresh_token",
    "rollbar_access_token",
    "secret_key",
    "session",
    "set_cookie",
    "token",
    "x_amz_security_token",
    "x_api_key",
    "x_auth_token",
    "x_csrf_token",
    "x_honeycomb_team",
    "x_rollbar_access_token",
    PROOF_HEADER.lower().replace("-", "_"),
]


def _spellings(name: str) -> tuple[str, ...]:
    """As a variable, in camel case, as a header, and as headers in a WSGI environment."""
    joined = name.replace("_", "")
    return name, joined, name.replace("_", "-"), f"http_{name}", f"http_{joined}"


_SCRUBBED = [
    spelling for name in (*rollbar.SETTINGS["scrub_fields"], *_SECRET_NAMES) for spelling in _spellings(name)
]


def instrument(app: Flask, settings: Settings) -> Running:
    """Report what no error handler has caught.

    pyrollbar has one configuration for the whole process: with several apps, the last one decides.
    """
    items = Items(settings.rollbar)
    rollbar.init(
        settings.rollbar.access_token,
        settings.rollbar.environment,
        scrub_fields=_SCRUBBED,
        code_version=settings.rollbar.code_version,
        root=app.root_path,
        allow_logging_basic_config=False,
        capture_ip="anonymize",
        log_payload_on_error=False,  # it would log the access token, too
        suppress_reinit_warning=True,
    )
    # `init` ignores a second call for these.
    rollbar.SETTINGS["access_token"] = settings.rollbar.access_token
    rollbar.SETTINGS["environment"] = settings.rollbar.environment
    rollbar.BASE_DATA_HOOK = _describe_flask
    rollbar.events.add_payload_handler(items.take)

    def custom() -> dict[str, Any]:
        trace = current_trace()
        joined = {"trace_id": trace.id} if trace else {}
        return {"custom": {"service": settings.service_name, **joined}}

    def report(message: str, level: "rollbar.Level") -> None:
        current = request if has_request_context() else None
        rollbar.report_message(message, level, request=current, payload_data=custom())

    def report_exception(_app: Flask, exception: BaseException, **_: object) -> None:
        _read_form()
        info = (type(exception), exception, exception.__traceback__)
        rollbar.report_exc_info(info, request=request, payload_data=custom())

    def shut_down(seconds: float) -> None:
        rollbar.events.remove_payload_handler(items.take)
        items.stop(seconds)

    app.extensions["rollbar_report"] = report
    got_request_exception.connect(report_exception, app, weak=False)
    return Running(items.delivery.report, shut_down)


def _read_form() -> None:
    """Read the form now, or do without it: pyrollbar does so as well, and without it sends nothing at all."""
    try:
        request.form  # noqa: B018 - reading it is what may raise
    except Exception:  # noqa: BLE001 - too large, cut short, no form: every server and parser raises its own
        request.form = ImmutableMultiDict()
        request.files = ImmutableMultiDict()


def _without_values(reported: dict[str, Any]) -> dict[str, Any]:
    """Keep of the request the names that it used, and no value but those of well-known headers, cut short.

    No list of secret names is ever complete, and a client can make headers as long as it likes.
    """
    kept = dict(reported)
    kept["url"] = str(reported.get("url", "")).partition("?")[0][:MOST_CHARACTERS]
    for part in ("GET", "POST", "json"):
        if part in reported:
            fields = reported[part]
            kept[part] = dict.fromkeys(list(fields)[:_MOST_NAMES], "*") if isinstance(fields, dict) else "*"
    kept["headers"] = {
        name: str(value).partition("?")[0][:MOST_CHARACTERS] if name.lower() in _PLAIN_HEADERS else "*"
        for name, value in list(reported.get("headers", {}).items())[:_MOST_NAMES]
    }
    return kept


def _describe_flask(reported: Any, data: dict[str, Any]) -> None:
    """Add what Rollbar groups by. `reported`: the request, or None outside of one."""
    data["framework"] = "flask"
    if rule := getattr(reported, "url_rule", None):
        data["context"] = rule.rule


class Items:
    """Delivers items one by one.

    pyrollbar's own handlers start a thread for each item, or queue without end, and count nothing.
    """

    def __init__(self, settings: Rollbar) -> None:
        self._url = settings.endpoint + "item/"
        self._headers = {
            "Content-Type": "application/json",
            "X-Rollbar-Access-Token": settings.access_token,
        }
        # urllib3, as `requests` would make a span of each delivery.
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=5), retries=False)
        self._ending = threading.Event()
        self.delivery: Delivery[bytes, bytes] = Delivery(
            Account("rollbar", "items"),
            bytes,
            lambda items: self._send(items[0]),
            most=MOST_ITEMS_WAITING,
            batch=1,
            seconds=_SECONDS_BETWEEN_LOOKS,
        )

    def take(self, payload: dict[str, Any], **_: object) -> bool:
        """Take over an item from pyrollbar; it reads False as "go no further"."""
        if reported := payload["data"].get("request"):
            payload["data"]["request"] = _without_values(reported)
        item = json.dumps(payload, default=str).encode()
        if len(item) > MOST_BYTES:
            self.delivery.account.dropped("an item was too large")
        else:
            self.delivery.put(item)
        return False

    def stop(self, seconds: float) -> None:
        """Deliver what waits, for so long at most."""
        self._ending.set()
        self.delivery.stop(seconds)
        self._http.clear()

    def _send(self, item: bytes) -> str | None:
        """Try a few times, with growing pauses. Answers why it failed, or None."""
        failure = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._ending.wait(2.0**attempt)
            failure, worth_another = self._post(item)
            if not worth_another:
                break
        return failure

    def _post(self, item: bytes) -> tuple[str | None, bool]:
        try:
            response = self._http.request("POST", self._url, body=item, headers=self._headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return type(error).__name__, True
        if response.status == HTTPStatus.OK:
            return None, False
        busy = response.status == HTTPStatus.TOO_MANY_REQUESTS
        return f"HTTP {response.status}", busy or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR

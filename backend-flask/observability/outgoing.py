"""Outgoing calls with `requests`: a sibling joins the trace of the request that calls it, a stranger never.

Siblings are the hosts that TRACE_PEERS names. All others, also where a sibling redirects to them, get what
the caller has written and no more: an id is not for them to know, and a proof would open public services.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import wrapt
from flask import Flask, current_app, has_app_context
from opentelemetry import trace as opentelemetry
from requests import PreparedRequest, Response, adapters

from observability.edge import PROOF_HEADER, Trace, current_trace, proof
from settings import PORTS, Address, Settings, TraceHeaders

_log = logging.getLogger(__name__)


class Call(Protocol):
    """What X-Ray has opened for a call."""

    id: str  # 16 hexadecimal digits: the parent of what the sibling records

    def end(self, status: int | None, error: Exception | None) -> None:
        """Close it, with the status of the answer or with what there was instead."""


def instrument(app: Flask, settings: Settings) -> None:
    """Hand the traces of this app on. `requests` is patched once for all apps, and asks which is served."""
    if settings.trace_headers.peers:
        begin: Callable[[str, str, str], Call | None] = app.extensions.get("xray_call", _no_call)
        app.extensions["outgoing"] = Outgoing(settings.trace_headers, begin)
        _patch()


class Outgoing:
    """Sends the requests of one app."""

    def __init__(
        self, trace_headers: TraceHeaders, begin_call: Callable[[str, str, str], Call | None]
    ) -> None:
        self._peers = trace_headers.peers
        self._proof_key = trace_headers.proof_key
        self._begin_call = begin_call

    def send(
        self, send: Callable[..., Response], request: PreparedRequest, *args: Any, **kwargs: Any
    ) -> Response:
        """Send one request; telemetry's own trouble sends it as it is."""
        call, own = self._prepare(request)
        try:
            response = send(own, *args, **kwargs)
        except Exception as error:
            _end(call, None, error)
            raise
        _end(call, response.status_code, None)
        response.request = request  # what follows a redirect, or looks at it, shall not see our headers
        return response

    def _prepare(self, request: PreparedRequest) -> tuple[Call | None, PreparedRequest]:
        """Open what X-Ray records of the call, and copy the request: the caller's may go elsewhere next."""
        call = None
        try:
            trace, url = current_trace(), request.url or ""
            if trace is None or not self._is_peer(url):
                return None, request
            call = self._begin_call(urlsplit(url).hostname or "", request.method or "", without_secrets(url))
            own = request.copy()
            own.headers.update(self._headers(trace, call))
        except Exception:  # noqa: BLE001 - telemetry must never fail a request
            _log.warning("a call leaves without its trace", exc_info=True)
            return call, request
        return call, own

    def _is_peer(self, url: str) -> bool:
        parts = urlsplit(url)
        return Address(parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)) in self._peers

    def _headers(self, trace: Trace, call: Call | None) -> dict[str, str]:
        """Name our own span and segment; what a vendor does not record here is passed on as it came."""
        headers = {"X-Amzn-Trace-Id": _xray(trace, call)}
        if parent := _traceparent(trace):
            headers["traceparent"] = parent
        if self._proof_key:
            headers[PROOF_HEADER] = proof(self._proof_key, trace.id)
        return headers


def _traceparent(trace: Trace) -> str | None:
    """As the W3C writes it: https://www.w3.org/TR/trace-context/#traceparent-header."""
    span = opentelemetry.get_current_span().get_span_context()
    if span.is_valid and opentelemetry.format_trace_id(span.trace_id) == trace.id:
        return f"00-{trace.id}-{opentelemetry.format_span_id(span.span_id)}-{span.trace_flags:02x}"
    return f"00-{trace.id}-{trace.parent_span}-{trace.recorded:02x}" if trace.parent_span else None


def _xray(trace: Trace, call: Call | None) -> str:
    """As AWS writes it: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader."""
    parts = [f"Root={trace.xray_id}"]
    if parent := call.id if call else trace.parent_segment:
        parts.append(f"Parent={parent}")
    if trace.sampled is not None:
        parts.append(f"Sampled={trace.sampled:d}")
    return ";".join(parts)


def without_secrets(url: str) -> str:
    """Keep only scheme, host and path of a URL: the rest may carry secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _no_call(_host: str, _method: str, _url: str) -> None:
    return None


def _end(call: Call | None, status: int | None, error: Exception | None) -> None:
    if call is None:
        return
    try:
        call.end(status, error)
    except Exception:  # noqa: BLE001 - telemetry must never fail a request
        _log.warning("what was recorded of a call is lost", exc_info=True)


@functools.cache
def _patch() -> None:
    """Patch the adapter, below the session that OpenTelemetry patches: there the call's own span is open.

    It sees each hop of a redirect by itself.
    """
    wrapt.wrap_function_wrapper(adapters, "HTTPAdapter.send", _send)


def _send(send: Callable[..., Response], _adapter: Any, args: Any, kwargs: Any) -> Response:
    outgoing = current_app.extensions.get("outgoing") if has_app_context() else None
    if outgoing is None:
        return send(*args, **kwargs)
    response: Response = outgoing.send(send, *args, **kwargs)
    return response

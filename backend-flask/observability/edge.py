"""The edge of the service: gives every request one trace id, and lets in only trace headers that count.

All four vendors use this id, so that the trace, segment, log lines and error of one request find each other.
"""

import hashlib
import hmac
import random
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from observability.wsgi import Headers, watching
from settings import TraceHeaders

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROOF_HEADER = "X-Trace-Proof"
# How far the time inside a proven id may be from now, in seconds: a proof that was overheard soon expires.
PROOF_LIFETIME = 600

# What comes with a trace's id. Nothing here reads it, and no library further in shall believe it.
_COMPANIONS = ("HTTP_TRACESTATE", "HTTP_BAGGAGE", "HTTP_X_TRACE_PROOF")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_XRAY_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII)
_SPAN_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class Trace(NamedTuple):
    """The trace that a request belongs to, and what its caller said about it."""

    id: str  # 32 hexadecimal digits, the first 8 of them the time in seconds: the form that X-Ray asks for
    parent_span: str | None = None  # 16 hexadecimal digits: OpenTelemetry's parent
    recorded: bool = True  # whether the caller records its spans
    parent_segment: str | None = None  # 16 hexadecimal digits: X-Ray's parent
    sampled: bool | None = None  # X-Ray's decision; None: it is ours to make

    @property
    def xray_id(self) -> str:
        """The same id as X-Ray writes it."""
        return f"1-{self.id[:8]}-{self.id[8:]}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The trace of the request being served; None outside of one."""
    return _current.get()


def note_decision(*, sampled: bool) -> None:
    """Let X-Ray's decision about the request being served be known to whom it calls."""
    if trace := _current.get():
        _current.set(trace._replace(sampled=sampled))


def new_trace_id() -> str:
    """Make an id that X-Ray accepts, too: it begins with the time."""
    return f"{int(time.time()):08x}{random.getrandbits(96):024x}"


def proof(key: bytes, trace_id: str) -> str:
    """What a caller sends in X-Trace-Proof to be believed: it knows the key, and means this id."""
    return hmac.new(key, trace_id.encode(), hashlib.sha256).hexdigest()


class Edge:
    """The outermost WSGI middleware."""

    def __init__(self, app: "WSGIApplication", trace_headers: TraceHeaders) -> None:
        self._app = app
        self._trace_headers = trace_headers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request inside its trace, and tell the caller which that is.

        The trace ends when the app has answered: what a streamed body does afterwards is outside of it.
        """
        trace = self._incoming(environ) or Trace(new_trace_id())
        token = _current.set(trace)

        def seen(_status: int, headers: Headers) -> None:
            headers.append(("X-Amzn-Trace-Id", f"Root={trace.xray_id}"))

        try:
            return self._app(environ, watching(start_response, seen))
        finally:
            _current.reset(token)

    def _incoming(self, environ: "WSGIEnvironment") -> Trace | None:
        """Take the trace headers away, and answer what they say if they count."""
        traceparent, xray = environ.pop("HTTP_TRACEPARENT", ""), environ.pop("HTTP_X_AMZN_TRACE_ID", "")
        given = environ.get("HTTP_X_TRACE_PROOF", "")
        for name in _COMPANIONS:
            environ.pop(name, None)
        trace = _read(traceparent, xray) if traceparent or xray else None
        if trace is None or not (self._trace_headers.trusted or self._is_proven(trace, given)):
            return None
        return trace

    def _is_proven(self, trace: Trace, given: str) -> bool:
        key = self._trace_headers.proof_key
        if not key or not given.isascii():
            return False
        fresh = abs(int(trace.id[:8], 16) - time.time()) < PROOF_LIFETIME
        return fresh and hmac.compare_digest(given, proof(key, trace.id))


def _read(traceparent: str, xray: str) -> Trace | None:
    """Read both headers. When one is malformed, or they name different traces, neither counts."""
    otel = _TRACEPARENT.fullmatch(traceparent)
    if otel and (otel[1] == _NO_TRACE or otel[2] == _NO_SPAN):
        otel = None
    fields = dict(part.strip().partition("=")[::2] for part in xray.split(";"))
    root = _XRAY_ROOT.fullmatch(fields.get("Root", ""))
    if root and root[1] + root[2] == _NO_TRACE:
        root = None
    if (traceparent and not otel) or (xray and not root) or not (otel or root):
        return None
    ids = {otel[1] if otel else None, root[1] + root[2] if root else None} - {None}
    if len(ids) > 1:
        return None
    parent = fields.get("Parent", "")
    return Trace(
        id=str(ids.pop()),
        parent_span=otel[2] if otel else None,
        recorded=bool(int(otel[3], 16) & 1) if otel else True,
        parent_segment=parent if _SPAN_ID.fullmatch(parent) and parent != _NO_SPAN else None,
        sampled={"1": True, "0": False}.get(fields.get("Sampled", "")),
    )

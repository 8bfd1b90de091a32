"""Sends marked requests to a service: one trace that every vendor takes, and the proof that it counts."""

import hashlib
import hmac
import re
import secrets
import time

from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Service
from bootstrap.system import http
from bootstrap.verification.interface import Probe, Reply

#: seconds that a service has for one request
PATIENCE = 10.0
_PROOF_HEADER = "X-Trace-Proof"
_ROOT = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII | re.IGNORECASE)


def send(service: Service, proof_key: str) -> Probe:
    """Ask a service for each of its probe's paths, in a trace of its own; a request that fails is a reply.

    `proof_key` is what `up` has shared with public services; private ones believe anybody who reaches them.
    """
    now = time.time()
    trace_id, span_id = new_trace_id(now), secrets.token_hex(8)
    headers = marks(trace_id, span_id, proof_key)
    replies = tuple(_ask(f"http://127.0.0.1:{service.port}", path, headers) for path in service.probe)
    return Probe(
        service=service.name,
        otel_name=service.otel_service_name,
        trace_id=trace_id,
        span_id=span_id,
        sent_at=now,
        replies=replies,
    )


def new_trace_id(now: float) -> str:
    """Make a trace id of the form that X-Ray asks for: it begins with the time, in seconds since 1970."""
    return f"{int(now):08x}{secrets.token_hex(12)}"


def marks(trace_id: str, span_id: str, proof_key: str) -> dict[str, str]:
    """Make the headers with which OpenTelemetry and X-Ray both record a request in this trace.

    `Sampled=1` goes before any sampling rule: https://www.w3.org/TR/trace-context/ and
    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    return {
        "traceparent": f"00-{trace_id}-{span_id}-01",
        "X-Amzn-Trace-Id": f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={span_id};Sampled=1",
        _PROOF_HEADER: hmac.new(proof_key.encode(), trace_id.encode(), hashlib.sha256).hexdigest(),
        "User-Agent": "bootstrap-verify",
        "Accept": "*/*",
    }


def _ask(base: str, path: str, headers: dict[str, str]) -> Reply:
    try:
        answer = http.visit(base + path, headers, timeout=PATIENCE)
    except BootstrapError as error:
        return Reply(path, problem=error.message)
    named = _ROOT.search(answer.headers.get("x-amzn-trace-id", ""))
    return Reply(path, answer.status, (named[1] + named[2]).lower() if named else None)

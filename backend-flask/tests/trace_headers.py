"""Trace headers as callers send them, made here as the documentation says and not by the code under test."""

import hashlib
import hmac
import secrets
import time

TRUSTED = {"TRACE_HEADERS": "trusted"}  # the setting of a service that only its siblings reach


def new_trace_id(age: float = 0.0) -> str:
    """Make one that X-Ray takes: it begins with the time in seconds."""
    return f"{int(time.time() - age):08x}{secrets.token_hex(12)}"


def root(trace_id: str) -> str:
    """The same id as X-Ray writes it."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def sampled(trace_id: str | None = None, **fields: str) -> dict[str, str]:
    """The header that makes X-Ray record, of a trace of its own; else the sampling rules decide."""
    parts = {"Root": root(trace_id or new_trace_id()), "Sampled": "1", **fields}
    return {"X-Amzn-Trace-Id": ";".join(f"{name}={value}" for name, value in parts.items())}


def traceparent(trace_id: str, span_id: str = 16 * "b", flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{span_id}-{flags}"}


def proven(key: str, trace_id: str) -> dict[str, str]:
    """What makes a public service believe the other headers."""
    return {"X-Trace-Proof": hmac.new(key.encode(), trace_id.encode(), hashlib.sha256).hexdigest()}

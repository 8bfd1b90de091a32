"""Whose trace headers a public service believes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.evidence import Traces

_PATIENCE = 30.0


def _trace_id() -> str:
    return f"{int(time.time()):08x}{secrets.token_hex(12)}"


def _headers(trace_id: str) -> dict[str, str]:
    """Both vendors' headers, which ask for the trace to be kept."""
    span = secrets.token_hex(8)
    return {
        "traceparent": f"00-{trace_id}-{span}-01",
        "X-Amzn-Trace-Id": f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={span};Sampled=1",
    }


def _proof(key: str, trace_id: str) -> str:
    return hmac.new(key.encode(), trace_id.encode(), hashlib.sha256).hexdigest()


def _adopted(port: int, headers: dict[str, str]) -> str:
    """The trace that the service says a request with these headers belongs to."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/activities/home", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        root: str = answer.headers["X-Amzn-Trace-Id"]
    return root.removeprefix("Root=1-").replace("-", "")


def check_headers(port: int, traces: Traces) -> None:
    """Without the proof of this very run, and of this very trace, nobody chooses the id of a trace."""
    (kept,) = Path(os.environ["XDG_STATE_HOME"]).glob("bootstrap/*/trace-proof.json")
    key: str = json.loads(kept.read_text())["key"]
    forged = [_trace_id() for _ in range(4)]
    proofs = (None, "", _proof(secrets.token_hex(32), forged[2]), _proof(key, _trace_id()))
    for trace_id, proof in zip(forged, proofs, strict=True):
        extra = {} if proof is None else {"X-Trace-Proof": proof}
        assert _adopted(port, _headers(trace_id) | extra) not in forged
    proven = _trace_id()
    assert _adopted(port, _headers(proven) | {"X-Trace-Proof": _proof(key, proven)}) == proven
    deadline = time.monotonic() + _PATIENCE
    while proven not in (found := {each["trace_id"] for each in traces.latest() if each["segment_count"]}):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    assert not {each["trace_id"] for each in traces.latest()} & set(forged)

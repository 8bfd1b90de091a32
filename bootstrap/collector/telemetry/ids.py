"""Trace ids in their two spellings: W3C (32 hex digits) and X-Ray (1-8 hex digits-24 hex digits).

Both spell the same 128 bits; inside the collector every trace id is W3C's, in lower case.
"""

import re

_W3C = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_XRAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)
_ZERO = "0" * 32


def parse_trace_id(text: str) -> str | None:
    """The id in W3C form, from either form; None for anything else, the all-zero id included."""
    xray = _XRAY.fullmatch(text)
    candidate = xray[1] + xray[2] if xray else text
    if not _W3C.fullmatch(candidate) or candidate == _ZERO:
        return None
    return candidate.lower()


def to_xray(trace_id: str) -> str:
    """The X-Ray form of a trace id in W3C form."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"

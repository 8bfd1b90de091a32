"""Lets the frontend's pages call this service from a browser (CORS)."""

import re
from collections.abc import Iterable

from flask import Flask

_RESPONSE_HEADERS = ["Location", "Link", "X-Amzn-Trace-Id"]
# Those of the frontend's requests, and of its traces, so that pages that trace may call: the edge says
# whether they count. Not `baggage`: nothing here reads it.
_REQUEST_HEADERS = ["Content-Type", "If-Modified-Since", "traceparent", "tracestate", "X-Amzn-Trace-Id"]


def register(app: Flask, origins: Iterable[str]) -> None:
    """Answer pages of exactly these origins ("https://host" or "https://host:port"), under /api/ only.

    Without origins nothing is imported, and browsers keep every other site out.
    """
    # Patterns of our own making: flask-cors guesses by a text's characters whether it is one, and "*" would
    # be everybody.
    exactly = [re.compile(re.escape(origin) + r"\Z") for origin in origins]
    if not exactly:
        return
    from flask_cors import CORS  # noqa: PLC0415 - what is off is not imported

    CORS(
        app,
        resources=r"/api/.*",
        origins=exactly,
        methods=["OPTIONS", "GET", "HEAD", "POST"],
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=600,  # seconds; else every request with a trace header costs a second one
        intercept_exceptions=False,  # errors are answered in `errors`, and pass here like any answer
    )

"""Asks another service. `requests` takes the trace along to siblings: see observability/outgoing.py."""

import logging
from dataclasses import dataclass

import requests

_log = logging.getLogger(__name__)
_SECONDS = (3, 10)  # to connect, and between two parts of the answer


class AskingFailed(Exception):  # noqa: N818 - it says what happened
    """The other service cannot be reached, or answers with an error."""


@dataclass(frozen=True)
class Answer:
    """What it said."""

    body: bytes
    content_type: str


def ask(url: str) -> Answer:
    """Return what is at `url`. Raises AskingFailed."""
    try:
        response = requests.get(url, timeout=_SECONDS)
        response.raise_for_status()
    except requests.RequestException as error:
        _log.warning("upstream failed", extra={"why": type(error).__name__})
        raise AskingFailed from error
    _log.info("upstream answered", extra={"bytes": len(response.content)})
    return Answer(response.content, response.headers.get("Content-Type", "application/octet-stream"))

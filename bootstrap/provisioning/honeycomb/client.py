"""Honeycomb's configuration API: one call at a time, tried again where that helps, refused in words.

https://docs.honeycomb.io/api - what is said here of statuses and headers, its OpenAPI document says.
"""

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

from bootstrap.model.errors import RemoteRefusedError, UnreachableError
from bootstrap.model.secret import Secret
from bootstrap.system import http

#: bytes of the longest list: a dataset may have thousands of columns
_LIMIT = 1 << 24
#: seconds that we wait for Honeycomb before the next try, at most
LONGEST = 60.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY = 401, 403, 404, 409, 429

#: what each group of paths has to be allowed, as https://docs.honeycomb.io/api/permissions calls it
_PERMISSIONS = {
    "datasets": "Create Datasets",
    "columns": "Manage Queries and Columns",
    "queries": "Manage Queries and Columns",
    "query_annotations": "Manage Queries and Columns",
    "boards": "Manage Public Boards",
}
KEYS = "Environment > API keys"


class NotFoundError(RemoteRefusedError):
    """There is no such thing, or no longer."""


class ConflictError(RemoteRefusedError):
    """There is such a thing already, or something else still needs it."""


class NotAllowedError(RemoteRefusedError):
    """The key may not do this, or is none."""


class Patience(Struct, frozen=True):
    """How often a call is tried, seconds for each try and before the second, and who is told of the rest."""

    attempts: int
    timeout: float
    pause: float
    say: Callable[[str], None]


class Client:
    """Calls one region with one key. Safe for threads."""

    def __init__(self, base: str, key: Secret, patience: Patience) -> None:
        self._base = base
        self._key = key
        self._patience = patience

    def read(self, path: str) -> Any:
        """GET a path, and answer the document. Raises NotFoundError and RemoteRefusedError."""
        return self.call("GET", path)

    def call(self, method: str, path: str, document: Any = None, *, repeatable: bool = True) -> Any:
        """Make one call, and answer the document.

        Too many calls are always tried again, as late as Honeycomb asks for. What may have been done although
        nobody said so is tried again only where that does no harm (`repeatable`). Raises NotFoundError,
        ConflictError, UnreachableError, and RemoteRefusedError with what Honeycomb said.
        """
        pause = self._patience.pause
        for attempt in range(1, self._patience.attempts + 1):
            last = attempt == self._patience.attempts
            try:
                answer = self._ask(method, path, document)
            except RemoteRefusedError as error:
                if last or not repeatable:
                    raise UnreachableError(error.message, error.hint) from None
                self._wait(pause, attempt, "Honeycomb cannot be reached")
            else:
                again = answer.status == _TOO_MANY or (answer.status >= 500 and repeatable)  # noqa: PLR2004
                if not again:
                    return _taken(answer, method, path)
                wait = _seconds(answer, pause)
                if last or wait > LONGEST:
                    raise _busy(answer, method, path, wait)
                why = "asks for fewer calls" if answer.status == _TOO_MANY else f"says HTTP {answer.status}"
                self._wait(wait, attempt, f"Honeycomb {why}")
            pause = min(pause * 2, LONGEST)
        raise AssertionError  # the last try returns or raises

    def _ask(self, method: str, path: str, document: Any) -> http.Answer:
        headers = {"X-Honeycomb-Team": self._key.reveal()}
        url = f"{self._base}{path}"
        return http.send(method, url, headers, document, limit=_LIMIT, timeout=self._patience.timeout)

    def _wait(self, seconds: float, attempt: int, why: str) -> None:
        attempts = self._patience.attempts
        self._patience.say(f"{why}: try {attempt + 1} of {attempts} in {max(seconds, 0):.0f} s")
        time.sleep(seconds)


def _seconds(answer: http.Answer, default: float) -> float:
    """How long to wait, by whatever header says so; Retry-After may be a date of their clock."""
    after = answer.headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after[:9])
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - time.time() - answer.ahead)
        except (ValueError, OverflowError):
            return default
    reset = re.search(r"\breset=([0-9]{1,9})\b", answer.headers.get("ratelimit", ""), re.ASCII)
    return float(reset[1]) if reset and answer.status == _TOO_MANY else default


def _busy(answer: http.Answer, method: str, path: str, wait: float) -> RemoteRefusedError:
    words = f"Honeycomb does not take {method} {path} now (HTTP {answer.status}{_said(answer)})"
    if answer.status == _TOO_MANY:
        return UnreachableError(words, f"Wait for {wait:.0f} seconds, then type the same again.")
    return UnreachableError(words, "See https://status.honeycomb.io, then type the same again.")


def _taken(answer: http.Answer, method: str, path: str) -> Any:
    if 200 <= answer.status < 300:  # noqa: PLR2004 - what HTTP calls success
        return answer.document
    words = f"Honeycomb refused {method} {path} (HTTP {answer.status}{_said(answer)})"
    if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
        permission = _PERMISSIONS.get(path.split("/")[2], "")
        raise NotAllowedError(words, f"Allow it to the key at {KEYS}: {permission}")
    if answer.status == _NOT_FOUND:
        raise NotFoundError(words, "See what is there: bootstrap provision plan")
    if answer.status == _CONFLICT:
        raise ConflictError(words, "See what is there: bootstrap provision plan")
    if answer.status >= 500:  # noqa: PLR2004 - what HTTP calls a server's error
        raise UnreachableError(words, "See https://status.honeycomb.io, then type the same again.")
    raise RemoteRefusedError(words, "See what is there: bootstrap provision plan")


def _said(answer: http.Answer) -> str:
    """Honeycomb's own words, in whichever of its three forms of errors, on one line."""
    document = answer.document if isinstance(answer.document, dict) else {}
    words = [str(document[name]) for name in ("error", "detail") if document.get(name)]
    found = document.get("type_detail")
    details = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    words += [f"{one.get('field', '')}: {one.get('description', '')}" for one in details]
    text = " ".join("; ".join(dict.fromkeys(words)).split())[:300]
    return f": {text}" if text else ""

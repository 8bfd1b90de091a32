"""Reads from the collector on this machine what it has received under one trace id."""

from collections.abc import Mapping
from typing import Any

from bootstrap.model.errors import RemoteRefusedError
from bootstrap.system import http

_FOUND, _ABSENT = 200, 404
#: bytes of the largest trace that is read
_LIMIT = 16 << 20


class Collector:
    """The API of the collector at `url`; `page` is where a browser opens it, with its token."""

    def __init__(self, url: str, token: str, page: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._page = page

    def trace(self, trace_id: str) -> Mapping[str, Any] | None:
        """Everything under an id, as `/api/traces/{id}` has it; None while there is nothing.

        Raises RemoteRefusedError where the collector does not answer, or answers something else.
        """
        answer = http.get(
            f"{self._url}/api/traces/{trace_id}", {"Authorization": f"Bearer {self._token}"}, limit=_LIMIT
        )
        if answer.status == _ABSENT:
            return None
        if answer.status != _FOUND or not isinstance(answer.document, dict):
            raise RemoteRefusedError(
                f"the collector at {self._url} answered HTTP {answer.status}", "bootstrap status"
            )
        return answer.document

    def link(self, trace_id: str) -> str:
        """Where a person reads the trace."""
        base, _, query = self._page.partition("/?")
        return f"{base}/traces/{trace_id}?{query}"

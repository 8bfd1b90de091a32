"""What somebody who follows was told already: a stream that begins anew also tells of what came before."""

import hashlib
import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

_REMEMBERED = 2_000
_HAPPENED = frozenset({"trace", "log", "item"})
"""Events that are about something; the others are about the stream."""

Event = tuple[str, Any]


class Already:
    """The latest events of some streams, one after the other, of things that happened since a moment."""

    def __init__(self, since: datetime, most: int = _REMEMBERED) -> None:
        # The times of error reports have no fractions.
        self._since = since.replace(microsecond=0)
        self._most = most
        self._told: deque[bytes] = deque()
        self._first = True

    def new(self, stream: Iterable[Event]) -> Iterator[Event]:
        """Leave out of a stream what was told; out of all but the first also what was over before `since`.

        What is told twice by one stream, such as two log lines that are alike, did happen twice. A trace that
        has grown is told again.
        """
        told, again = Counter(self._told), not self._first
        self._first = False
        for name, view in stream:
            if name in _HAPPENED:
                key = _key(name, view)
                if again and told[key]:
                    told[key] -= 1
                    continue
                if again and self._is_over(view):
                    continue
                self._remember(key)
            yield name, view

    def _remember(self, key: bytes) -> None:
        self._told.append(key)
        if len(self._told) > self._most:
            self._told.popleft()

    def _is_over(self, view: Mapping[str, Any]) -> bool:
        try:
            start = datetime.fromisoformat(view.get("start") or view["timestamp"])
            return start + timedelta(milliseconds=view.get("duration_ms") or 0) < self._since
        except (KeyError, TypeError, ValueError, OverflowError):
            return False


def _key(name: str, view: Any) -> bytes:
    text = json.dumps([name, view], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()

"""What never reaches the store: known secret values, and whatever travels in credential headers."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[masked]"
MAX_DEPTH = 100

_CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-amz-security-token",
        "x-honeycomb-team",
        "x-rollbar-access-token",
    }
)


class Masker:
    """Replaces secret values by `[masked]`, wherever they stand inside a text.

    A value is recognised as it is, percent-encoded (as in a URL) and escaped (as in JSON inside a text).
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        spellings = {spelling for value in hidden if value for spelling in _spellings(value)}
        # Longest first: a secret that begins with another one is masked whole.
        alternatives = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
        self._pattern = re.compile(alternatives) if alternatives else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def holds_secret(self, data: bytes) -> bool:
        """Whether there is a secret in bytes, which are to be masked whole then."""
        return bool(self._pattern and self._pattern.search(data.decode(errors="replace")))

    def value(self, value: Any, depth: int = 0) -> Any:
        """The same for JSON values, keys included; ValueError if nested more than 100 deep."""
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key): MASK if _is_credential(key) else self.value(item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if self._pattern and isinstance(value, int | float) and self._pattern.fullmatch(str(value)):
            return MASK
        return value


def _spellings(value: str) -> set[str]:
    """The forms in which a value is recognised."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, quote(value, safe=""), quote(value), quote_plus(value)} | escaped


def _is_credential(key: str) -> bool:
    """Whether a key names a credential header: `Authorization`, `http.request.header.x_api_key`."""
    return key.rpartition(".")[2].replace("_", "-").lower() in _CREDENTIALS

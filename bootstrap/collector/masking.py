"""What never reaches the store: secret values, and whatever travels in credential headers."""

from collections.abc import Iterable
from typing import Any

from bootstrap.collector.credentials import NAMES, mask_credentials
from bootstrap.model.masking import MASK, Mask

MAX_DEPTH = 100


class Masker:
    """Masks secret values in texts, bytes and JSON values, and whatever looks like a credential there."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._mask = Mask(hidden)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return mask_credentials(self._mask(text))

    def holds_secret(self, data: bytes) -> bool:
        """Whether there is a secret in bytes, which are to be masked whole then."""
        return self._mask.finds(data.decode(errors="replace"))

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
        if isinstance(value, int | float) and self._mask(str(value)) == MASK:
            return MASK
        return value


def _is_credential(key: str) -> bool:
    """Whether a key names a credential header: `Authorization`, `http.request.header.x_api_key`."""
    return key.rpartition(".")[2].replace("_", "-").lower() in NAMES

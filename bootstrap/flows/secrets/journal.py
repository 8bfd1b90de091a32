"""What was sent to stores that cannot be read back, so that it need not be sent again."""

import hashlib
import secrets
from collections.abc import Mapping

from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.system.document import Document


class Journal:
    """Salted, slow digests of what one store was sent, in this repository's private folder.

    A short value can be guessed by whoever reads that folder, where the values themselves may be as well.
    """

    def __init__(self, place: Place, target: SecretStore) -> None:
        self._document = Document(place.folder, f"sent-{target.name}")

    def knows(self, values: Mapping[str, Secret]) -> frozenset[str]:
        """Which of `values` were sent last, just like that."""
        data = self._document.read()
        known = data.get("digests", {})
        salt = str(data.get("salt", ""))
        return frozenset(
            name for name, value in values.items() if known.get(name) == _digest(salt, name, value)
        )

    def add(self, name: str, value: Secret) -> None:
        """Remember that this was sent."""
        with self._document.change() as data:
            salt = data.setdefault("salt", secrets.token_hex(32))
            data.setdefault("digests", {})[name] = _digest(salt, name, value)

    def drop(self, name: str) -> None:
        """Forget what was sent under the name: it is removed, or nobody knows."""
        if self._document.read().get("digests", {}).get(name) is not None:
            with self._document.change() as data:
                data["digests"].pop(name, None)


def _digest(salt: str, name: str, value: Secret) -> str:
    data = value.reveal().encode(errors="surrogatepass")
    return hashlib.scrypt(data, salt=f"{salt} {name}".encode(), n=2**12, r=8, p=1).hex()

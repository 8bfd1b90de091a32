"""The session file: what was set or unset since this workspace started, where shells do not see it yet."""

import contextlib
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.system.document import Document


class Store(SecretStore):
    """Keeps values and removals until the workspace starts again; an older start's file counts as empty."""

    name = "session"
    title = "the session file"
    silent = True

    def __init__(self, place: Place) -> None:
        self._instance = place.instance
        self._document = Document(place.session, "session")

    def lasts(self) -> str:
        """Say what would delete what it keeps."""
        return "until the workspace starts again"

    def get(self, name: str) -> Secret | None:
        """Read one value; a removed one counts as not set."""
        value = self._entries().get(name)
        return Secret(value, self.name) if value else None

    def names(self) -> frozenset[str]:
        """Everything that has a value here."""
        return frozenset(name for name, value in self._entries().items() if value)

    def removed(self, name: str) -> bool:
        """Whether the name was unset since the start: what the environment still has does not count."""
        entries = self._entries()
        return name in entries and not entries[name]

    def mark_removed(self, name: str) -> None:
        """From now on the environment's value of the name does not count."""
        with self._document.change() as data:
            self._of_this_start(data)[name] = None

    def drop(self, name: str) -> None:
        """Have no opinion about the name any more."""
        if name in self._entries():
            with self._document.change() as data:
                self._of_this_start(data).pop(name, None)

    def _write(self, name: str, value: Secret) -> None:
        with self._document.change() as data:
            self._of_this_start(data)[name] = value.reveal()

    def _remove(self, name: str) -> None:
        self.mark_removed(name)

    def _entries(self) -> dict[str, str | None]:
        data = self._document.read()
        if data and data.get("instance") != self._instance:
            # What an older start has left is of no use, and should not lie around.
            with contextlib.suppress(BootstrapError), self._document.change() as old:
                self._of_this_start(old)
        return self._of_this_start(data)

    def _of_this_start(self, data: dict[str, Any]) -> dict[str, str | None]:
        """Find the entries in `data`; those of an older start are thrown away."""
        if data.get("instance") != self._instance:
            data.clear()
            data.update(instance=self._instance, entries={})
        entries: Any = data.get("entries")
        if not isinstance(entries, dict) or not all(
            value is None or isinstance(value, str) for value in entries.values()
        ):
            raise self._document.damaged()
        return entries

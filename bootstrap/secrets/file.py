"""A file outside the repository: mode 0600, locked while it is changed, written whole or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Outcome, Place, SecretStore
from bootstrap.system.document import Document


class Store(SecretStore):
    """Keeps the secrets of one repository in one JSON file.

    The file names its repository: one that was put in the place of another is not read.
    """

    name = "file"
    title = "a file outside the repository"
    silent = True

    def __init__(self, place: Place) -> None:
        self._identity = place.repository.identity
        self._document = Document(place.folder, "secrets")

    @property
    def path(self) -> str:
        """Where the file is, whether it exists or not."""
        return str(self._document.path)

    def lasts(self) -> str:
        """Say where the file is: what deletes that folder deletes the secrets."""
        return (
            f"as long as {self.path}; in a container whose home folder is not a volume, a rebuild deletes it"
        )

    def get(self, name: str) -> Secret | None:
        """Read one secret."""
        return self.get_many([name]).get(name)

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:
        """Read the file once."""
        kept = self._values(self._document.read())
        return {name: Secret(kept[name], self.name) for name in names if kept.get(name)}

    def names(self) -> frozenset[str]:
        """Everything in the file."""
        return frozenset(self._values(self._document.read()))

    def _keep(self, values: Mapping[str, Secret]) -> Iterator[Outcome]:
        """Write all of them in one change: either all are kept, or none is."""
        try:
            with self._document.change() as data:
                kept = self._values(data)
                before = {name: kept.get(name) for name in values}
                kept.update({name: value.reveal() for name, value in values.items()})
            found = self.get_many(values)
        except BootstrapError as error:
            yield from (Outcome(name, Fate.FAILED, error) for name in values)
            return
        for name, value in values.items():
            try:
                self._compare(name, value, found.get(name))
            except BootstrapError as error:
                yield Outcome(name, Fate.FAILED, error)
                continue
            yield Outcome(name, Fate.UNCHANGED if before[name] == value.reveal() else Fate.STORED)

    def _remove(self, name: str) -> None:
        with self._document.change() as data:
            self._values(data).pop(name, None)

    def _values(self, data: dict[str, Any]) -> dict[str, str]:
        """Find the values in what the file holds; raises BootstrapError for what is not ours."""
        if not data:
            data.update(repository=self._identity, secrets={})
        if data.get("repository") != self._identity:
            raise BootstrapError(
                f"{self.path}: belongs to another repository",
                "Move it away, then run the same command again.",
            )
        values: Any = data.get("secrets")
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise self._document.damaged()
        return values

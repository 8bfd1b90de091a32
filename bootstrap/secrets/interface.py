"""What a place that keeps secrets can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import ClassVar, final

from msgspec import Struct

from bootstrap.encoding.names import check_value
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.system.private import PrivateFolder


class Fate(Enum):
    """What became of one name."""

    STORED = "stored"  # and read back, byte for byte
    ACCEPTED = "accepted, cannot be read back"
    UNCHANGED = "unchanged"
    SENT = "sent before, cannot be compared"
    REMOVED = "removed"
    ABSENT = "was not set"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_TRIED = "not tried"


class Outcome(Struct, frozen=True):
    """What became of one name, and why where that is not obvious; never a value."""

    name: str
    fate: Fate
    error: BootstrapError | None = None

    @property
    def done(self) -> bool:
        """Whether the store now is as was asked."""
        return self.fate not in (Fate.REFUSED, Fate.FAILED, Fate.NOT_TRIED)


class Place(Struct, frozen=True):
    """What a store is told about where it works."""

    repository: Repository
    #: the folder of the manifest, or of the repository where there is none
    root: Path
    environ: Mapping[str, str]
    #: private, this repository's, and on storage that survives a rebuild where there is one
    folder: PrivateFolder
    #: where the session file is
    session: PrivateFolder
    #: what tells this start of the workspace or machine from the next one
    instance: str
    #: the name of a secret -> the services that declare it
    services: Mapping[str, tuple[str, ...]]
    #: the project's AWS region
    region: str
    #: the AWS profile that somebody named, for stores in AWS; None: the project's own keys
    profile: str | None
    #: reads session file and environment, for a store that itself needs a key
    lookup: Callable[[str], Secret | None]


class SecretStore(ABC):
    """One place that keeps the secrets of one repository.

    A concrete store says what it is in the class variables, and implements `get`, `_write` and `_remove`.
    """

    #: as in --store and in files
    name: ClassVar[str]
    #: as people say it
    title: ClassVar[str]
    #: whether a value can be read back
    readable: ClassVar[bool] = True
    #: whether it takes values at all
    writable: ClassVar[bool] = True
    #: whether it answers without a prompt, the network, or another program
    silent: ClassVar[bool] = False
    #: whether it is this workspace's own, and shells here see a value only when the workspace starts again
    delayed: bool = False
    #: what somebody should know before giving it a value
    caution: ClassVar[str] = ""

    def unavailable(self) -> str | None:
        """Say why it cannot work here, as something to act on; None when it can. Never raises."""
        return None

    def lasts(self) -> str:
        """Say what would delete what it keeps."""
        return "until somebody removes it"

    @abstractmethod
    def get(self, name: str) -> Secret | None:
        """Read one secret; None when it is not set. An empty value counts as not set.

        Raises BootstrapError where the store cannot say.
        """

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:
        """Read several secrets in as few questions as the store allows; one that is not set is left out."""
        return {name: secret for name in names if (secret := self.get(name)) is not None}

    def names(self) -> frozenset[str] | None:
        """Everything that it keeps for this repository; None where it cannot tell."""
        return None

    def check(self, name: str, value: Secret) -> None:
        """Raise BootstrapError for a name or value that the store would refuse or change.

        No store keeps nothing at all, which counts as not set, or what is no text.
        """
        if not value.reveal():
            raise BootstrapError(
                f"{name}: is empty, which counts as not set", f"Remove it: bootstrap secrets unset {name}"
            )
        check_value(name, value.reveal())

    @final
    def set(self, name: str, value: Secret) -> Fate:
        """Keep one secret, read it back and compare. Raises BootstrapError unless it is kept as it is."""
        (outcome,) = self.set_many({name: value})
        if outcome.error is not None:
            raise outcome.error
        return outcome.fate

    @final
    def set_many(self, values: Mapping[str, Secret]) -> Iterator[Outcome]:
        """Keep several secrets; one outcome for each, in order, and no exception for one that fails.

        All of them are checked first: where one is refused, nothing is written. The store works here.
        """
        refused = {
            name: error for name, value in values.items() if (error := self._refusal(name, value)) is not None
        }
        if refused:
            for name in values:
                error = refused.get(name)
                yield Outcome(name, Fate.REFUSED if error else Fate.NOT_TRIED, error)
            return
        yield from self._keep(values)

    @final
    def delete_many(self, names: Iterable[str]) -> Iterator[Outcome]:
        """Forget several secrets; one outcome for each, in order, and no exception for one that fails."""
        for name in names:
            try:
                yield Outcome(name, self._forget(name))
            except BootstrapError as error:
                yield Outcome(name, Fate.FAILED, error)

    def _keep(self, values: Mapping[str, Secret]) -> Iterator[Outcome]:
        """Write one after the other; a store that reads many at once overrides this."""
        for name, value in values.items():
            try:
                yield Outcome(name, self._keep_one(name, value))
            except BootstrapError as error:
                yield Outcome(name, Fate.FAILED, error)

    def _keep_one(self, name: str, value: Secret) -> Fate:
        if not self.readable:
            self._write(name, value)
            return Fate.ACCEPTED
        if self.get(name) == value:
            return Fate.UNCHANGED
        self._write(name, value)
        self._compare(name, value, self.get(name))
        return Fate.STORED

    def _compare(self, name: str, value: Secret, found: Secret | None) -> None:
        """Raise BootstrapError unless what was read back is what was written."""
        if found != value:
            what = "is not there" if found is None else "is not what was given"
            raise BootstrapError(
                f"{name}: {self.name} took it, and what it gives back {what}",
                "Nothing should rely on it: try again, or use another store (--store).",
            )

    def _forget(self, name: str) -> Fate:
        if self.readable and self.get(name) is None:
            return Fate.ABSENT
        self._remove(name)
        if self.readable and self.get(name) is not None:
            raise BootstrapError(
                f"{name}: {self.name} says that it is removed, and still gives it back", "Remove it by hand."
            )
        return Fate.REMOVED

    def _refusal(self, name: str, value: Secret) -> BootstrapError | None:
        try:
            self.check(name, value)
        except BootstrapError as error:
            return error
        return None

    def _write(self, name: str, value: Secret) -> None:
        """Keep one secret that was checked. Raises NotConfiguredError where the store only reads."""
        del value
        raise NotConfiguredError(
            f"{self.name} cannot keep {name}: it is only read", "Choose another store: --store"
        )

    def _remove(self, name: str) -> None:
        """Forget one secret. Raises NotConfiguredError as `_write` does."""
        raise NotConfiguredError(
            f"{self.name} cannot forget {name}: it is only read", "Unset it where it was set."
        )

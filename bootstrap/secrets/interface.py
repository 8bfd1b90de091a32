"""What a place that keeps secrets can do."""

from abc import ABC, abstractmethod
from typing import ClassVar

from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret


class SecretStore(ABC):
    """One place that keeps the secrets of one repository."""

    #: as in --store and in files
    name: ClassVar[str]

    def unavailable(self) -> str | None:
        """Say why it cannot work here, as something to act on; None when it can."""
        return None

    @abstractmethod
    def get(self, name: str) -> Secret | None:
        """Read one secret; None when it is not set. An empty value counts as not set."""

    def set(self, name: str, value: str) -> None:
        """Keep one secret. Raises NotConfiguredError where the store only reads."""
        del value
        raise NotConfiguredError(f"{self.name} cannot keep {name}: it is only read", "Choose another store.")

    def delete(self, name: str) -> None:
        """Forget one secret; one that is not set is no error. Raises NotConfiguredError as `set` does."""
        raise NotConfiguredError(
            f"{self.name} cannot forget {name}: it is only read", "Unset it where it was set."
        )

"""What the house needs to know about the place where it runs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from bootstrap.model.errors import NotConfiguredError


class Workspace(ABC):
    """One kind of place to work in, seen through its environment variables."""

    #: as in files and in --json
    name: ClassVar[str]
    #: as people say it
    title: ClassVar[str]
    #: where secrets are kept unless somebody says otherwise: the first of these stores that works
    stores: ClassVar[tuple[str, ...]] = ("keyring", "file")
    #: a folder outside every repository that survives a rebuild, unlike the home folder; None: home does
    durable: ClassVar[str | None] = None

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @classmethod
    @abstractmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:
        """Whether `environ` is that of such a workspace."""

    @property
    @abstractmethod
    def instance(self) -> str:
        """What tells this workspace from the next one of its kind; the URLs depend on it."""

    @abstractmethod
    def url(self, port: int) -> str:
        """Where a browser reaches `port`, without a trailing slash.

        Raises NotConfiguredError, naming the variable, rather than leave a part of the URL empty.
        """

    @property
    def prebuild(self) -> bool:
        """Whether this is a prebuild: nobody is there, and no secrets are."""
        return False

    def _need(self, name: str) -> str:
        """Read a variable that the platform sets."""
        value = self._environ.get(name, "").strip()
        if not value:
            raise NotConfiguredError(
                f"{name} is empty, so this {self.title} workspace has no URLs",
                f"Open a new terminal; if `echo ${name}` stays empty there, restart the workspace.",
            )
        return value

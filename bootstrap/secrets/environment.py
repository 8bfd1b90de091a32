"""The process environment: what the workspace, or the shell, has already exported."""

from collections.abc import Mapping

from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import SecretStore


class EnvironmentStore(SecretStore):
    """Reads this process's own environment."""

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> Secret | None:
        """Read one variable; an empty one counts as not set."""
        value = self._environ.get(name, "")
        return Secret(value, self.name) if value else None

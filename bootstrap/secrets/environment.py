"""The process environment: what the workspace, or the shell, has already exported."""

from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore


class Store(SecretStore):
    """Reads this process's own environment."""

    name = "environment"
    title = "the environment"
    writable = False
    silent = True

    def __init__(self, place: Place) -> None:
        self._environ = place.environ

    def get(self, name: str) -> Secret | None:
        """Read one variable; an empty one counts as not set."""
        value = self._environ.get(name, "")
        return Secret(value, self.name) if value else None

"""GitHub Codespaces."""

from collections.abc import Mapping

from bootstrap.workspaces.interface import Workspace


class Codespaces(Workspace):
    """A codespace: https://CODESPACE_NAME-4567.app.github.dev."""

    name = "codespaces"
    title = "Codespaces"
    stores = ("codespaces", "file")
    durable = "/workspaces"

    @classmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:
        """GitHub sets CODESPACES to true."""
        return environ.get("CODESPACES") == "true" or bool(environ.get("CODESPACE_NAME"))

    @property
    def instance(self) -> str:
        """The codespace's name."""
        return self._environ.get("CODESPACE_NAME", "")

    def url(self, port: int) -> str:
        """Name, port and the forwarding domain."""
        name = self._need("CODESPACE_NAME")
        return f"https://{name}-{port}.{self._need('GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN')}"

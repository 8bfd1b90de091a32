"""Any devcontainer on somebody's own machine."""

from collections.abc import Mapping

from bootstrap.workspaces.interface import Workspace


class Devcontainer(Workspace):
    """A devcontainer whose editor forwards its ports to localhost."""

    name = "devcontainer"
    title = "devcontainer"

    @classmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:
        """Our generated devcontainer.json sets a marker: editors do not all do, nor during every phase."""
        return environ.get("BOOTSTRAP_DEVCONTAINER") == "true" or environ.get("REMOTE_CONTAINERS") == "true"

    @property
    def instance(self) -> str:
        """All of them have the same URLs."""
        return "localhost"

    def url(self, port: int) -> str:
        """Forwarded to the same port of the machine that the browser runs on."""
        return f"http://localhost:{port}"

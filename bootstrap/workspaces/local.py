"""A laptop, a virtual machine, a CI job: no platform in between."""

from collections.abc import Mapping

from bootstrap.workspaces.interface import Workspace


class Local(Workspace):
    """This machine itself."""

    name = "local"
    title = "local"

    @classmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:  # noqa: ARG003 - it fits everywhere
        """Fit everywhere."""
        return True

    @property
    def instance(self) -> str:
        """All of them have the same URLs."""
        return "localhost"

    def url(self, port: int) -> str:
        """The port itself."""
        return f"http://localhost:{port}"

"""Gitpod Classic."""

from collections.abc import Mapping

from bootstrap.model.errors import NotConfiguredError
from bootstrap.workspaces.interface import Workspace


class Gitpod(Workspace):
    """A Gitpod Classic workspace: https://4567-WORKSPACE_ID.CLUSTER_HOST."""

    name = "gitpod"
    title = "Gitpod"
    stores = ("gitpod", "file")
    durable = "/workspace"

    @classmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:
        """Any of the variables that every workspace pod gets."""
        return any(
            environ.get(name)
            for name in ("GITPOD_WORKSPACE_ID", "GITPOD_WORKSPACE_URL", "GITPOD_INSTANCE_ID")
        )

    @property
    def instance(self) -> str:
        """The workspace id, or the URL that holds it."""
        return self._environ.get("GITPOD_WORKSPACE_ID") or self._environ.get("GITPOD_WORKSPACE_URL", "")

    def url(self, port: int) -> str:
        """As `gp url PORT` does it: the workspace's own URL with the port in front of its host."""
        whole = self._environ.get("GITPOD_WORKSPACE_URL", "").strip().rstrip("/")
        if not whole:
            return f"https://{port}-{self._need('GITPOD_WORKSPACE_ID')}.{self._need('GITPOD_WORKSPACE_CLUSTER_HOST')}"
        scheme, separator, host = whole.partition("://")
        if scheme != "https" or not separator or not host.strip(".") or host.startswith("."):
            raise NotConfiguredError(
                f"GITPOD_WORKSPACE_URL is {whole!r}, which is no workspace URL",
                "It looks like https://ID.CLUSTER.gitpod.io; open a new terminal, or restart the workspace.",
            )
        return f"https://{port}-{host}"

    @property
    def prebuild(self) -> bool:
        """Gitpod sets GITPOD_HEADLESS in prebuilds."""
        return self._environ.get("GITPOD_HEADLESS") == "true"

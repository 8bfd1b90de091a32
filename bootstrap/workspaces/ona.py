"""Ona (formerly Gitpod Flex), the successor of Gitpod Classic."""

from collections.abc import Mapping

from bootstrap.model.errors import NotConfiguredError
from bootstrap.workspaces.interface import Workspace


class Ona(Workspace):
    """An Ona environment: https://4567--ENVIRONMENT_ID.REGION.gitpod.dev.

    The form of the URL and GITPOD_ENVIRONMENT_ID are in wide use; that GITPOD_REGION is set in every
    environment is not documented, so the error says how to set it.
    """

    name = "ona"
    title = "Ona"
    stores = ("file",)
    durable = "/workspaces"

    @classmethod
    def detected(cls, environ: Mapping[str, str]) -> bool:
        """Scripts that support both platforms ask for this before Gitpod Classic's own variables."""
        return bool(environ.get("GITPOD_ENVIRONMENT_ID"))

    @property
    def instance(self) -> str:
        """The environment's id."""
        return self._environ.get("GITPOD_ENVIRONMENT_ID", "")

    def url(self, port: int) -> str:
        """Port, two hyphens, environment id and region."""
        environment = self._need("GITPOD_ENVIRONMENT_ID")
        region = self._environ.get("GITPOD_REGION", "").strip().strip(".")
        if not region:
            raise NotConfiguredError(
                "GITPOD_REGION is empty, so this Ona environment has no URLs",
                "export GITPOD_REGION=... with what stands between the id and .gitpod.dev in a port's URL.",
            )
        return f"https://{port}--{environment}.{region}.gitpod.dev"

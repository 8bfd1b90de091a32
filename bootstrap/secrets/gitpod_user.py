"""Gitpod's variables of the user: the same `gp env`, for the workspaces of every repository."""

from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets.gitpod import Store as GitpodStore
from bootstrap.secrets.interface import Fate, Place


class Store(GitpodStore):
    """The variables that Gitpod gives to all of this user's workspaces.

    From a workspace they can be changed and not made, and not removed: the errors say where a person can.
    """

    name = "gitpod-user"
    title = "your own variables in Gitpod"
    caution = f"{GitpodStore.caution} Every repository that you open in Gitpod gets it."

    def __init__(self, place: Place) -> None:
        super().__init__(place, "user")

    def _keep_one(self, name: str, value: Secret) -> Fate:
        """Write without looking first: what `gp` shows may be this repository's value of that name."""
        self._write(name, value)
        self._compare(name, value, self.get(name))
        return Fate.STORED

    def _forget(self, name: str) -> Fate:
        raise NotConfiguredError(
            f"{name}: gp removes a repository's variables, and none of yours", f"Remove it at {self.page}"
        )

"""Gitpod's variables of the user: the same `gp env`, for the workspaces of every repository."""

from bootstrap.secrets.gitpod import Store as GitpodStore
from bootstrap.secrets.interface import Place


class Store(GitpodStore):
    """The variables that Gitpod gives to all of this user's workspaces.

    From a workspace they can be changed and not made, and not removed: the errors say where a person can.
    """

    name = "gitpod-user"
    title = "your own variables in Gitpod"
    caution = f"{GitpodStore.caution} Every repository that you open in Gitpod gets it."

    def __init__(self, place: Place) -> None:
        super().__init__(place, "user")

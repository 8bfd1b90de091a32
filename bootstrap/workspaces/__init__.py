"""Where this is running: the table of workspaces, asked in order."""

from collections.abc import Mapping

from bootstrap.workspaces.codespaces import Codespaces
from bootstrap.workspaces.devcontainer import Devcontainer
from bootstrap.workspaces.gitpod import Gitpod
from bootstrap.workspaces.interface import Workspace
from bootstrap.workspaces.local import Local
from bootstrap.workspaces.ona import Ona

#: Ona also sets variables of Gitpod Classic, and all of them may run a devcontainer: the order decides.
WORKSPACES: tuple[type[Workspace], ...] = (Ona, Gitpod, Codespaces, Devcontainer, Local)


def detect(environ: Mapping[str, str]) -> Workspace:
    """Make the workspace that `environ` belongs to; the last of the table fits everywhere."""
    return next(workspace(environ) for workspace in WORKSPACES if workspace.detected(environ))

"""What somebody wants to run, in whichever engine."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootstrap.flows.environment import Give
from bootstrap.flows.routing import Decision
from bootstrap.model.project import Project
from bootstrap.system.state import State
from bootstrap.workspaces.interface import Workspace


class Wanted(Struct, frozen=True):
    """What somebody wants to run: the project `here`, and as everybody has it (`committed`)."""

    root: Path
    state: State
    here: Project
    committed: Project
    workspace: Workspace
    give: Give
    decisions: Sequence[Decision]
    only: Sequence[str] = ()
    #: whether anybody may have an AWS key itself
    raw_aws_keys: bool = False

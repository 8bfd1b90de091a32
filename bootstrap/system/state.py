"""What this machine remembers about one project: a private folder outside the repository.

`$XDG_STATE_HOME/bootstrap/<first 16 hex digits of SHA-256 of the root's real path>/`, mode 0700, one JSON
file a subject. Losing it costs a question that is asked again, never data.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from bootstrap.system.private import PrivateFolder, folder_name, home


class State(PrivateFolder):
    """The run state of the project at `root`."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        super().__init__(state_home(environ) / "bootstrap" / folder_name(os.path.realpath(root)))


def state_home(environ: Mapping[str, str]) -> Path:
    """Where the state of programs is kept: $XDG_STATE_HOME, or ~/.local/state."""
    return home(environ, "XDG_STATE_HOME", ".local", "state")

"""Programs that stand in for `gp`, `gh` and `ona`, and that refuse what the real ones refuse.

In a test below tests/secrets, ask for the fixture `stand_ins`; elsewhere, make the object:

    stand_ins = StandIns(tmp_path / "stand-ins")
    environ = {**os.environ, "PATH": f"{stand_ins.programs}:{os.environ['PATH']}", **workspace("acme/shop")}

They are real programs for any process that has `stand_ins.programs` on its PATH:

    stand_ins.state("gp")                       what the service behind it holds now
    with stand_ins.change("gp") as state: ...   prepare or change that
    with stand_ins.trouble("gp", writes=2): ... two more writes succeed, every later one fails
    with stand_ins.trouble("gp", hang=True): .. every call hangs until somebody ends it
    stand_ins.calls("gp")                       every call since the beginning: its arguments

What each of them understands, and what is in its state, is written at the top of its module.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.secrets.stand_ins.program import Locked

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = f"""\
#!{sys.executable} -SE
import sys
sys.path.insert(0, {str(_ROOT)!r})
from tests.secrets.stand_ins.program import act
sys.exit(act(%r, %r, sys.argv[1:]))
"""


class StandIns:
    """The programs in one folder, with the state of their services beside them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: belongs on PATH
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        for name, module in (("gp", "gp"), ("gh", "gh"), ("ona", "ona"), ("gitpod", "ona")):
            program = self.programs / name
            program.write_text(_PROGRAM % (str(folder), module), encoding="utf-8")
            program.chmod(0o755)

    def state(self, name: str) -> dict[str, Any]:
        """Read the state of one service."""
        with Locked(str(self._folder), name) as state:
            return state

    @contextlib.contextmanager
    def change(self, name: str) -> Iterator[dict[str, Any]]:
        """Change the state of one service."""
        with Locked(str(self._folder), name) as state:
            yield state

    @contextlib.contextmanager
    def trouble(self, name: str, *, writes: int | None = None, hang: bool = False) -> Iterator[None]:
        """Let it fail after so many writes, or hang; it is well again afterwards."""
        with self.change(name) as state:
            state.update(writes_left=writes, hang=hang)
        try:
            yield
        finally:
            with self.change(name) as state:
                state.update(writes_left=None, hang=False)

    def calls(self, name: str) -> list[list[str]]:
        """The arguments of every call of one program, its name first."""
        try:
            lines = (self._folder / f"{name}.calls").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]


def workspace(slug: str | None, host: str = "github.com") -> dict[str, str]:
    """The environment of a Gitpod workspace that was opened for a repository, or for none."""
    context: dict[str, Any] = {"title": "a workspace"}
    if slug is not None:
        owner, _, name = slug.rpartition("/")
        context["repository"] = {"host": host, "owner": owner, "name": name}
    return {
        "GITPOD_WORKSPACE_ID": "acme-shop-0123456789a",
        "GITPOD_INSTANCE_ID": "00000000-0000-4000-8000-000000000000",
        "GITPOD_HOST": "https://gitpod.example",
        "GITPOD_WORKSPACE_CONTEXT": json.dumps(context),
    }

"""A `git` on PATH that numbers its calls, and kills whoever called it at a chosen one.

    steps = Steps(folder)
    with steps.kill(3, "after"): tool("rename", ..., env=steps.environ)

`before`: the caller dies, and git does not run. `after`: git has done all its work, and nobody hears of it.
`within`: the caller and git die together while git holds the locks of a change of refs that is prepared; a
call that changes none lives. `at-remote`: both die while the other side decides, and the other side goes on.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.milestones.repositories import Remote

MODES = ("before", "after", "within", "at-remote")

# Numbers are taken by making a folder, which only one process can: calls may run side by side.
_WRAPPER = """\
#!/bin/sh
number=$(ls "{folder}/calls" | wc -l)
until mkdir "{folder}/calls/$number" 2>/dev/null; do number=$((number + 1)); done
printf '%s\\n' "$*" >"{folder}/calls/$number/arguments"
read -r wanted mode <"{folder}/plan"
[ "$number" = "$wanted" ] || exec "{git}" "$@"
case $mode in
  before) kill -9 $PPID; exit 137;;
  after) "{git}" "$@"; kill -9 $PPID; exit 137;;
  at-remote) echo "$PPID $$" >"{folder}/victims"; exec "{git}" "$@";;
esac
# The hook has to stand behind every other `-c` of the call, before the name of the command.
export STEPS_CALLER=$PPID
index=1
for word in "$@"; do
  case $previous in -c|-C|--git-dir|--work-tree) previous=; index=$((index + 1)); continue;; esac
  case $word in -c|-C|--git-dir|--work-tree) previous=$word;; -*) ;; *) break;; esac
  index=$((index + 1))
done
count=0
total=$#
while [ $count -lt $total ]; do
  count=$((count + 1))
  word=$1
  shift
  [ $count = $index ] && set -- "$@" -c "core.hooksPath={folder}/hooks"
  set -- "$@" "$word"
done
exec "{git}" "$@"
"""
_LOCAL_HOOK = """\
#!/bin/sh
[ "$1" = prepared ] && kill -9 "$STEPS_CALLER" $PPID
exit 0
"""
_REMOTE_HOOK = """\
#!/bin/sh
[ "$1" = prepared ] && [ -e "{folder}/victims" ] || exit 0
read -r caller git <"{folder}/victims"
rm "{folder}/victims"
kill -9 "$caller" "$git"
exit 0
"""


class Steps:
    """The program, and what it has counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        git = shutil.which("git")
        assert git is not None
        for name in ("bin", "calls", "hooks"):
            (folder / name).mkdir(parents=True)
        _program(folder / "bin/git", _WRAPPER.format(folder=folder, git=git))
        _program(folder / "hooks/reference-transaction", _LOCAL_HOOK)
        self.spare()

    def path(self, inherited: str) -> str:
        """What PATH must be."""
        return f"{self._folder / 'bin'}:{inherited}"

    def watch(self, remote: Remote) -> None:
        """Install what `at-remote` needs, on the other side."""
        remote.hook("reference-transaction", _REMOTE_HOOK.format(folder=self._folder))

    def spare(self) -> None:
        """Kill nobody, and begin to count anew."""
        (self._folder / "plan").write_text("none -\n", encoding="utf-8")
        (self._folder / "victims").unlink(missing_ok=True)
        shutil.rmtree(self._folder / "calls")
        (self._folder / "calls").mkdir()

    @contextlib.contextmanager
    def kill(self, number: int, mode: str) -> Iterator[None]:
        """Kill the caller at call `number`, from 0 on; nobody is killed afterwards."""
        self.spare()
        (self._folder / "plan").write_text(f"{number} {mode}\n", encoding="utf-8")
        try:
            yield
        finally:
            self.spare()

    def calls(self) -> list[str]:
        """The arguments of every call, in order."""
        count = sum(1 for _ in (self._folder / "calls").iterdir())
        return [
            (self._folder / f"calls/{number}/arguments").read_text().rstrip("\n") for number in range(count)
        ]


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)

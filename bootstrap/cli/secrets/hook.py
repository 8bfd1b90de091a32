"""`bootstrap secrets hook`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.secrets import hook
from bootstrap.model.errors import BootstrapError
from bootstrap.system.worktree import root_of


@verb()
@click.argument("action", type=click.Choice(["install", "remove", "status"]))
def command(session: Session, action: str) -> int:
    r"""
    Scan for secrets before every commit, by git's pre-commit hook.

    It is written only where there is no hook. One of your own, or a core.hooksPath, stays as it is, and you
    are told the line to add. It scans with whichever bootstrap command runs where you commit.

    \b
    Examples:
      bootstrap secrets hook install
      bootstrap secrets hook status
      bootstrap secrets hook remove
    """
    root = root_of(session.start)
    if root is None:
        raise BootstrapError(f"{session.start}: is not in a git repository", "Make it one: git init")
    removed = hook.remove(root) if action == "remove" else False
    found = hook.install(root) if action == "install" else hook.look(root)
    if session.as_json:
        output.json_document(
            {"state": found.state.name.lower(), "path": str(found.path), "scans": found.scans}
        )
    elif action == "remove":
        result = "removed" if removed else "nothing of ours was there"
        output.words(output.clean_value(f"{found.path}: {result}"))
    else:
        _show(found)
    return 0


def _show(found: hook.Hook) -> None:
    colour = "green" if found.scans else "yellow"
    output.words(output.clean_value(f"{found.path}: {found.state.value}"), style=colour)
    if found.advice:
        output.words(output.clean_value(f"  {found.advice}"))

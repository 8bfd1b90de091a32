"""What the verbs about tags share: options, where they work, and how a plan is shown and carried out."""

import sys
from collections.abc import Callable
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags.carrying_out import execute, rehearsed
from bootstrap.flows.tags.place import TagPlace
from bootstrap.milestones.names import Names, typed
from bootstrap.milestones.plans import Plan
from bootstrap.model.errors import BootstrapError, NotConfiguredError, UsageError
from bootstrap.system.worktree import root_of

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def remote_option() -> Decorator:
    """The option that names the remote."""
    return click.option("--remote", metavar="NAME", help="The remote to work with, where there are several.")


def dry_run_option() -> Decorator:
    """The option that stops after the plan."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


def yes_option(text: str) -> Decorator:
    """The option that answers the question before it is asked."""
    return click.option("--yes", is_flag=True, help=text)


def place_of(session: Session, remote: str | None) -> TagPlace:
    """Find the clone, and how its milestones are named; a manifest is not needed for it."""
    root = root_of(session.start)
    if root is None:
        if (session.start / "HEAD").is_file() and (session.start / "objects").is_dir():
            raise BootstrapError(
                f"{session.start}: is a repository without a work tree, where tags are not worked on",
                f"Work in a clone of it: git clone {typed(str(session.start))}",
            )
        raise BootstrapError(f"{session.start}: is not in a git repository", "Make it one: git init")
    try:
        prefix = session.committed_project.milestones.prefix
    except NotConfiguredError:
        prefix = "week"
    return TagPlace(root, Names(prefix), remote)


def show_plan(session: Session, place: TagPlace, plan: Plan, *, rehearse: bool = True) -> Plan:
    """Rehearse a plan, and print it."""
    if rehearse:
        with waiting(plan.remote.name if plan.remote is not None else "git"):
            plan = rehearsed(place.root, plan)
    for note in plan.notes:
        output.words(output.clean_value(f"Note: {note}"), style="yellow")
    if not session.as_json or not plan.empty:
        output.words("Plan:" if not plan.empty else "Nothing to do.", bold=True)
    for line in plan.lines():
        output.words(output.clean_value(f"  {line}"))
    return plan


def carry_out(place: TagPlace, plan: Plan) -> None:
    """Do what was printed."""
    with waiting(plan.remote.name if plan.remote is not None else "git"):
        execute(place.root, plan)


def agreed(question: str, *, yes: bool, silence: bool = False) -> None:
    """Go on only where somebody agrees: at a terminal, or by --yes before.

    `silence` says that without a terminal nobody has to: nothing goes that has no successor.
    """
    if yes or (silence and not sys.stdin.isatty()):
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is here to say so", "If that is meant: --yes")
    if not click.confirm(question, err=True):
        raise click.Abort


def as_json(plan: Plan, *, done: bool) -> dict[str, Any]:
    """The plan as data."""
    return {
        "done": done,
        "remote": plan.remote.name if plan.remote is not None else None,
        "atomic": plan.atomic,
        "changes": [
            {
                "name": f"refs/tags/{change.name}",
                "here": _side(change.here),
                "there": _side(change.there),
                "why": change.why,
            }
            for change in plan.changes
        ],
        "kept": [name for name, _ in plan.kept],
        "notes": list(plan.notes),
    }


def _side(side: Any) -> dict[str, str | None] | None:
    return None if side is None else {"before": side.before, "after": side.after}

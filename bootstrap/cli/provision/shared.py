"""What the verbs of `bootstrap provision` share: options, the question, and how plans look."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.provision.differences import lines
from bootstrap.cli.session import Session
from bootstrap.cli.waiting import waiting
from bootstrap.flows import provision
from bootstrap.flows.provision import Work
from bootstrap.model.errors import UsageError
from bootstrap.provisioning.interface import Account, Action, Change, Direction, Opening
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.ADOPT: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.KEEP: ("=", None),
    Action.LEAVE: ("!", "yellow"),
}


def vendors_argument() -> Decorator:
    """Name the vendors whose resources it is about; the command's parameter is `vendors`."""
    names = [vendor.name for vendor in VENDORS.values() if vendor.provider]
    return click.argument("vendors", metavar="[VENDOR]...", nargs=-1, type=click.Choice(names))


def profile_option() -> Decorator:
    """Name an AWS profile for this call."""
    return click.option(
        "--profile", metavar="NAME", help="Work with this AWS profile, instead of the project's own keys."
    )


def adopt_option() -> Decorator:
    """Name what is taken over; the command's parameter `adopt` is a tuple."""
    return click.option(
        "--adopt",
        metavar="NAME",
        multiple=True,
        help="Update from now on what exists under this name and is not ours; it is never removed. May be "
        "given several times.",
    )


def yes_option() -> Decorator:
    """Agree without being asked; the command's parameter is `yes`."""
    return click.option("--yes", is_flag=True, help="Do not ask, as in a script.")


def work_for(
    session: Session,
    vendors: Sequence[str],
    *,
    profile: str | None,
    direction: Direction = "apply",
    adopt: Sequence[str] = (),
    with_logs: bool = False,
) -> Work:
    """Plan, having said whose account it is. Raises what provision.plan raises."""
    opening = Opening(
        project=session.project,
        repository=session.repository,
        lookup=session.lookup,
        environ=session.environ,
        profile=profile,
        say=output.words,
    )
    with waiting("the vendors"):
        work = provision.plan(
            opening,
            only=vendors,
            adopt=adopt,
            direction=direction,
            with_logs=with_logs,
            seen=_introduce,
            files=ProjectFiles(session.root),
        )
    for account in work.accounts:
        for remark in account.remarks:
            output.words(output.clean_value(f"{account.title}: {remark}"), style="yellow")
    return work


def _introduce(account: Account) -> None:
    facts = ", ".join(f"{label} {value}" for label, value in account.facts.items())
    output.words(output.clean_value(f"{account.title}: {facts}"), bold=True)


def show(work: Work) -> None:
    """Print a plan: a line for each resource, with every field that differs below it."""
    for change in work.plan.changes:
        sign, style = _SIGNS[change.action]
        why = f": {change.reason}" if change.reason else ""
        output.data(output.clean_value(f"{sign} {_told(change)}{why}"), style=style)
        for line in _fields(change):
            output.data(output.clean_value(f"    {line}"))
        if change.hint:
            output.data(output.clean_value(f"    {change.hint}"))


def _told(change: Change) -> str:
    return f"{change.action.value:<6}  {change.resource.key}"


def _fields(change: Change) -> Iterator[str]:
    for drift in change.drift:
        if change.action is Action.CREATE and drift.after in ([], {}):
            continue
        yield from lines(drift.name, drift.before, drift.after)


def left(work: Work) -> str:
    """Say that something is left alone, where anything is; else nothing."""
    count = sum(change.action is Action.LEAVE for change in work.plan.changes)
    return f" {count} left as {'it is' if count == 1 else 'they are'}: see above." if count else ""


def summary(work: Work) -> str:
    """Count what is to be done: "2 to create, 1 to update"."""
    counts = {
        action: sum(change.action is action for change in work.plan.changes)
        for action in (Action.CREATE, Action.UPDATE, Action.ADOPT, Action.DELETE)
    }
    return ", ".join(f"{count} to {action.value}" for action, count in counts.items() if count)


def agreed(session: Session, question: str, *, yes: bool) -> bool:
    """Ask whether to go on. Raises UsageError where nobody can be asked, and nobody has said --yes."""
    if yes:
        return True
    if session.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody is here to agree to this", "Say so beforehand: --yes")
    return click.confirm(question, default=False, err=True)


def again(verb: str, vendors: Sequence[str], profile: str | None, *more: str) -> str:
    """Spell the command that finishes the job."""
    named = () if profile is None else ("--profile", profile)
    return shlex.join(("bootstrap", "provision", verb, *vendors, *named, *more))


def as_json(work: Work) -> dict[str, Any]:
    """Write a plan for programs."""
    return {
        "accounts": [
            {
                "provider": account.provider,
                **account.facts,
                "repository": account.owner.repository,
                "maker": account.owner.maker,
                "remarks": list(account.remarks),
            }
            for account in work.accounts
        ],
        "pending": len(work.plan.pending),
        "changes": [change_as_json(change) for change in work.plan.changes],
    }


def change_as_json(change: Change) -> dict[str, Any]:
    """Write one change for programs."""
    return {
        "action": change.action.value,
        "kind": change.resource.kind,
        "name": change.resource.name,
        "vendors": sorted(change.resource.vendors),
        "drift": [
            {"field": drift.name, "before": drift.before, "after": drift.after} for drift in change.drift
        ],
        "reason": change.reason,
        "hint": change.hint,
    }

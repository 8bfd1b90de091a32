"""What `start` and `finish` share: everything but the end of the week at which they stand."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.tag.leaks import Publishing, check_for_secrets
from bootstrap.cli.tag.shared import as_json, carry_out, dry_run_option, place_of, remote_option, show_plan
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags.making import Made, Wish, make
from bootstrap.milestones.names import Place


def making_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of both."""
    for option in reversed(
        (
            click.argument("week", type=click.IntRange(0, 999_999)),
            click.option(
                "-m", "--message", metavar="TEXT", help="The message; else the commits since the last."
            ),
            click.option("--edit", is_flag=True, help="Open the editor on the message first."),
            click.option("--at", metavar="COMMIT", help="The commit to tag; else HEAD."),
            click.option(
                "--push", is_flag=True, help="Put it on the remote, too, after looking for secrets."
            ),
            click.option("--no-scan", is_flag=True, help="Push without looking for secrets."),
            click.option("--sign/--no-sign", default=None, help="Sign it; else as tag.gpgSign says."),
            remote_option(),
            dry_run_option(),
        )
    ):
        function = option(function)
    return function


def run(session: Session, week: int, *, finished: bool, options: dict[str, Any]) -> int:
    """Make the milestone."""
    place = place_of(session, options["remote"])
    wish = Wish(
        Place(week, finished),
        message=options["message"],
        edit=options["edit"],
        at=options["at"],
        push=options["push"],
        sign=options["sign"],
    )
    with ExitStack() as stack:
        stack.enter_context(waiting(options["remote"] or "git and the remote"))
        made = make(place, wish, before_editor=stack.close)
    _show(made)
    plan = show_plan(session, place, made.plan)
    if not options["dry_run"]:
        if plan.remote is not None:
            since = made.since.commit if made.since is not None else None
            wanted = Publishing(made.name, made.id, made.commit, since)
            check_for_secrets(session, made.reading, [wanted], no_scan=options["no_scan"])
        carry_out(place, plan)
    if session.as_json:
        document = as_json(plan, done=not options["dry_run"])
        output.json_document({"name": made.name, "commit": made.commit, "message": made.message, **document})
    elif not options["dry_run"]:
        _conclude(made, pushed=plan.remote is not None)
    return 0


def _show(made: Made) -> None:
    output.words(f"{made.name} at {made.commit[:10]}:", bold=True)
    for line in made.message.splitlines():
        output.words(f"  | {line}".rstrip())


def _conclude(made: Made, *, pushed: bool) -> None:
    if pushed:
        output.words(f"{made.name} is here and on {made.reading.remote_name}.", style="green")
    else:
        output.words(f"{made.name} is here.", style="green")
        if made.reading.remote is not None:
            place = made.reading.names.place(made.name)
            verb = "finish" if place is not None and place.finished else "start"
            output.words(f"  Publish it: bootstrap tag {verb} {place.number if place else ''} --push")

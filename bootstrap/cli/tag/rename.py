"""`bootstrap tag rename`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.tag.leaks import check_for_secrets, publishing
from bootstrap.cli.tag.shared import (
    agreed,
    as_json,
    carry_out,
    dry_run_option,
    place_of,
    remote_option,
    show_plan,
    yes_option,
)
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags.changing import Renaming, rename


@verb()
@click.argument("old")
@click.argument("new")
@click.option("--push", is_flag=True, help="Put it on the remote, even if the old one is not there.")
@click.option("--no-scan", is_flag=True, help="Push without looking for secrets.")
@click.option("--sign", is_flag=True, help="Sign it with your key: the old signature does not cover NEW.")
@remote_option()
@yes_option("Rename without asking, also at a terminal.")
@dry_run_option()
def command(
    session: Session,
    old: str,
    new: str,
    *,
    push: bool,
    no_scan: bool,
    sign: bool,
    remote: str | None,
    yes: bool,
    dry_run: bool,
) -> int:
    r"""
    Call the tag OLD NEW, here and on the remote.

    Target, tagger, date and message stay byte for byte, and the tag is called NEW inside as well. On the
    remote both names change in one atomic push, where it takes one. The replaced object is kept here, under
    refs/bootstrap/replaced/. Run again after an interruption, it finishes what was begun.

    \b
    Examples:
      bootstrap tag rename week2 week2-start
      bootstrap tag rename week8_code week8 --dry-run
    """
    place = place_of(session, remote)
    with waiting(remote or "git and the remote"):
        planned, reading = rename(place, Renaming(old, new, push=push, sign=sign), session.environ)
    plan = show_plan(session, place, planned)
    if not dry_run:
        new_there = next((change.there for change in plan.changes if change.name == new), None)
        if reading.there(old) is None and new_there is not None and new_there.changes:
            tag = reading.tags[old]
            wanted = publishing(reading, new, new_there.after or tag.id, tag.target)
            check_for_secrets(session, reading, [wanted], no_scan=no_scan)
        agreed(f"Rename {output.clean_value(old)}?", yes=yes, silence=True)
        carry_out(place, plan)
    if session.as_json:
        output.json_document({"old": old, "new": new, **as_json(plan, done=not dry_run)})
    elif not dry_run:
        where = f"here and on {reading.remote_name}" if plan.remote_edits else "here"
        output.words(output.clean_value(f"{old} is {new} now, {where}."), style="green")
        if plan.remote_edits:
            output.words("  In other clones: bootstrap tag sync")
    return 0

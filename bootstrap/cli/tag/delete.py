"""`bootstrap tag delete`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
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
from bootstrap.flows.tags.changing import delete
from bootstrap.milestones.names import typed


@verb()
@click.argument("name")
@click.option("--push", is_flag=True, help="Fail where there is no remote to delete it on.")
@remote_option()
@yes_option("Delete without asking.")
@dry_run_option()
def command(session: Session, name: str, *, push: bool, remote: str | None, yes: bool, dry_run: bool) -> int:
    r"""
    Delete the tag NAME, on the remote and here.

    Its object is kept here, under refs/bootstrap/deleted/, from where git tag brings it back.

    \b
    Examples:
      bootstrap tag delete week2-old
      bootstrap tag delete week2-old --dry-run
    """
    place = place_of(session, remote)
    with waiting(remote or "git and the remote"):
        planned, reading = delete(place, name, session.environ, push=push)
    plan = show_plan(session, place, planned)
    if not dry_run:
        agreed(f"Delete {output.clean_value(name)}?", yes=yes)
        carry_out(place, plan)
    if session.as_json:
        output.json_document({"name": name, **as_json(plan, done=not dry_run)})
    elif not dry_run:
        where = f"on {reading.remote_name} and here" if plan.remote_edits else "here"
        output.words(output.clean_value(f"{name} is deleted, {where}."), style="green")
        for kept, _ in plan.kept:
            back = f"git update-ref {typed(plan.changes[0].ref, kept)} && git update-ref -d {typed(kept)}"
            output.words(output.clean_value(f"  To bring it back: {back}"))
    return 0

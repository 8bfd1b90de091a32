"""`bootstrap tag sync`."""

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
from bootstrap.flows.tags.syncing import drops, sync


@verb()
@remote_option()
@yes_option("Drop what the remote has renamed or moved without asking.")
@dry_run_option()
def command(session: Session, *, remote: str | None, yes: bool, dry_run: bool) -> int:
    r"""
    Take over what the remote has, and change nothing there.

    Fetches tags that are missing here, and follows those that were renamed or moved there. What it would drop
    it names first, and keeps under refs/bootstrap/replaced/. A tag that was never published stays.

    \b
    Examples:
      bootstrap tag sync
      bootstrap tag sync --dry-run
    """
    place = place_of(session, remote)
    with waiting(remote or "git and the remote"):
        planned, left = sync(place)
    plan = show_plan(session, place, planned)
    dropped = drops(plan)
    if not dry_run and not plan.empty:
        if dropped:
            agreed(f"Drop what {len(dropped)} of these names lead to here?", yes=yes)
        carry_out(place, plan)
    if session.as_json:
        rest = [{"name": one.name, "text": one.text, "hint": one.hint} for one in left]
        document = as_json(plan, done=not dry_run)
        output.json_document({**document, "drops": dropped, "left": rest})
        return 0
    for finding in left:
        output.words(output.clean_value(f"{finding.name}: {finding.text}"), style="yellow")
        output.words(output.clean_value(f"  {finding.hint}"))
    if not plan.empty and not dry_run:
        output.words("The tags here are those of the remote." if not left else "Done.", style="green")
    return 0

"""`bootstrap tag list`."""

import click
from msgspec import to_builtins

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.tag.shared import place_of, remote_option
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags.listing import Row, rows
from bootstrap.flows.tags.place import read
from bootstrap.flows.tags.showing import day
from bootstrap.milestones.reading import Reading


@verb()
@remote_option()
@click.option("--offline", is_flag=True, help="Ask no remote.")
def command(session: Session, *, remote: str | None, offline: bool) -> None:
    r"""
    Show the milestones: when, which commit, how many commits since the one before, and where each exists.

    \b
    Examples:
      bootstrap tag list
      bootstrap tag list --offline --json
    """
    place = place_of(session, remote)
    notes: list[str] = []
    with waiting(remote or "the remote"):
        reading = Reading(place.root, place.names) if offline else read(place, notes, needs=False)
    found = rows(reading)
    if reading.clone.shallow:
        notes.append("this clone is shallow: commits are not counted. Get them: git fetch --unshallow")
    if session.as_json:
        output.json_document(_plain(reading, found, notes))
        return
    for note in notes:
        output.words(output.clean_value(f"Note: {note}"), style="yellow")
    if not found:
        output.words(f"No milestones yet. Make the first: bootstrap tag start 1 ({place.names.start(1)})")
        return
    name = reading.remote.remote.name if reading.remote is not None else None
    output.table(
        ("MILESTONE", "DATE", "COMMIT", "RANGE", "COMMITS", "WHERE"), [_cells(row, name) for row in found]
    )


def _cells(row: Row, remote: str | None) -> tuple[str, ...]:
    return (
        row.name,
        (day(row.seconds, row.zone) if row.seconds is not None else None) or "?",
        row.commit[:10] if row.commit is not None else "no commit",
        f"{row.after or ''}..{row.name}",
        str(row.commits) if row.commits is not None else "?",
        row.where(remote),
    )


def _plain(reading: Reading, found: list[Row], notes: list[str]) -> dict[str, object]:
    name = reading.remote.remote.name if reading.remote is not None else None
    return {
        "remote": name,
        "milestones": [{**to_builtins(row), "where": row.where(name)} for row in found],
        "notes": notes,
    }

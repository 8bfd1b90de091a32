"""`bootstrap tag show`."""

import click
from msgspec import to_builtins

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.tag.shared import place_of, remote_option
from bootstrap.cli.verb import verb
from bootstrap.flows.tags.showing import command as diff_command
from bootstrap.flows.tags.showing import markdown, show


@verb()
@click.argument("week", type=click.IntRange(0, 999_999))
@remote_option()
def command(session: Session, week: int, *, remote: str | None) -> None:
    r"""
    Print what week WEEK brought as Markdown, ready for a journal.

    From week2-start to week2, or to HEAD while the week is not finished; without week2-start, from the
    milestone before. With a remote on GitHub or GitLab, commits are links, and so is the comparison.

    \b
    Examples:
      bootstrap tag show 2
      bootstrap tag show 2 >> journal/week2.md
    """
    found = show(place_of(session, remote), week)
    if session.as_json:
        commits = [{"id": one.id, "subject": one.subject} for one in found.commits]
        files = [{"path": one.path, "added": one.added, "removed": one.removed} for one in found.files]
        output.json_document(
            {**to_builtins(found), "commits": commits, "files": files, "command": diff_command(found)}
        )
        return
    for line in markdown(found).splitlines():
        output.data(line)

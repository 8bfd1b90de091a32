"""`bootstrap tag`: one verb a file."""

from bootstrap.cli.commands import TAG
from bootstrap.cli.verb import verbs


@verbs(TAG, "bootstrap.cli.tag")
def command() -> None:
    r"""
    Make weekly milestones as git tags, and keep them right.

    A week begins at week2-start and is finished at week2. Everything that changes a tag says first what it is
    going to do, changes the remote in one step, and never deletes a tag before its successor is there.
    [milestones] in bootstrap.toml may give another word than "week".

    \b
    Examples:
      bootstrap tag start 2 --push
      bootstrap tag list
      bootstrap tag check --fix
    """

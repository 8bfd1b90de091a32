"""Looks for secrets in what becomes public with a tag."""

from pathlib import Path

from bootstrap.flows.secrets import scan
from bootstrap.milestones.reading import Reading
from bootstrap.secrets.scanning.scanner import Scanner


def look(
    root: Path, scanner: Scanner, reading: Reading, *, since: str | None, commit: str, tags: dict[str, str]
) -> scan.Report:
    """Look through the commits since a milestone, those that the remote does not have yet, and the messages.

    `since` and `commit` are ids of commits, `tags` the ids of tag objects with their names.
    """
    known: set[str] = set()
    if reading.remote is not None:
        known = {*reading.remote.heads.values(), *(listed.peeled for listed in reading.remote.tags.values())}
    return scan.publishing(root, scanner, since=since, until=commit, known=known, tags=tags)

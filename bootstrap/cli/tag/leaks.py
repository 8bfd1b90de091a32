"""Looks for secrets before a tag becomes public."""

from collections.abc import Sequence
from typing import NamedTuple

from bootstrap.cli import output
from bootstrap.cli.secrets.looking import scanner_of
from bootstrap.cli.secrets.scan import leak_line
from bootstrap.cli.session import Session
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags import messages
from bootstrap.flows.tags.leaks import look
from bootstrap.milestones.reading import Reading
from bootstrap.model.errors import ProblemsFoundError


class Publishing(NamedTuple):
    """A tag that becomes public: its object, its commit, and the commit of the milestone before it."""

    name: str
    id: str
    commit: str
    since: str | None


def publishing(reading: Reading, name: str, one: str, commit: str) -> Publishing:
    """What becomes public with a tag `one` of this name; of no milestone, only what the remote lacks."""
    place = reading.names.place(name)
    if place is None:
        return Publishing(name, one, commit, commit)
    since = messages.previous(reading, place)
    return Publishing(name, one, commit, since.commit if since is not None else None)


def check_for_secrets(
    session: Session, reading: Reading, wanted: Sequence[Publishing], *, no_scan: bool
) -> None:
    """Raise ProblemsFoundError where there are secrets in what is about to become public."""
    if not wanted:
        return
    if no_scan:
        output.words("Not looked through for secrets, as you asked (--no-scan).", style="yellow")
        return
    scanner, notes = scanner_of(session, reading.root, silent=True)
    leaks = []
    files = 0
    for one in wanted:
        with waiting("the look for secrets"):
            report = look(
                reading.root, scanner, reading, since=one.since, commit=one.commit, tags={one.id: one.name}
            )
        leaks += report.leaks
        files += report.looked_at + report.messages
        notes += report.notes
    for note in dict.fromkeys(notes):
        output.words(output.clean_value(f"Note: {note}."))
    for leak in dict.fromkeys(leaks):
        output.words(output.clean_value(leak_line(leak)), style="red")
    if leaks:
        count = len(set(leaks))
        raise ProblemsFoundError(
            f"{count} secret{'s' * (count > 1)} would become public: nothing was changed",
            "Take them out (docs/how-to/leaks.md), or say why one is none; to push all the same: --no-scan",
        )
    output.words(f"No secrets in what was looked through: {files} file{'s' * (files != 1)} and messages.")

"""Finds what is wrong with the tags of a clone and its remote, and plans what mends it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from bootstrap.flows.tags.carrying_out import execute
from bootstrap.flows.tags.place import TagPlace, read, read_both
from bootstrap.flows.tags.releases import check_releases, github
from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.looking import look
from bootstrap.milestones.plans import Change, Plan
from bootstrap.milestones.reading import Reading
from bootstrap.milestones.transactions import UnchangedError
from bootstrap.model.errors import BootstrapError
from bootstrap.system import git_locks, git_tags
from bootstrap.system.git_tags import TAGS


def look_at(place: TagPlace, notes: list[str], *, fix: bool) -> tuple[Reading, list[Finding]]:
    """Read both sides, and list what is wrong; with `fix`, what can be mended has to be reachable."""
    folder = git_tags.clone(place.root).folder
    stale = list(_locks(place.root, folder))
    reading = read_both(place, notes) if fix else read(place, notes, needs=False)
    return reading, [*stale, *look(reading)]


def _locks(root: Path, folder: Path) -> Iterator[Finding]:
    found = git_locks.locks(folder)
    owners = git_locks.owners(root, folder) if found else []
    for lock in found:
        name = str(lock.path)
        if owners:
            pids = ", ".join(map(str, owners))
            text = f"git is at work here (process {pids}), and may hold this lock"
            yield Finding(Flaw.LOCK, name, text, f"Wait for it, or see what it does: ps -fp {owners[0]}")
        elif lock.young:
            text = f"a lock of {lock.age:.0f} seconds; no git is at work here that this machine shows"
            yield Finding(Flaw.LOCK, name, text, f"Run this again in {git_locks.YOUNG:.0f} seconds")
        else:
            text = "a lock that nobody holds: a git was killed, and no tag can change until it is gone"
            yield Finding(Flaw.LOCK, name, text, "Remove it: bootstrap tag check --fix", stale=True)


def remove_locks(root: Path) -> list[str]:
    """Remove the lock files that nobody holds, and return their paths."""
    folder = git_tags.clone(root).folder
    found = [lock for lock in git_locks.locks(folder) if not lock.young]
    if not found or git_locks.owners(root, folder):
        return []
    return [str(lock.path) for lock in found if git_locks.remove(lock)]


def mending(
    reading: Reading, findings: Iterable[Finding], without: Collection[str] = ()
) -> list[tuple[Finding, Plan]]:
    """Plan what mends each finding by itself; of two that want to change one name, the first comes first.

    `without` are names that are left alone. Writes the tag objects that the plans speak of.
    """
    remote = reading.remote.remote if reading.remote is not None else None
    taken = set(without)
    plans = []
    for finding in findings:
        names = {change.name for change in finding.changes}
        if names and not names & taken:
            taken |= names
            plans.append((finding, Plan(finding.changes, remote, fetches=finding.fetches)))
    return plans


def under_releases(
    reading: Reading, plans: Iterable[tuple[Finding, Plan]], environ: Mapping[str, str]
) -> dict[str, BootstrapError]:
    """Ask for the GitHub releases behind what would move or go; say by name why that must not be."""
    found: dict[str, BootstrapError] = {}
    if github(reading) is None:
        return found
    for finding, plan in plans:
        for edit in plan.remote_edits:
            if edit.before is not None:
                try:
                    moves = edit.after is not None
                    check_releases(reading, environ, edit.name.removeprefix(TAGS), [], moves=moves)
                except BootstrapError as error:
                    found[finding.name] = error
    return found


def together(reading: Reading, plans: Iterable[Plan]) -> Plan:
    """Put plans into one."""
    changes: list[Change] = []
    fetches: list[str] = []
    for plan in plans:
        changes += plan.changes
        fetches += plan.fetches
    remote = reading.remote.remote if reading.remote is not None else None
    return Plan(tuple(changes), remote, fetches=tuple(dict.fromkeys(fetches)))


def mend(reading: Reading, plans: list[tuple[Finding, Plan]]) -> dict[str, BootstrapError]:
    """Carry out plans, in one step where the remote takes all of them, else each that it takes.

    Returns why what was refused was refused, by the name of the finding.
    """
    root = reading.root
    for finding, _ in plans:
        for data in finding.objects:
            git_tags.write_tag(root, data)
    try:
        execute(root, together(reading, (plan for _, plan in plans)))
    except UnchangedError as error:
        if len(plans) == 1:
            return {plans[0][0].name: error}
    else:
        return {}
    refused: dict[str, BootstrapError] = {}
    for finding, plan in plans:
        try:
            execute(root, plan)
        except UnchangedError as error:
            refused[finding.name] = error
    return refused

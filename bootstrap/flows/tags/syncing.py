"""Takes over what the remote has, without losing what only this clone has."""

from bootstrap.flows.tags.place import TagPlace, read
from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.looking import look
from bootstrap.milestones.plans import Change, Plan, Side
from bootstrap.milestones.reading import Reading


def sync(place: TagPlace) -> tuple[Plan, list[Finding]]:
    """Plan to fetch what is missing, to follow what was renamed or moved, and to drop what was given up.

    Nothing changes on the remote. Also returns the findings that need more than that.
    """
    notes: list[str] = []
    reading = read(place, notes, needs=True)
    changes: dict[str, Change] = {}
    left: list[Finding] = []
    for finding in look(reading):
        ours = _here(reading, finding)
        if ours and not any(change.name in changes for change in ours):
            changes.update((change.name, change) for change in ours)
        elif finding.flaw in (Flaw.HERE_ONLY, Flaw.CAME_BACK, Flaw.DIFFERS, Flaw.THERE_ONLY):
            left.append(finding)
    remote = reading.remote.remote if reading.remote is not None else None
    after = [
        change.here.after for change in changes.values() if change.here is not None and change.here.after
    ]
    return Plan(tuple(changes.values()), remote, fetches=tuple(after), notes=tuple(notes)), left


def _here(reading: Reading, finding: Finding) -> list[Change]:
    """What a finding changes here, where it changes nothing on the remote."""
    if finding.flaw is Flaw.DIFFERS and not finding.changes:
        return [
            Change(finding.name, Side(reading.here(finding.name), reading.there(finding.name)), None, "moved")
        ]
    if finding.flaw not in (Flaw.THERE_ONLY, Flaw.DIFFERS, Flaw.RENAMED, Flaw.CAME_BACK):
        return []
    if any(change.there is not None and change.there.changes for change in finding.changes):
        return []
    return [
        Change(change.name, change.here, None, change.why)
        for change in finding.changes
        if change.here is not None and change.here.changes
    ]


def drops(plan: Plan) -> list[str]:
    """The names that lose what they lead to here."""
    return [
        change.name for change in plan.changes if change.here is not None and change.here.before is not None
    ]

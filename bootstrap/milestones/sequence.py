"""Finds what is wrong with the order of the weeks: names beside the pattern, turned ends, gaps."""

from collections.abc import Iterator

from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.mending import id_under, renamed
from bootstrap.milestones.names import Drift, Place, typed
from bootstrap.milestones.plans import Change, Side
from bootstrap.milestones.ranges import History
from bootstrap.milestones.reading import Reading, Tag
from bootstrap.system import git_tags

#: missing weeks that are named
_NAMED = 5
#: weeks between the first and the last, beyond which nobody counts them
_TOGETHER = 50_000


def look(reading: Reading) -> Iterator[Finding]:
    """List tags that mean a milestone but are not called like one, finishes before their starts, and gaps."""
    meant: set[str] = set()
    for tag in reading.tags.values():
        drift = reading.names.drift(tag.name)
        if drift is not None:
            yield _drift(reading, tag, drift, taken=drift.meant in meant)
            meant.add(drift.meant)
    yield from _order(reading)
    yield from _gaps(reading)


def _drift(reading: Reading, tag: Tag, drift: Drift, *, taken: bool) -> Finding:
    if f"{drift.meant}/{id_under(tag, drift.meant)}" in reading.replaced:
        text = f"it is not called like a milestone; it was {drift.meant} until it was renamed here"
        hint = f"To make it one again: bootstrap tag rename {typed(tag.name, drift.meant)}"
        return Finding(Flaw.DRIFT, tag.name, text, hint, note=True)
    free = not taken and not any(
        drift.meant in names
        for names in (
            reading.tags,
            reading.heads,
            *((reading.remote.tags, reading.remote.heads) if reading.remote is not None else ()),
        )
    )
    text = f"it is not called like a milestone; {drift.meant} is meant" + ("" if drift.plain else ", perhaps")
    if not free:
        hint = f"{drift.meant} is taken. Choose another: bootstrap tag rename {typed(tag.name)} NAME"
        return Finding(Flaw.DRIFT, tag.name, text, hint)
    hint = f"Rename it: bootstrap tag rename {typed(tag.name, drift.meant)}"
    there = reading.there(tag.name)
    signed = tag.object is not None and tag.object.signed
    if signed or there not in (None, tag.id):
        return Finding(
            Flaw.DRIFT, tag.name, text, hint.replace("rename", "rename --sign", 1) if signed else hint
        )
    data = renamed(tag, drift.meant)
    new = id_under(tag, drift.meant)
    changes = (
        Change(drift.meant, Side(None, new), Side(None, new) if there is not None else None, "the new name"),
        Change(
            tag.name,
            Side(tag.id, None),
            Side(there, None) if there is not None else None,
            f"renamed to {drift.meant}",
        ),
    )
    return Finding(
        Flaw.DRIFT, tag.name, text, hint, changes=changes, objects=(data,) if data is not None else ()
    )


def _order(reading: Reading) -> Iterator[Finding]:
    both = []
    for place, tag in reading.milestones.items():
        start = reading.milestones.get(Place(place.number, finished=False))
        if place.finished and start is not None and start.kind == tag.kind == "commit":
            both.append((start, tag))
    if not both:
        return
    ends = (tag.target for pair in both for tag in pair)
    history = History(git_tags.history(reading.root, ends))
    for start, finish in both:
        if not history.leads_to(start.target, finish.target):
            before = history.leads_to(finish.target, start.target)
            text = f"it is {'before' if before else 'beside'} {start.name}, which should lead to it"
            if reading.clone.shallow:
                text += ", as far as this shallow clone shows"
            yield Finding(
                Flaw.ORDER,
                finish.name,
                text,
                f"Put it where it belongs: bootstrap tag rename {finish.name} old-{finish.name} && "
                f"bootstrap tag finish {reading.names.number(finish.name)} --at COMMIT",
                note=reading.clone.shallow,
            )


def _gaps(reading: Reading) -> Iterator[Finding]:
    weeks = {place.number for place in reading.milestones}
    if not weeks:
        return
    finished = {place.number for place in reading.milestones if place.finished}
    ordered = sorted(weeks)
    if ordered[-1] - ordered[0] > _TOGETHER:
        return  # numbered by something else, such as dates
    missing = [week for week in range(ordered[0], ordered[-1]) if week not in finished]
    if missing:
        names = ", ".join(reading.names.finish(week) for week in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        yield Finding(
            Flaw.GAP,
            reading.names.finish(missing[0]),
            f"no tag says where these weeks were finished: {names}{more}",
            f"Tag it afterwards: bootstrap tag finish {missing[0]} --at COMMIT",
        )

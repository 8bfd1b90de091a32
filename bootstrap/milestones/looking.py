"""Looks at everything that was read, and lists what is wrong with it."""

from collections.abc import Iterator

from bootstrap.milestones import mending, sequence, sides, twins
from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.mending import commits_behind
from bootstrap.milestones.names import other_branch, typed
from bootstrap.milestones.plans import Change, Side
from bootstrap.milestones.reading import Reading, Tag
from bootstrap.milestones.tag_object import id_of

_ODD = ("HEAD", "@", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD")


def look(reading: Reading) -> list[Finding]:
    """List what is wrong, the worst first: what is damaged, what both sides disagree on, then each tag."""
    commits = commits_behind(reading)
    better = {}
    for tag in reading.tags.values():
        data = mending.mended(tag, reading.names, commits)
        if data is not None:
            better[tag.name] = data
    again = twins.look(reading)
    settled = {finding.name for finding in again} | {one.name for finding in again for one in finding.changes}
    found = [*_broken(reading), *again, *sides.look(reading, better, settled)]
    for tag in reading.tags.values():
        found += _own(reading, tag, better.get(tag.name))
    return [*found, *sequence.look(reading)]


def _broken(reading: Reading) -> Iterator[Finding]:
    for name in reading.broken:
        yield Finding(
            Flaw.BROKEN,
            name,
            "its file is damaged: git does not see it any more",
            f"Remove it, and get it again: git update-ref -d {typed(name)} && bootstrap tag sync",
        )


def _own(reading: Reading, tag: Tag, better: bytes | None) -> Iterator[Finding]:
    """What is wrong with one tag by itself."""
    name = tag.name
    changes = _in_place(reading, tag, better)
    objects = (better,) if better is not None and changes else ()
    if tag.object is not None and tag.object.name != name:
        yield from _inner(tag, tag.object.name, changes, objects, signed=tag.object.signed)
    if tag.nested:
        milestone = reading.names.place(name) is not None
        signed = tag.object is not None and tag.object.signed
        yield Finding(
            Flaw.NESTED,
            name,
            "it is nested: a tag of a tag, not of a commit",
            _hint(changes) if milestone and not signed else "See what is in it: git cat-file tag " + tag.id,
            note=not milestone,
            changes=changes if milestone else (),
            objects=objects,
        )
    if tag.object is None and reading.names.place(name) is not None:
        text = "it is lightweight: it says neither who made it nor when, and --follow-tags leaves it behind"
        yield Finding(Flaw.LIGHTWEIGHT, name, text, _hint(changes), changes=changes, objects=objects)
    yield from _names(reading, tag)


def _inner(
    tag: Tag, inner: str, changes: tuple[Change, ...], objects: tuple[bytes, ...], *, signed: bool
) -> Iterator[Finding]:
    text = f"inside it is called {inner}: git describe and every clone show that name"
    if signed:
        yield Finding(
            Flaw.SIGNED,
            tag.name,
            f"{text}; its signature covers that name, so only a new one mends it",
            f"Sign it anew, with your key: bootstrap tag rename --sign {typed(tag.name, tag.name)}",
        )
    else:
        yield Finding(Flaw.INNER_NAME, tag.name, text, _hint(changes), changes=changes, objects=objects)


def _in_place(reading: Reading, tag: Tag, better: bytes | None) -> tuple[Change, ...]:
    """Put the better object in the place of the other, on every side that has the other."""
    if better is None:
        return ()
    there = reading.there(tag.name)
    if there is not None and there != tag.id:
        return ()  # first both sides have to agree
    after = id_of(better, tag.id)
    on_remote = Side(there, after) if there is not None else None
    return (Change(tag.name, Side(tag.id, after), on_remote, "mended"),)


def _names(reading: Reading, tag: Tag) -> Iterator[Finding]:
    name = tag.name
    remote_heads = reading.remote.heads if reading.remote is not None else {}
    if name in reading.heads:
        yield Finding(
            Flaw.BRANCH,
            name,
            "a branch here has the same name: git push and git log take neither for sure",
            f"Give the branch another: git branch -m {typed(name, name + '-work')}",
        )
    elif name in remote_heads:
        where = reading.remote_name
        yield Finding(
            Flaw.BRANCH,
            name,
            f"a branch on {where} has the same name: git push takes neither",
            f"Give that branch another: {other_branch(where, name, remote_heads[name])}",
        )
    if name.startswith("-") or name in _ODD:
        better = f"{name.strip('-@').lower() or 'other'}-tag"
        yield Finding(
            Flaw.NAME,
            name,
            "git takes this name for something else",
            f"Give it another: bootstrap tag rename {typed(name, better)}",
        )


def _hint(changes: tuple[Change, ...]) -> str:
    return (
        "Mend it: bootstrap tag check --fix" if changes else "First make both sides agree: bootstrap tag sync"
    )

"""Finds one tag under two names: a renaming that was interrupted, made by a peer, or undone."""

from collections import defaultdict
from collections.abc import Iterator

from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.mending import id_under
from bootstrap.milestones.names import typed
from bootstrap.milestones.plans import Change, Side
from bootstrap.milestones.reading import DELETED, Reading, Tag


def look(reading: Reading) -> list[Finding]:
    """List tags that have a twin, and names that have come back after they were deleted here."""
    found: dict[str, Finding] = {}
    for tag, twin in pairs(reading):
        if tag.name not in found:
            finding = _judge(reading, tag, twin)
            if finding is not None:
                found[tag.name] = finding
    for finding in _deleted(reading):
        found.setdefault(finding.name, finding)
    return list(found.values())


def pairs(reading: Reading) -> Iterator[tuple[Tag, str]]:
    """Every tag with the name of another that is the same but for its name, here or on the remote."""
    alike: defaultdict[object, list[Tag]] = defaultdict(list)
    for tag in reading.tags.values():
        alike[_key(tag)].append(tag)
    for tags in alike.values():
        for tag in tags if len(tags) > 1 else ():
            yield from ((tag, other.name) for other in tags if _same(tag, other.name, other.id))
    by_target: defaultdict[str, list[str]] = defaultdict(list)
    for name, listed in (reading.remote.tags if reading.remote is not None else {}).items():
        if name not in reading.tags:
            by_target[listed.peeled].append(name)
    for tag in reading.tags.values():
        for name in by_target.get(tag.target, ()):
            if _same(tag, name, reading.there(name)) and (tag.annotated or retired(reading, tag.name)):
                yield tag, name
    yield from _lightweight(reading)


def _same(tag: Tag, name: str, one: str | None) -> bool:
    """Whether `one` under the name `name` is the tag, renamed well, or as `git tag NEW OLD` does it."""
    return name != tag.name and one in (tag.id, id_under(tag, name))


def _lightweight(reading: Reading) -> Iterator[tuple[Tag, str]]:
    """Two lightweight tags of one commit are nothing special, but for one that was renamed here."""
    left = [
        tag
        for tag in reading.tags.values()
        if not tag.annotated and retired(reading, tag.name) and reading.there(tag.name) is None
    ]
    if reading.remote is None or not left:
        return
    for tag in left:
        for other in reading.tags.values():
            if other.id == tag.id and other.name != tag.name and reading.there(other.name) == tag.id:
                yield tag, other.name


def retired(reading: Reading, name: str) -> bool:
    """Whether a name was given up here for another, and stands for the same again, or still."""
    return any(
        f"{name}/{one}" in reading.replaced
        for one in (reading.here(name), reading.there(name))
        if one is not None
    )


def _key(tag: Tag) -> object:
    inner = tag.object
    return tag.name if inner is None else (inner.target, inner.kind, inner.more, inner.message)


def _judge(reading: Reading, tag: Tag, twin: str) -> Finding | None:
    """Decide which of two names is the old one, if that can be known."""
    there = reading.there(tag.name)
    was, twin_was = retired(reading, tag.name), retired(reading, twin)
    if was and not (twin_was and there is not None):
        sides = f"is still, or again, {'on ' + reading.remote_name if there else 'here'}"
        return _finish(reading, tag, twin, Flaw.CAME_BACK, f"it was renamed to {twin} here, and {sides}")
    if was or twin_was:
        return None  # of two that were both renamed once, the one that the remote lacks is the old one
    if there is None and reading.there(twin) is not None:
        text = f"on {reading.remote_name} it was renamed to {twin}"
        return _finish(reading, tag, twin, Flaw.RENAMED, text)
    return _twice(reading, tag, twin)


def _twice(reading: Reading, tag: Tag, twin: str) -> Finding | None:
    """Say that two names stand for one tag; of the two findings only the first is kept."""
    if twin not in reading.tags or tag.object is None or tag.object.name != tag.name or tag.name > twin:
        return None
    return Finding(
        Flaw.TWICE,
        tag.name,
        f"{twin} is the same tag under another name",
        f"Delete the old one: bootstrap tag delete {typed(tag.name)}, or: bootstrap tag delete {typed(twin)}",
    )


def _finish(reading: Reading, tag: Tag, twin: str, flaw: Flaw, text: str) -> Finding:
    """Let the new name be on both sides, and the old one on neither."""
    new_here, new_there = reading.here(twin), reading.there(twin)
    new = tag.id if tag.id in (new_here, new_there) else id_under(tag, twin)
    old_there = reading.there(tag.name)
    if old_there not in (None, tag.id) or new_here not in (None, new) or new_there not in (None, new):
        return Finding(flaw, tag.name, text, "Both sides differ. See how: bootstrap tag sync --dry-run")
    public = old_there is not None or new_there is not None
    changes = (
        Change(twin, Side(new_here, new), Side(new_there, new) if public else None, "the new name"),
        Change(
            tag.name,
            Side(tag.id, None),
            Side(old_there, None) if old_there is not None else None,
            f"renamed to {twin}",
        ),
    )
    return Finding(
        flaw,
        tag.name,
        text,
        "Finish it: bootstrap tag check --fix",
        changes=changes,
        fetches=(new,) if new_here is None else (),
        publishes=(twin,) if public and new_there is None else (),
    )


def _deleted(reading: Reading) -> Iterator[Finding]:
    """Names that were deleted here and are still there, on one side or on both."""
    for kept, one in reading.deleted.items():
        name = kept.rpartition("/")[0]
        here, there = reading.here(name), reading.there(name)
        if one not in (here, there):
            continue
        keep = f"To keep it: git update-ref -d {typed(DELETED + kept)}"
        if here is not None and there is not None:
            text = f"it was deleted here, and is still, or again, here and on {reading.remote_name}"
            yield Finding(
                Flaw.CAME_BACK, name, text, f"Delete it: bootstrap tag delete {typed(name)}. {keep}"
            )
        elif here == one:
            text = "it was being deleted, and is still here"
            change = Change(name, Side(one, None), None, "deleted")
            hint = f"Finish it: bootstrap tag check --fix. {keep}"
            yield Finding(Flaw.CAME_BACK, name, text, hint, changes=(change,))
        else:
            text = f"it was deleted here, and somebody has pushed it back to {reading.remote_name}"
            change = Change(name, None, Side(one, None), "deleted")
            hint = f"Delete it there again: bootstrap tag check --fix. {keep}"
            yield Finding(Flaw.CAME_BACK, name, text, hint, changes=(change,))
    yield from _back_there(reading)


def _back_there(reading: Reading) -> Iterator[Finding]:
    """Names that were replaced here, and that only the remote has again."""
    for kept, one in reading.replaced.items():
        name = kept.rpartition("/")[0]
        if reading.here(name) is None and reading.there(name) == one:
            twin = _successor(reading, one)
            if twin is None:
                continue
            text = f"it was renamed to {twin} here, and somebody has pushed it back to {reading.remote_name}"
            change = Change(name, None, Side(one, None), f"renamed to {twin}")
            hint = "Delete it there again: bootstrap tag check --fix"
            yield Finding(Flaw.CAME_BACK, name, text, hint, changes=(change,))


def _successor(reading: Reading, replaced: str) -> str | None:
    """Find the tag on both sides that is the replaced one under another name."""
    old = reading.kept_object(replaced)
    if old is None:
        return next(
            (
                tag.name
                for tag in reading.tags.values()
                if tag.id == replaced and reading.there(tag.name) == replaced
            ),
            None,
        )
    key = (old.target, old.kind, old.more, old.message)
    for tag in reading.tags.values():
        if _key(tag) == key and reading.there(tag.name) == tag.id and tag.name != old.name:
            return tag.name
    return None

"""Finds what a clone and its remote do not agree on."""

from collections.abc import Collection, Iterator, Mapping

from bootstrap.milestones import mending
from bootstrap.milestones.findings import Finding, Flaw
from bootstrap.milestones.names import typed
from bootstrap.milestones.plans import Change, Side
from bootstrap.milestones.reading import Reading, Tag
from bootstrap.milestones.tag_object import id_of


def look(reading: Reading, better: Mapping[str, bytes], settled: Collection[str]) -> Iterator[Finding]:
    """List names that only one side has, or that differ; not those that are `settled` by another finding.

    `better` has the mended bytes of tags whose object is flawed: one that differs in nothing else is what a
    mending left, which was interrupted or made elsewhere.
    """
    if reading.remote is None:
        return
    differing = [tag for tag in reading.tags.values() if reading.there(tag.name) not in (None, tag.id)]
    theirs = mending.known_tags(reading, [reading.there(tag.name) or "" for tag in differing])
    for tag in reading.tags.values():
        if tag.name in settled:
            continue
        there = reading.there(tag.name)
        if there is None:
            yield _here_only(reading, tag)
        elif there != tag.id:
            yield _differs(reading, tag, there, better.get(tag.name), theirs)
    for name, listed in reading.remote.tags.items():
        if name not in reading.tags and name not in settled:
            yield _there_only(reading, name, listed.id)


def _here_only(reading: Reading, tag: Tag) -> Finding:
    where = reading.remote_name
    if not reading.names.concerns(tag.name):
        hint = f"To publish it: git push {typed(where, 'refs/tags/' + tag.name)}"
        return Finding(Flaw.HERE_ONLY, tag.name, f"it is here, not on {where}", hint, note=True)
    if tag.kind != "commit":
        text = f"it is here, not on {where}, and leads to a {tag.kind}, which is no milestone"
        return Finding(Flaw.HERE_ONLY, tag.name, text, f"Delete it: bootstrap tag delete {typed(tag.name)}")
    return Finding(
        Flaw.HERE_ONLY,
        tag.name,
        f"it is here, not on {where}",
        f"Publish it: bootstrap tag check --fix, or delete it: bootstrap tag delete {typed(tag.name)}",
        changes=(Change(tag.name, None, Side(None, tag.id), "published"),),
        publishes=(tag.name,),
    )


def _there_only(reading: Reading, name: str, one: str) -> Finding:
    text, hint = f"it is on {reading.remote_name}, not here", "Get it: bootstrap tag sync"
    if _blocked(reading, name):
        return Finding(
            Flaw.THERE_ONLY, name, f"{text}, where another tag stands in its way as a folder", hint
        )
    change = Change(name, Side(None, one), None, "fetched")
    return Finding(Flaw.THERE_ONLY, name, text, hint, changes=(change,), fetches=(one,))


def _blocked(reading: Reading, name: str) -> bool:
    """Whether a tag here stands in the way: git keeps `week2` and `week2/a` in one place."""
    parts = name.split("/")
    above = ("/".join(parts[:number]) for number in range(1, len(parts)))
    return any(one in reading.tags for one in above) or f"{name}/" in reading.folders


def _differs(
    reading: Reading, tag: Tag, there: str, better: bytes | None, theirs: Mapping[str, Tag]
) -> Finding:
    where = reading.remote_name
    if better is not None and id_of(better, tag.id) == there:
        return Finding(
            Flaw.DIFFERS,
            tag.name,
            f"{where} has it without its flaw; here it still has that",
            "Take over what is there: bootstrap tag check --fix",
            changes=(Change(tag.name, Side(tag.id, there), None, "mended there"),),
            fetches=(there,),
        )
    if there in theirs:
        other = mending.mended(theirs[there]._replace(name=tag.name), reading.names, {})
        if other is not None and id_of(other, tag.id) == tag.id:
            return Finding(
                Flaw.DIFFERS,
                tag.name,
                f"here it is mended; {where} still, or again, has it with its flaw",
                "Put the mended one there: bootstrap tag check --fix",
                changes=(Change(tag.name, None, Side(there, tag.id), "mended here"),),
            )
    return Finding(
        Flaw.DIFFERS,
        tag.name,
        f"it differs: {tag.id[:10]} here, {there[:10]} on {where}",
        f"Take over what {where} has, and keep yours aside: bootstrap tag sync",
    )

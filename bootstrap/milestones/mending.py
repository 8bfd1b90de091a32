"""What a tag should be: the same target, tagger, date and message, without the flaws of its object.

The outcome depends on the tag alone, so that two clones that mend the same tag make the same object.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from bootstrap.milestones.names import Names
from bootstrap.milestones.reading import Reading, Tag, tag_object
from bootstrap.milestones.tag_object import TagObject, id_of
from bootstrap.system import git_tags


def mended(tag: Tag, names: Names, commits: Mapping[str, tuple[str, bytes]]) -> bytes | None:
    """The bytes of the tag object that should stand there; None where it is right, or cannot be mended.

    A milestone is flattened and annotated, any tag gets its own name inside. `commits` are the objects behind
    lightweight milestones.
    """
    if tag.object is None:
        return _annotated(tag, names, commits)
    if tag.object.signed:
        return None
    better = replace(tag.object, name=tag.name)
    if tag.nested and names.place(tag.name) is not None:
        better = replace(better, target=tag.target, kind=tag.kind)
    return better.write() if better != tag.object else None


def _annotated(tag: Tag, names: Names, commits: Mapping[str, tuple[str, bytes]]) -> bytes | None:
    """Annotate a lightweight milestone, which says nothing of itself: its commit's committer counts."""
    place = names.place(tag.name)
    if place is None or tag.target not in commits or commits[tag.target][0] != "commit":
        return None
    header = commits[tag.target][1].partition(b"\n\n")[0].split(b"\n")
    committer = next((line[10:] for line in header if line.startswith(b"committer ")), b"")
    title = names.title(place).encode() + b"\n"
    return TagObject(tag.target, "commit", tag.name, (b"tagger " + committer,), title).write()


def commits_behind(reading: Reading) -> dict[str, tuple[str, bytes]]:
    """Read the commits of lightweight milestones."""
    light = [tag.target for tag in reading.milestones.values() if tag.object is None and tag.kind == "commit"]
    return git_tags.objects(reading.root, light)


def renamed(tag: Tag, name: str) -> bytes | None:
    """The bytes of the same tag under another name; None for a lightweight one, whose object has none."""
    return replace(tag.object, name=name).write() if tag.object is not None else None


def id_under(tag: Tag, name: str) -> str:
    """The id of the same tag under another name."""
    data = renamed(tag, name)
    return tag.id if data is None else id_of(data, tag.id)


def known_tags(reading: Reading, ids: Iterable[str]) -> dict[str, Tag]:
    """Read those annotated tags of `ids` that this clone has an object of, under no name that counts."""
    found = {}
    for one, (kind, data) in git_tags.objects(reading.root, [one for one in ids if one]).items():
        inner = tag_object(data) if kind == "tag" else None
        if inner is not None:
            found[one] = Tag(inner.name, one, inner, inner.target, inner.kind)
    return found

"""What must be true after whatever anybody has asked of tags, found out with git alone.

A tag's substance is what it leads to in the end, its tagger with the date, and its message. That has to stay
in reach of some ref for every tag that there was, unless its deletion was asked for; its name has to be
somewhere, unless a rename gave it another; and what is wrong, `check` has to say.
"""

from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tests.milestones.repositories import Git


class Substance(NamedTuple):
    """What a tag is about; a lightweight one has only a target."""

    target: str
    tagger: bytes
    message: bytes


class Contents(NamedTuple):
    """A repository at one moment."""

    refs: dict[str, str]
    #: of each tag, by its name
    tags: dict[str, Substance]
    #: of everything that any ref leads to
    reachable: frozenset[Substance]


#: what was last read of a repository; objects never change, so it holds as long as its refs do
_KNOWN: WeakKeyDictionary[Git, Contents] = WeakKeyDictionary()


def contents(repository: Git) -> Contents:
    """Read a repository: three processes, whatever is in it, and one where no ref has changed since."""
    refs = repository.refs()
    known = _KNOWN.get(repository)
    if known is None or known.refs != refs:
        known = _KNOWN[repository] = _read(repository, refs)
    return known


def _read(repository: Git, refs: dict[str, str]) -> Contents:
    listed = repository.git("rev-list", "--objects", "--no-object-names", "--all").split()
    asked = sorted({*listed, *refs.values()})
    raw = repository.run("cat-file", "--batch", data="".join(f"{oid}\n" for oid in asked).encode()).stdout
    objects = dict(_objects(raw))
    found = {oid: _substance(oid, objects) for oid, (kind, _) in objects.items() if kind in ("tag", "commit")}
    reached = {found[oid] for oid in listed if oid in found}
    tags = {
        name.removeprefix("refs/tags/"): found[oid]
        for name, oid in refs.items()
        if name.startswith("refs/tags/") and oid in found
    }
    return Contents(refs, tags, frozenset(reached))


def _objects(raw: bytes) -> Iterable[tuple[str, tuple[str, bytes]]]:
    while raw:
        head, _, raw = raw.partition(b"\n")
        oid, kind, size = head.decode().split(" ")
        yield oid, (kind, raw[: int(size)])
        raw = raw[int(size) + 1 :]


def _substance(oid: str, objects: dict[str, tuple[str, bytes]]) -> Substance:
    kind, text = objects[oid]
    if kind != "tag":
        return Substance(oid, b"", b"")
    head, _, message = text.partition(b"\n\n")
    fields = dict(line.split(b" ", 1) for line in head.split(b"\n"))
    target = fields[b"object"].decode()
    while objects[target][0] == "tag":
        target = objects[target][1].split(b"\n", 1)[0].split(b" ")[1].decode()
    return Substance(target, fields.get(b"tagger", b""), message)


class Ledger:
    """What there was at the beginning, here and there, and what has to be left of it."""

    def __init__(self, *sides: Git) -> None:
        self._sides = sides
        before = [contents(side) for side in sides]
        #: which substances any tag had, with its names
        self.owed = {substance: name for side in before for name, substance in side.tags.items()}
        self.names = {name for side in before for name in side.tags}

    def settle(
        self,
        *,
        renamed: dict[str, str] | None = None,
        deleted: Iterable[str] = (),
        deleted_before: Iterable[str] = (),
    ) -> list[str]:
        """List what is not as promised, in words; nothing is the right answer.

        `renamed` may have happened, or half happened: either name will do. `deleted` may be gone for good;
        `deleted_before` may lose their names again, where somebody has pushed them back, but no more.
        """
        after = [contents(side) for side in self._sides]
        reachable = frozenset().union(*(side.reachable for side in after))
        names = {name for side in after for name in side.tags}
        gone = set(deleted)
        lost = [
            f"the substance of {name} is lost: {substance}"
            for substance, name in self.owed.items()
            if name not in gone and substance not in reachable
        ]
        lost += [
            f"{name} is on neither side"
            for name in sorted(self.names - names - gone - set(deleted_before))
            if (renamed or {}).get(name) not in names
        ]
        return lost


def unequal(here: Git, there: Git) -> list[str]:
    """Name the tags that are not the same object here and there."""
    mine, theirs = here.tags(), there.tags()
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))

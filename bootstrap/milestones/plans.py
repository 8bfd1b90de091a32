"""A plan as data: what each tag's name leads to, before and after, here and on the remote."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootstrap.milestones.reading import DELETED, REPLACED
from bootstrap.system.git_remote import Remote
from bootstrap.system.git_tags import TAGS, Edit

_SHORT = 10


class Side(Struct, frozen=True):
    """What one name leads to on one side: ids, or None where there is nothing."""

    before: str | None
    after: str | None

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return self.before != self.after


class Change(Struct, frozen=True):
    """What becomes of one name; a side that is None is left alone."""

    name: str
    here: Side | None = None
    there: Side | None = None
    why: str = ""

    @property
    def ref(self) -> str:
        """The full name."""
        return TAGS + self.name


class Plan(Struct, frozen=True):
    """Changes that belong together, and how to make them."""

    changes: tuple[Change, ...]
    remote: Remote | None = None
    #: whether what goes away was asked to go, and is kept apart from what was replaced
    deletes: bool = False
    #: objects to bring here first: what the remote has and this clone does not
    fetches: tuple[str, ...] = ()
    #: sentences that somebody should read before
    notes: tuple[str, ...] = ()
    #: whether the remote takes several refs in one step; None: it was not asked
    atomic: bool | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.remote_edits and not self.local_edits

    @property
    def remote_edits(self) -> list[Edit]:
        """The edits on the remote."""
        return [
            Edit(TAGS + one.name, one.there.before, one.there.after)
            for one in self.changes
            if one.there is not None and one.there.changes
        ]

    @property
    def local_edits(self) -> list[Edit]:
        """The edits here."""
        return [
            Edit(TAGS + one.name, one.here.before, one.here.after)
            for one in self.changes
            if one.here is not None and one.here.changes
        ]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Refs that keep what is about to lose its name, each with its id.

        On either side: the remote's may be another, and may be nowhere else.
        """
        folder = DELETED if self.deletes else REPLACED
        edits = dict.fromkeys((edit.name, edit.before) for edit in (*self.local_edits, *self.remote_edits))
        return [(f"{folder}{name.removeprefix(TAGS)}/{one}", one) for name, one in edits if one is not None]

    def lines(self) -> Iterator[str]:
        """The plan for people, in the order in which it is done."""
        for edit in ordered(self.remote_edits):
            yield f"on {self.remote.name if self.remote else 'the remote'}: {_words(edit)}"
        if len(self.remote_edits) > 1 and self.remote is not None:
            yield f"  {_manner(self.remote, atomic=self.atomic)}"
        for edit in ordered(self.local_edits):
            yield f"here: {_words(edit)}"
        for name, _ in self.kept:
            yield f"kept here: {name}"


def ordered(edits: Iterable[Edit]) -> list[Edit]:
    """Put what creates or moves before what takes away: a name is gone only once its successor is there."""
    return sorted(edits, key=lambda edit: edit.after is None)


def _manner(remote: Remote, *, atomic: bool | None) -> str:
    if atomic is False:
        return f"one after the other, in this order: {remote.name} takes no atomic push"
    return "in one atomic push, with a lease on every name"


def _words(edit: Edit) -> str:
    before, after = (one[:_SHORT] if one else "" for one in (edit.before, edit.after))
    if edit.after is None:
        return f"delete {edit.name} ({before})"
    if edit.before is None:
        return f"create {edit.name} ({after})"
    return f"move   {edit.name} ({before} -> {after})"

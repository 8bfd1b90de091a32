"""The milestones of a clone and its remote, with what lies between them."""

from msgspec import Struct

from bootstrap.milestones.names import Place
from bootstrap.milestones.ranges import History
from bootstrap.milestones.reading import Reading
from bootstrap.system import git_tags


class Row(Struct, frozen=True):
    """One milestone."""

    name: str
    week: int
    finished: bool
    #: when it was tagged, or its commit was made, in seconds since the epoch, and the tagger's zone
    seconds: int | None
    zone: str
    #: the commit; None where it leads to something else
    commit: str | None
    #: the milestone before it; None for the first
    after: str | None
    #: how many commits are between both; None where this clone does not know
    commits: int | None
    #: ids of what the name leads to
    here: str | None
    there: str | None

    def where(self, remote: str | None) -> str:
        """Say where it exists, for people."""
        if self.here is None:
            return f"{remote} only"
        if remote is None:
            return "here"
        if self.there is None:
            return "here only"
        return f"here, {remote}" if self.here == self.there else f"differs on {remote}"


def rows(reading: Reading) -> list[Row]:
    """List the milestones of both sides in the order of the weeks."""
    places = _places(reading)
    commits = {place: _commit(reading, name) for place, name in places.items()}
    known = {tag.target for tag in reading.milestones.values() if tag.kind == "commit"}
    kinds = git_tags.kinds(reading.root, {one for one in commits.values() if one is not None} - known)
    history = History(
        git_tags.history(reading.root, [*known, *(one for one, kind in kinds.items() if kind == "commit")])
    )
    found: list[Row] = []
    before: Row | None = None
    for place in places:
        before = _row(reading, place, commits[place], before, history)
        found.append(before)
    return found


def _places(reading: Reading) -> dict[Place, str]:
    names = {*reading.tags, *(reading.remote.tags if reading.remote is not None else ())}
    placed = ((reading.names.place(name), name) for name in names)
    return dict(sorted((place, name) for place, name in placed if place is not None))


def _commit(reading: Reading, name: str) -> str | None:
    tag = reading.tags.get(name)
    if tag is not None:
        return tag.target if tag.kind == "commit" else None
    return reading.remote.tags[name].peeled if reading.remote is not None else None


def _row(reading: Reading, place: Place, commit: str | None, before: Row | None, history: History) -> Row:
    name = reading.names.of(place)
    tag = reading.tags.get(name)
    inner = tag.object if tag is not None else None
    seconds = inner.seconds if inner is not None else None
    if seconds is None and commit is not None:
        seconds = history.seconds(commit)
    return Row(
        name=name,
        week=place.number,
        finished=place.finished,
        seconds=seconds,
        zone=inner.zone if inner is not None else "+0000",
        commit=commit,
        after=before.name if before is not None else None,
        commits=_count(reading, history, before, commit),
        here=reading.here(name),
        there=reading.there(name),
    )


def _count(reading: Reading, history: History, before: Row | None, commit: str | None) -> int | None:
    """How many commits came; what a shallow clone has cut off would make it too few."""
    if commit is None or history.seconds(commit) is None or reading.clone.shallow:
        return None
    after = before.commit if before is not None else None
    if after is not None and history.seconds(after) is None:
        return None
    return len(history.between(after, commit))

"""How milestones are named: `week2-start` where a week begins, `week2` where it is finished."""

import os
import re
import shlex
from typing import NamedTuple

from msgspec import Struct

#: words that people write for the two ends of a week
_STARTS = ("start", "begin", "beginning", "started", "starting", "s")
_FINISHES = ("", "end", "finish", "finished", "done", "complete", "completed", "final", "f")


def typed(*names: str) -> str:
    """Write names as the arguments of a command in a line for a shell: somebody else may have chosen them."""
    ends = "-- " if any(name.startswith("-") for name in names) else ""
    return ends + " ".join(shlex.quote(name) if name.isprintable() else _escaped(name) for name in names)


def _escaped(name: str) -> str:
    """Write what cannot be shown, such as a byte that is no UTF-8, as bash and zsh read it."""
    bare = re.compile(rb"[ -&(-\[\]-~]")
    letters = (bytes((byte,)) for byte in os.fsencode(name))
    plain = (one.decode() if bare.fullmatch(one) else f"\\x{one.hex()}" for one in letters)
    return f"$'{''.join(plain)}'"


def other_branch(remote: str, name: str, commit: str) -> str:
    """The line that gives a branch of a remote another name."""
    moves = typed(f"{commit}:refs/heads/{name}-work", f":refs/heads/{name}")
    return f"git fetch {typed(remote)} && git push {typed(remote)} {moves}"


class Place(NamedTuple):
    """Where a milestone stands in the order of the weeks: a week's start comes before its finish."""

    number: int
    finished: bool


class Drift(NamedTuple):
    """A name that means a milestone but is not written like one, and the name that it should have."""

    name: str
    meant: str
    #: whether nothing but the spelling differs; else a word or a second number goes lost
    plain: bool


class Names(Struct, frozen=True):
    """The names of one project's milestones."""

    prefix: str = "week"

    def start(self, number: int) -> str:
        """Name the tag where a week begins."""
        return f"{self.prefix}{number}-start"

    def finish(self, number: int) -> str:
        """Name the tag where a week is finished."""
        return f"{self.prefix}{number}"

    def of(self, place: Place) -> str:
        """Name the tag at a place."""
        return self.finish(place.number) if place.finished else self.start(place.number)

    def place(self, name: str) -> Place | None:
        """Where the tag `name` stands; None for one that is no milestone's."""
        found = re.fullmatch(rf"{re.escape(self.prefix)}(0|[1-9][0-9]{{0,5}})(-start)?", name, re.ASCII)
        return Place(int(found[1]), found[2] is None) if found else None

    def concerns(self, name: str) -> bool:
        """Whether `name` is a milestone's, or means one."""
        return self.place(name) is not None or self.drift(name) is not None

    def number(self, name: str) -> int | str:
        """The week of a milestone's name, to be typed in a command."""
        place = self.place(name)
        return place.number if place is not None else "WEEK"

    def title(self, place: Place) -> str:
        """Name the milestone for people; the first line of its message where nobody gives another."""
        return f"{self.week(place.number)} {'finishes' if place.finished else 'starts'}"

    def week(self, number: int) -> str:
        """Name the week for people: "Week 2"."""
        return f"{self.prefix[:1].upper()}{self.prefix[1:]} {number}"

    def drift(self, name: str) -> Drift | None:
        """See in a name like `Week03`, `week_2_end`, `week6-7` or `week8_code` which milestone is meant.

        Of several weeks it is the last, where they are finished; None for any other name.
        """
        if self.place(name) is not None:
            return None
        found = re.fullmatch(
            rf"{re.escape(self.prefix)}s?[-_.]?([0-9]{{1,6}})(?:[-_.+&]([0-9]{{1,6}}))?"
            r"[-_.]?([a-z][a-z0-9_.-]*)?",
            name,
            re.ASCII | re.IGNORECASE,
        )
        if found is None:
            return None
        word, first, last = (found[3] or "").lower(), int(found[1]), int(found[2] or found[1])
        if found[2] is not None and last <= first:
            return None  # a version, or a day
        starts = word.startswith("start") or word in _STARTS
        meant = self.of(Place(first if starts else last, not starts))
        return Drift(name, meant, plain=first == last and (word in _STARTS or word in _FINISHES))

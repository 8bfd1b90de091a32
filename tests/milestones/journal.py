"""The history of a journal that tagged too early, and renamed with `git tag new old`."""

from typing import NamedTuple

from tests.milestones.repositories import ZONE, Clone

#: what the first `week2` says; it became `week2-start`
TAGGED = 1_677_479_453
MESSAGE = "my week-2 commits\n"
TAGGER = "A Student <student@example.com>"
#: what the second `week2` says
FINISHED = 1_677_916_011


class Journal(NamedTuple):
    """What stands in the repository, here and on the remote."""

    #: the object that both copies of `week2-start` name, and that calls itself `week2`
    start: str
    #: the object of the second `week2`
    finish: str
    #: the commit that `week2-start` is about
    commit: str


def write_journal(clone: Clone, *later: str) -> Journal:
    """Tag, push, rename and delete in the order of the journal; `later` are names of further milestones."""
    clone.write("journal/week1.md", "# Week 1\n")
    clone.commit("Write about week 1")
    clone.write("journal/week2.md", "# Week 2\n")
    commit = clone.commit("Write about week 2")
    identity = {"GIT_COMMITTER_NAME": "A Student", "GIT_COMMITTER_EMAIL": "student@example.com"}
    clone.git(
        *("tag", "-a", "week2", "-m", MESSAGE.strip()),
        env={**identity, "GIT_COMMITTER_DATE": f"{TAGGED} {ZONE}"},
    )
    clone.git("push", "--quiet", "origin", "main", "week2")
    # The rename of the journal: the new name leads to the object of the old one.
    clone.git("tag", "week2-start", "week2")
    clone.git("tag", "-d", "week2")
    clone.git("push", "--quiet", "origin", "week2-start", ":week2")
    clone.write("journal/week2.md", "# Week 2\n\nTraces arrive.\n")
    clone.commit("Finish week 2")
    clone.git(
        *("tag", "-a", "week2", "-m", "finished week2 work"),
        env={**identity, "GIT_COMMITTER_DATE": f"{FINISHED} {ZONE}"},
    )
    clone.git("push", "--quiet", "origin", "main", "week2")
    for name in later:
        clone.commit(f"Work for {name}")
        clone.tag(name)
        clone.git("push", "--quiet", "origin", "main", f"refs/tags/{name}")
    tags = clone.tags()
    return Journal(tags["week2-start"], tags["week2"], commit)


def mended(name: str = "week2-start", commit: str = "") -> bytes:
    """The bytes that the mended tag object must have: all of the old one, but its own name."""
    return f"object {commit}\ntype commit\ntag {name}\ntagger {TAGGER} {TAGGED} {ZONE}\n\n{MESSAGE}".encode()

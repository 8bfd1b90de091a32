"""The message of a new milestone: what somebody wrote, or the commits since the milestone before."""

from collections.abc import Sequence
from typing import NamedTuple

from bootstrap.milestones.names import Place
from bootstrap.milestones.reading import Reading, Tag
from bootstrap.system import git_log

#: commits that a message names; the rest is counted
_NAMED = 100


class Previous(NamedTuple):
    """The milestone before a place, where there is one."""

    name: str
    commit: str


def previous(reading: Reading, place: Place) -> Previous | None:
    """Find the last milestone of this clone before a place, by the order of the weeks."""
    earlier = [tag for at, tag in reading.milestones.items() if at < place and tag.kind == "commit"]
    last: Tag | None = earlier[-1] if earlier else None
    return Previous(last.name, last.target) if last is not None else None


def default(title: str, since: str | None, commits: Sequence[git_log.Line]) -> str:
    """The title, and one line a commit, newest first."""
    if not commits:
        return title if since is None else f"{title}\n\nNo commits since {since}."
    count = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
    head = f"{count} since {since}:" if since is not None else f"{count}:"
    lines = [f"- {one.id[:7]} {one.subject}" for one in commits[:_NAMED]]
    if len(commits) > _NAMED:
        lines.append(f"- and {len(commits) - _NAMED} more")
    return "\n".join((title, "", head, "", *lines))

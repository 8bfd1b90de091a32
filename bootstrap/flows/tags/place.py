"""Where tags are worked on: the clone, the names of its milestones, and the remote that is meant."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootstrap.milestones.names import Names, typed
from bootstrap.milestones.reading import Reading, ask
from bootstrap.model.errors import BootstrapError, NotConfiguredError, UsageError
from bootstrap.system import git, git_remote
from bootstrap.system.git_remote import Remote


class TagPlace(Struct, frozen=True):
    """One clone, and what somebody said about its remote."""

    root: Path
    names: Names
    #: the remote that was named; None: the one that there is
    named: str | None = None


def read(place: TagPlace, notes: list[str], *, needs: bool) -> Reading:
    """Read the clone, and ask its remote.

    `needs` says whether the remote is to be changed: then there has to be exactly one that is meant, and it
    has to answer. Otherwise what is not known of it becomes a sentence in `notes`.
    """
    remote = chosen(place, notes, needs=needs)
    if remote is None:
        return Reading(place.root, place.names)
    try:
        answered = ask(place.root, remote)
    except BootstrapError as error:
        if needs:
            raise
        notes.append(f"{error.message}: only this clone is looked at")
        return Reading(place.root, place.names, silent=remote.name)
    return Reading(place.root, place.names, answered)


def chosen(place: TagPlace, notes: list[str], *, needs: bool) -> Remote | None:
    """Find the remote that is meant; None where there is none and none is needed."""
    if not git.installed():
        raise NotConfiguredError("git is not installed", "Install it, for example: sudo apt-get install git")
    remotes, default = git_remote.remotes(place.root)
    by_name = {remote.name: remote for remote in remotes}
    name = place.named or (default if default in by_name else None)
    if name is not None and name not in by_name:
        known = f"There are: {', '.join(by_name)}" if by_name else "There is none: git remote add origin URL"
        raise UsageError(f"this clone has no remote {name!r}", known)
    if not remotes:
        if needs:
            raise NotConfiguredError("this clone has no remote", "Add one: git remote add origin URL")
        return None
    remote = by_name[name] if name is not None else _only(remotes, notes, needs=needs)
    if needs and len(remote.pushes_to) > 1:
        raise BootstrapError(
            f"{remote.name} pushes to {len(remote.pushes_to)} places, which cannot be one step",
            "Give each a remote of its own: git remote add NAME URL",
        )
    return remote


def _only(remotes: Sequence[Remote], notes: list[str], *, needs: bool) -> Remote:
    if len(remotes) == 1:
        return remotes[0]
    names = [remote.name for remote in remotes]
    likely = next((remote for remote in remotes if remote.name == "origin"), remotes[0])
    if needs:
        name = typed(likely.name)
        raise UsageError(
            f"this clone has several remotes: {', '.join(names)}",
            f"Name one: --remote {name}, or for good: git config remote.pushDefault {name}",
        )
    others = ", ".join(name for name in names if name != likely.name)
    notes.append(f"only {likely.name} was asked, not {others}: name another with --remote")
    return likely


def read_both(place: TagPlace, notes: list[str], *, needs: bool = False) -> Reading:
    """Read the clone and its remote, to change both; unless it `needs` one, a clone may do without."""
    remotes, _ = git_remote.remotes(place.root)
    if not remotes and place.named is None and not needs:
        notes.append("this clone has no remote: only what is here changes")
        return Reading(place.root, place.names)
    return read(place, notes, needs=True)

"""What speaks against giving a name to a tag, each with the way out."""

from bootstrap.milestones.names import Place, other_branch, typed
from bootstrap.milestones.ranges import History
from bootstrap.milestones.reading import Reading
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.system import git_log, git_tags


def check_name(reading: Reading, name: str) -> None:
    """Refuse a name that git refuses, or that git and shells would take for something else."""
    if not git_tags.valid_name(reading.root, name):
        raise UsageError(f"{name!r} is no name that git takes for a tag", "See: git help check-ref-format")
    if name.startswith(("-", "refs/")) or name in ("HEAD", "@", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD"):
        raise UsageError(
            f"{name!r} would be taken for something else by git", "Choose a name that begins with a letter."
        )


def check_branch(reading: Reading, name: str) -> None:
    """Refuse a name that a branch has, here or on the remote: `git push` takes neither of the two then."""
    if name in reading.heads:
        raise BootstrapError(
            f"a branch here is called {name}, too: git would not know which one is meant",
            f"Give the branch another name: git branch -m {typed(name, name + '-work')}",
        )
    if reading.remote is not None and name in reading.remote.heads:
        where = reading.remote_name
        raise BootstrapError(
            f"a branch on {where} is called {name}, too: git would not know which one is meant",
            f"Give it another name there: {other_branch(where, name, reading.remote.heads[name])}",
        )


def check_free(reading: Reading, name: str) -> None:
    """Refuse a name that a tag has, here or on the remote, or that stands in the way of one as a folder."""
    here, there = reading.here(name), reading.there(name)
    if here is not None and there is not None and here != there:
        raise BootstrapError(
            f"{name} exists already, here and on {reading.remote_name}, and they differ",
            "See how: bootstrap tag check",
        )
    if here is not None:
        raise BootstrapError(
            f"{name} exists already, here{' and on ' + reading.remote_name if there else ''}",
            f"See what is in it: git show {typed('refs/tags/' + name)}. To use the name again: "
            f"bootstrap tag rename {typed(name, 'old-' + name)}",
        )
    if there is not None:
        raise BootstrapError(
            f"{name} exists already on {reading.remote_name}, not here", "Get it: bootstrap tag sync"
        )
    names = {*reading.tags, *(reading.remote.tags if reading.remote is not None else ())}
    blocking = next((one for one in names if one.startswith(name + "/") or name.startswith(one + "/")), None)
    if blocking is not None:
        raise BootstrapError(
            f"{name} and {blocking} cannot both exist: git keeps tags in folders",
            f"Rename that one first: bootstrap tag rename {typed(blocking, blocking.replace('/', '-'))}",
        )


def check_standing(reading: Reading, commit: str, *, named: bool) -> None:
    """Refuse a commit that only a detached HEAD has, unless somebody named it."""
    if reading.clone.branch is not None or named:
        return
    if not git_log.branches_with(reading.root, commit):
        raise BootstrapError(
            "HEAD is detached, and no branch has its commit: a milestone there would be beside the history",
            f"Keep it on a branch: git switch -c NAME, or mean it: --at {commit[:10]}",
        )


def check_order(reading: Reading, place: Place, commit: str) -> None:
    """Refuse a finish that its own start does not lead to, and the other way round."""
    other = reading.milestones.get(Place(place.number, not place.finished))
    if other is None or other.kind != "commit":
        return
    first, last = (other.target, commit) if place.finished else (commit, other.target)
    history = History(git_tags.history(reading.root, (first, last)))
    if history.leads_to(first, last):
        return
    if reading.clone.shallow:
        raise BootstrapError(
            f"this clone is shallow: whether {other.name} is on the way is not known here",
            "Get the commits: git fetch --unshallow",
        )
    name = reading.names.of(place)
    wrong = f"{other.name} does not lead to it" if place.finished else f"it does not lead to {other.name}"
    raise BootstrapError(
        f"{name} cannot be at {commit[:10]}: {wrong}",
        f"Name another commit: --at COMMIT. See: git log --oneline --graph {first[:10]} {last[:10]}",
    )

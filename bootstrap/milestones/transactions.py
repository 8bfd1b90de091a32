"""Carries out a plan so that a kill at any moment loses nothing, and leaves what `check` can name and finish.

The order: keep what is about to lose its name under refs/bootstrap; change the remote, in one atomic push
where it takes one; create and move here; read that back; only then delete here. Every edit has a lease: where
a name has moved meanwhile, nothing is changed. There is no journal: which step was the last one follows from
the refs (see `findings`), on this clone and on every other one.
"""

from collections.abc import Sequence
from pathlib import Path

from bootstrap.milestones.plans import Plan, ordered
from bootstrap.milestones.reading import DELETED, REPLACED
from bootstrap.model.errors import BootstrapError, RemoteRefusedError
from bootstrap.system import git_remote, git_tags
from bootstrap.system.git_remote import NotAtomicError, Refusal, Remote
from bootstrap.system.git_tags import TAGS, Edit


def takes_atomic(root: Path, remote: Remote, edits: Sequence[Edit]) -> bool:
    """Ask the remote, by rehearsing the push, whether it takes it in one step; nothing is changed.

    Raises RemoteRefusedError where it would not take it at all: a name has moved, or nobody may push.
    """
    edits = ordered(edits)
    try:
        check_refusals(remote, git_remote.push(root, remote, edits, atomic=True, rehearse=True))
    except NotAtomicError:
        check_refusals(remote, git_remote.push(root, remote, edits, atomic=False, rehearse=True))
        return False
    return True


def execute(root: Path, plan: Plan) -> None:
    """Do what the plan says; raises UnchangedError, with everything as it was, where the remote says no."""
    if plan.remote is not None:
        git_remote.fetch(root, plan.remote, plan.fetches)
    kept = _keep(root, plan)
    if plan.remote is not None and plan.remote_edits:
        try:
            _push_and_ask(root, plan.remote, plan.remote_edits)
        except UnchangedError:
            git_tags.update(root, [Edit(edit.name, edit.after, None) for edit in kept])
            raise
    _change_here(root, plan)


def _keep(root: Path, plan: Plan) -> list[Edit]:
    """Keep what is about to lose its name; returns what was not kept before."""
    there = {ref.name: ref.id for ref in git_tags.refs(root, "refs/bootstrap/")} if plan.kept else {}
    edits = [Edit(name, None, one) for name, one in plan.kept if name not in there]
    git_tags.update(root, edits)
    return edits


def _push_and_ask(root: Path, remote: Remote, edits: Sequence[Edit]) -> None:
    """Push; where the answer was lost, or a hook here said no, ask the remote what has come of it.

    Raises UnchangedError where nothing has, RemoteRefusedError where that cannot be known.
    """
    try:
        _push(root, remote, edits)
    except (UnchangedError, HalfwayError):
        raise
    except RemoteRefusedError as error:
        tags, _ = git_remote.listing(root, remote)
        now = [tags[name].id if (name := edit.name.removeprefix(TAGS)) in tags else None for edit in edits]
        if now == [edit.after for edit in edits]:
            return
        if now == [edit.before for edit in edits]:
            raise UnchangedError(f"{error.message}: nothing was changed", error.hint) from error
        raise


class UnchangedError(RemoteRefusedError):
    """The remote has answered for every name, and changed none."""


class HalfwayError(RemoteRefusedError):
    """A remote that takes no atomic push has taken the first part of one."""


def _push(root: Path, remote: Remote, edits: Sequence[Edit]) -> None:
    edits = ordered(edits)
    try:
        check_refusals(remote, git_remote.push(root, remote, edits, atomic=True))
    except NotAtomicError:
        _push_in_order(root, remote, edits)


def _push_in_order(root: Path, remote: Remote, edits: Sequence[Edit]) -> None:
    """Push what creates and moves, look whether it has arrived, and only then push what takes away."""
    first = [edit for edit in edits if edit.after is not None]
    last = [edit for edit in edits if edit.after is None]
    done: list[Edit] = []
    for edit in first:  # one at a time, so that a refusal is of one name
        try:
            check_refusals(remote, git_remote.push(root, remote, [edit], atomic=False))
        except RemoteRefusedError as error:
            raise (_halfway(error, done) if done else error) from error
        done.append(edit)
    if first and last:
        _check_arrived(root, remote, first)
    for edit in last:
        try:
            check_refusals(remote, git_remote.push(root, remote, [edit], atomic=False))
        except RemoteRefusedError as error:
            raise (_halfway(error, done) if done else error) from error
        done.append(edit)


def _check_arrived(root: Path, remote: Remote, edits: Sequence[Edit]) -> None:
    tags, _ = git_remote.listing(root, remote)
    for edit in edits:
        name = edit.name.removeprefix(TAGS)
        if name not in tags or tags[name].id != edit.after:
            raise HalfwayError(
                f"{remote.name} took {name}, but does not have it: nothing was deleted",
                "See what state it is in: bootstrap tag check",
            )


def _halfway(error: RemoteRefusedError, done: Sequence[Edit]) -> HalfwayError:
    names = ", ".join(edit.name.removeprefix(TAGS) for edit in done)
    return HalfwayError(
        f"{error.message}; changed there before that: {names}",
        "Nothing is lost. See what is left to do: bootstrap tag check",
    )


def check_refusals(remote: Remote, refusals: Sequence[Refusal]) -> None:
    """Raise UnchangedError for the first name that was refused for itself, not because of another."""
    if not refusals:
        return
    own = [one for one in refusals if "atomic push fail" not in one.why] or list(refusals)
    first = own[0]
    name = first.name.removeprefix(TAGS)
    if first.stale:
        raise UnchangedError(
            f"{name} has moved on {remote.name} since it was last read here: nothing was changed",
            "See what is there now: bootstrap tag check, then: bootstrap tag sync",
        )
    raise UnchangedError(
        f"{remote.name} refused to change {name}: {first.why}",
        "A hook or a rule protects it: ask who looks after the repository (on GitHub: Settings > Rules; on "
        "GitLab: Settings > Repository > Protected tags). Nothing was changed.",
    )


def _change_here(root: Path, plan: Plan) -> None:
    left = _not_done_yet(root, plan.local_edits)
    arriving = [edit for edit in left if edit.after is not None]
    leaving = [edit for edit in left if edit.after is None]
    try:
        git_tags.update(root, [*arriving, *_alive_again(root, plan.local_edits)])
        _check_here(root, arriving)
        git_tags.update(root, leaving)
    except BootstrapError as error:
        if not plan.remote_edits or plan.remote is None:
            raise
        raise BootstrapError(
            f"{error.message} ({plan.remote.name} has changed already)",
            "Finish it: bootstrap tag check --fix",
        ) from error


def _not_done_yet(root: Path, edits: Sequence[Edit]) -> list[Edit]:
    """Leave out what git has done with the push: it does so where remote.NAME.fetch has refs/tags/*."""
    now = {ref.name: ref.id for ref in git_tags.refs(root, *(edit.name for edit in edits))} if edits else {}
    return [edit for edit in edits if now.get(edit.name) != edit.after]


def _alive_again(root: Path, edits: Sequence[Edit]) -> list[Edit]:
    """Forget that something was replaced or deleted, where it gets the same name again."""
    wanted = {
        f"{folder}{edit.name.removeprefix(TAGS)}/{edit.after}"
        for edit in edits
        for folder in (REPLACED, DELETED)
    }
    kept = git_tags.refs(root, REPLACED, DELETED) if wanted else []
    return [Edit(ref.name, ref.id, None) for ref in kept if ref.name in wanted]


def _check_here(root: Path, edits: Sequence[Edit]) -> None:
    """Read back what was written, names and objects, before anything is deleted."""
    if not edits:
        return
    now = {ref.name: ref.id for ref in git_tags.refs(root, *(edit.name for edit in edits))}
    found = git_tags.kinds(root, [edit.after for edit in edits if edit.after is not None])
    for edit in edits:
        if now.get(edit.name) != edit.after or edit.after not in found:
            raise BootstrapError(
                f"{edit.name} is not what was written: nothing was deleted", "See what is wrong: git fsck"
            )

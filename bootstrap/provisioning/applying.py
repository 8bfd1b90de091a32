"""Does what was planned, one change after the other, and says of each what became of it."""

from collections.abc import Callable, Mapping

from bootstrap.model.errors import BootstrapError, RemoteRefusedError, UnreachableError
from bootstrap.provisioning.interface import Action, Change, Found, Outcome, Owner, Plan, Provider
from bootstrap.provisioning.planning import drift_of, whose


def carry_out(
    plan: Plan,
    owners: Mapping[str, Owner],
    providers: Mapping[str, Provider],
    tell: Callable[[Change], None] = lambda _change: None,
) -> Outcome:
    """Do it, calling `tell` before each change. What is refused is in the outcome, never raised.

    One refusal ends nothing but what needs it; a provider that cannot be reached is not asked again.
    """
    done: list[Change] = []
    failed: list[tuple[Change, str, str]] = []
    skipped: list[Change] = []
    silent: set[str] = set()
    for change in plan.pending:
        missing = [*(one for one, _, _ in failed), *skipped]
        if change.resource.provider in silent or any(_needs(change, other) for other in missing):
            skipped.append(change)
            continue
        tell(change)
        provider = providers[change.resource.provider]
        try:
            _do(change, owners[change.resource.provider], provider)
        except UnreachableError as error:
            silent.add(change.resource.provider)
            failed.append((change, error.message, error.hint))
        except BootstrapError as error:
            failed.append((change, error.message, error.hint))
        else:
            done.append(change)
        finally:
            provider.forget()
    return Outcome(tuple(done), tuple(failed), tuple(skipped))


def _needs(change: Change, other: Change) -> bool:
    """Whether a change cannot be tried after another one was not made: removing goes the other way round."""
    if change.action is Action.DELETE:
        return change.resource.key in other.resource.after
    return other.resource.key in change.resource.after


def _do(change: Change, owner: Owner, provider: Provider) -> None:
    resource, found = change.resource, change.found
    if found is None:
        _create(change, owner, provider)
        return
    names = frozenset(drift.name for drift in change.drift)
    if change.action is Action.DELETE:
        _delete(change, found, provider)
        return
    if change.action is Action.ADOPT:
        resource.adopt(found, owner)
    if names:
        _update(change, found, names, provider)


def _update(change: Change, found: Found, names: frozenset[str], provider: Provider) -> None:
    """Bring it to what is wanted; what is so by now is done, whatever the answer to a second try was."""
    try:
        change.resource.update(found, names)
    except UnreachableError:
        raise
    except BootstrapError:
        there = _look_again(change, provider)
        if there is None or drift_of(change.resource, there):
            raise


def _create(change: Change, owner: Owner, provider: Provider) -> None:
    """Make it. An answer that was lost leaves something behind, and so does a part that was refused.

    What is there afterwards with our repository's mark, whoever was faster, is brought to what is wanted;
    only that may fail then.
    """
    resource = change.resource
    try:
        resource.create(owner)
    except UnreachableError:
        raise
    except BootstrapError:
        there = _look_again(change, provider)
        if there is None:
            raise
        theirs = there.owner is None or there.owner.repository != owner.repository
        if theirs and resource.markable and not there.adopted:
            raise RemoteRefusedError(
                f"{resource.key} exists by now, and is not ours: {whose(there)}",
                "See what is there: bootstrap provision plan",
            ) from None
        names = frozenset(drift.name for drift in drift_of(resource, there))
        if names:
            resource.update(there, names)


def _delete(change: Change, found: Found, provider: Provider) -> None:
    """Remove it; what is gone, whoever removed it, is gone. What has become a reason to keep it counts."""
    if change.resource.fills and change.hold is None:
        # Somebody may have thought about it for an hour, in which lines were written.
        hold = change.resource.holds(found)
        if hold is not None:
            raise RemoteRefusedError(f"{change.resource.key} {hold.reason}, since a moment ago", hold.hint)
    try:
        change.resource.delete(found)
    except UnreachableError:
        raise
    except BootstrapError:
        provider.forget()
        if change.resource.find() is not None:
            raise


def _look_again(change: Change, provider: Provider) -> Found | None:
    """What is there after an error, as far as it can be seen."""
    provider.forget()
    try:
        return change.resource.find()
    except BootstrapError:
        return None

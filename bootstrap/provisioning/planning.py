"""What is to be done about each resource, from what is wanted and what is there; only `look` asks anybody."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from graphlib import TopologicalSorter
from shlex import quote

from msgspec import Struct, field
from msgspec.structs import replace

from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.provisioning.interface import (
    Action,
    Change,
    Direction,
    Drift,
    Found,
    Hold,
    Owner,
    Plan,
    Resource,
)
from bootstrap.system import at_once
from bootstrap.system.aws_caller import together


class Seen(Struct, frozen=True):
    """One resource as it is: `hold` is why it should stay, asked only where somebody wants it removed."""

    found: Found | None = None
    hold: Hold | None = None


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody wants: `owners` has our mark for each provider."""

    owners: Mapping[str, Owner]
    direction: Direction = "apply"
    #: names, or keys, of what may be taken over from others
    adopt: Collection[str] = field(default=frozenset())
    #: for which vendors it is; empty for all of them
    vendors: Collection[str] = field(default=frozenset())
    #: whether log groups go with the events that they hold
    with_logs: bool = False


def look(resources: Sequence[Resource], *, removing: bool = False) -> dict[str, Seen]:
    """Look at all at once. Raises the first error in their order, or all refusals by policy in one."""
    futures = at_once.ask(partial(_look, resource, removing=removing) for resource in resources)
    errors = [error for future in futures if (error := future.exception()) is not None]
    unexpected = next((error for error in errors if not isinstance(error, BootstrapError)), None)
    if errors:
        raise unexpected or together([error for error in errors if isinstance(error, BootstrapError)])
    return {resource.key: future.result() for resource, future in zip(resources, futures, strict=True)}


def _look(resource: Resource, *, removing: bool) -> Seen:
    found = resource.find()
    removing = removing or resource.unwanted
    return Seen(found, resource.holds(found) if found is not None and removing else None)


def plan(resources: Sequence[Resource], seen: Mapping[str, Seen], wish: Wish) -> Plan:
    """Decide about everything. Raises UsageError where `adopt` names what is not among the resources."""
    _check_adopted(resources, wish.adopt)
    every = {resource.key: resource for resource in resources}
    order = list(TopologicalSorter({key: _before(one, every) for key, one in every.items()}).static_order())
    if wish.direction == "destroy":
        order.reverse()
    else:  # first what comes, and then what goes, the other way round
        going = [key for key in reversed(order) if every[key].unwanted]
        order = [key for key in order if not every[key].unwanted] + going
    changes: dict[str, Change] = {}
    for key in order:
        change = decide(every[key], seen[key], wish)
        if change is not None:
            changes[key] = _with_neighbours(change, changes, wish.direction)
    return Plan(tuple(changes.values()))


def _before(resource: Resource, every: Mapping[str, Resource]) -> Iterator[str]:
    """What else of the plan has to be there first; what is not of the plan is there, or nobody's matter."""
    return (key for key in resource.after if key in every)


def _check_adopted(resources: Iterable[Resource], adopt: Collection[str]) -> None:
    names = {name: None for resource in resources for name in (resource.name, resource.key)}
    for name in adopt:
        if name not in names:
            known = ", ".join(dict.fromkeys(resource.name for resource in resources))
            raise UsageError(f"--adopt {name}: there is no such resource in this project", f"Names: {known}")


def decide(resource: Resource, seen: Seen, wish: Wish) -> Change | None:
    """Decide about one resource by itself; None where there is nothing to say."""
    owner = wish.owners[resource.provider]
    if wish.direction == "destroy" or resource.unwanted:
        return _removal(resource, seen, owner, wish)
    found = seen.found
    drift = drift_of(resource, found)
    names = frozenset(one.name for one in drift)
    account = resource.admits(names)
    admitting = f"lets in somebody of another account, {account}" if account else ""
    if found is None:
        return Change(Action.CREATE, resource, drift, reason=admitting)
    explained = _both(admitting, resource.explained(names) if drift else "")
    if resource.markable and not found.adopted and not _same_repository(found, owner):
        if resource.name in wish.adopt or resource.key in wish.adopt:
            return Change(Action.ADOPT, resource, drift, found, _both(whose(found), explained))
        if resource.shared and not drift:
            return Change(Action.KEEP, resource, drift, found, "" if found.owner is None else whose(found))
        hint = f"To have it updated from here on: bootstrap provision apply --adopt {quote(resource.name)}"
        return Change(Action.LEAVE, resource, drift, found, f"exists, not ours: {whose(found)}", hint)
    reason = "" if not resource.markable or found.owner == owner else whose(found)
    return Change(Action.UPDATE if drift else Action.KEEP, resource, drift, found, _both(reason, explained))


def _both(*texts: str) -> str:
    return "; ".join(filter(None, texts))


def _same_repository(found: Found, owner: Owner) -> bool:
    return found.owner is not None and found.owner.repository == owner.repository


def admitted(plan: Plan) -> tuple[str, ...]:
    """The other accounts that somebody would be let in from who was not before."""
    names = (
        change.resource.admits(frozenset(one.name for one in change.drift))
        for change in plan.pending
        if change.action is not Action.DELETE
    )
    return tuple(dict.fromkeys(filter(None, names)))


def drift_of(resource: Resource, found: Found | None) -> tuple[Drift, ...]:
    """Every field that is not as it is wanted."""
    there = {} if found is None else found.fields
    return tuple(
        Drift(name, there.get(name), wanted)
        for name, wanted in resource.wanted().items()
        if found is None or there.get(name) != wanted
    )


def whose(found: Found) -> str:
    """Say what the mark on it says."""
    if found.adopted:
        return "adopted, made by somebody else"
    if found.owner is None:
        return "it has no mark of ours"
    return f"made by {found.owner.maker} for {found.owner.repository}"


def _removal(resource: Resource, seen: Seen, owner: Owner, wish: Wish) -> Change | None:
    found, hold = seen.found, seen.hold
    if found is None:
        return None
    stays = _stays(resource, found, hold, owner, wish)
    if stays is not None:
        reason, hint = stays
        return Change(Action.LEAVE, resource, (), found, reason, hint)
    why = "the manifest has it no longer" if resource.unwanted else ""
    reason = _both(why, hold.reason if hold else resource.remains)
    return Change(Action.DELETE, resource, (), found, reason, hold=hold)


def _stays(
    resource: Resource, found: Found, hold: Hold | None, owner: Owner, wish: Wish
) -> tuple[str, str] | None:
    """Why it is not removed, and what would change that; None where it is."""
    if not resource.markable:
        return "has no place for a mark, so that nobody knows whose it is", ""
    if resource.shared and hold is not None:
        return hold.reason, hold.hint
    if found.owner != owner:
        return f"not ours to remove: {whose(found)}", ""
    others = sorted(resource.vendors.difference(wish.vendors)) if wish.vendors else ()
    if others:
        return f"needed for {', '.join(others)}, too", ""
    if hold is not None and not (hold.lost and wish.with_logs):
        return hold.reason, hold.hint
    return None


def _with_neighbours(change: Change, earlier: Mapping[str, Change], direction: Direction) -> Change:
    """Leave what cannot be done because of what is left: `earlier` has everything that goes first."""
    if not change.changes:
        return change
    resource = change.resource
    if direction == "destroy" or resource.unwanted:
        for other in earlier.values():
            if other.action is Action.LEAVE and resource.key in other.resource.after:
                reason = f"used by {other.resource.key}, which stays"
                return replace(change, action=Action.LEAVE, reason=reason)
        return change
    for key in resource.after:
        other_change = earlier.get(key)
        if other_change is not None and other_change.action is Action.LEAVE:
            reason = f"needs {key}, which is not ours"
            return replace(change, action=Action.LEAVE, reason=reason, hint=other_change.hint)
    return change

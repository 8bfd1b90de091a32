"""Copying secrets from one store to another: planned, resumable, each name's fate told."""

from collections.abc import Iterator, Sequence
from enum import Enum

from msgspec import Struct

from bootstrap.flows.secrets.journal import Journal
from bootstrap.flows.secrets.keep import keep, keepable
from bootstrap.model.errors import UsageError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Outcome, Place, SecretStore


class Step(Enum):
    """What copying would do with one name."""

    ADD = "add"
    REPLACE = "replace"
    SAME = "same already"
    SEND = "send, the target cannot be read"
    SENT = "sent already"


class Copy(Struct, frozen=True):
    """What is to be copied where."""

    target: SecretStore
    values: dict[str, Secret]
    #: names that were asked for, or declared, and that the source does not have
    missing: tuple[str, ...]
    #: names in the source that no secret may have
    left: tuple[str, ...] = ()
    #: what a target that cannot be read was sent before, as it was
    sent: frozenset[str] = frozenset()


def prepare(
    place: Place,
    source: SecretStore,
    target: SecretStore,
    *,
    names: Sequence[str],
    declared: Sequence[str],
    again: bool,
) -> Copy:
    """Read the source: `names`, or everything that it has (of the declared ones, where it cannot list).

    What a target that cannot be read was sent before is sent once more only if `again`.
    """
    if source.name == target.name:
        raise UsageError(f"{source.name} is both source and target", "Name two stores.")
    if not source.readable:
        raise UsageError(
            f"{source.title} cannot be read back", "Copy from where the values were set, or set them again."
        )
    listed = source.names()
    found = tuple(names) or (tuple(declared) if listed is None else tuple(sorted(listed)))
    wanted = tuple(name for name in found if keepable(name))
    values = source.get_many(wanted)
    ordered = {name: values[name] for name in wanted if name in values}
    sent = frozenset() if again or target.readable else Journal(place, target).knows(ordered)
    there = target.names() if sent else None
    return Copy(
        target,
        ordered,
        missing=tuple(name for name in wanted if name not in values),
        left=tuple(name for name in found if name not in wanted),
        sent=sent if there is None else sent & there,
    )


def plan(copy: Copy) -> dict[str, Step]:
    """Say what copying would do; asks the target, and changes nothing."""
    if not copy.target.readable:
        return {name: Step.SENT if name in copy.sent else Step.SEND for name in copy.values}
    there = copy.target.get_many(copy.values)
    return {
        name: Step.ADD if name not in there else Step.SAME if there[name] == value else Step.REPLACE
        for name, value in copy.values.items()
    }


def run(place: Place, copy: Copy) -> Iterator[Outcome]:
    """Copy; what is there already is not written again, so a second run finishes what a first one began."""
    yield from (Outcome(name, Fate.SENT) for name in copy.values if name in copy.sent)
    todo = {name: value for name, value in copy.values.items() if name not in copy.sent}
    yield from keep(place, copy.target, todo)

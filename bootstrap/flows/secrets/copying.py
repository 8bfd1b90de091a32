"""Copying secrets from one store to another: planned, resumable, each name's fate told."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct

from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.keep import keep, keepable
from bootstrap.model.errors import UsageError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Outcome, Place, SecretStore
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.system.document import Document


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
    sent = frozenset() if again or target.readable else _Journal(place, target).knows(ordered)
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


def run(place: Place, session: SessionStore, copy: Copy) -> Iterator[Outcome]:
    """Copy; what is there already is not written again, so a second run finishes what a first one began."""
    todo = {name: value for name, value in copy.values.items() if name not in copy.sent}
    yield from (Outcome(name, Fate.UNCHANGED) for name in copy.values if name in copy.sent)
    journal = None if copy.target.readable else _Journal(place, copy.target)
    for outcome in keep(copy.target, session, todo, in_use=choice.in_use(place, copy.target)):
        if journal is not None and outcome.done:
            journal.add(outcome.name, todo[outcome.name])
        yield outcome


class _Journal:
    """What a store that cannot be read was sent: salted digests, from which no value can be found out."""

    def __init__(self, place: Place, target: SecretStore) -> None:
        self._document = Document(place.folder, f"sent-{target.name}")

    def knows(self, values: Mapping[str, Secret]) -> frozenset[str]:
        """Which of `values` were sent just like that."""
        data = self._document.read()
        known = data.get("digests", {})
        salt = str(data.get("salt", ""))
        return frozenset(
            name for name, value in values.items() if known.get(name) == _digest(salt, name, value)
        )

    def add(self, name: str, value: Secret) -> None:
        """Remember that this was sent."""
        with self._document.change() as data:
            salt = data.setdefault("salt", secrets.token_hex(32))
            data.setdefault("digests", {})[name] = _digest(salt, name, value)


def _digest(salt: str, name: str, value: Secret) -> str:
    """A keyed and slow digest: short values must not be guessed from it."""
    data = value.reveal().encode(errors="surrogatepass")
    return hashlib.scrypt(data, salt=f"{salt} {name}".encode(), n=2**12, r=8, p=1).hex()

"""Which store keeps this repository's secrets: chosen once on a machine, recorded, and said."""

from collections.abc import Sequence

from msgspec.structs import replace

from bootstrap.model.errors import BootstrapError, NotConfiguredError, UsageError
from bootstrap.secrets import STORES, open_store
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.system.document import Document

_SUBJECT = "store"


def recorded(place: Place) -> str | None:
    """The name of the store that was chosen for this repository on this machine.

    Raises BootstrapError where the choice cannot be read: not knowing it is not the same as having none.
    """
    name = _record(place).get("name")
    if name is not None and name not in STORES:
        raise NotConfiguredError(
            "the store that was chosen is unknown here", "Choose one of these: bootstrap secrets use"
        )
    return name


def _record(place: Place) -> dict[str, str | None]:
    try:
        return Document(place.folder, _SUBJECT).read()
    except BootstrapError as error:
        raise NotConfiguredError(error.message, "Choose again: bootstrap secrets use STORE") from error


def record(place: Place, name: str) -> None:
    """Choose the store `name` from now on."""
    place.folder.write(_SUBJECT, {"name": name, "profile": place.profile})


def in_use(place: Place, store: SecretStore) -> bool:
    """Whether this repository's secrets are read from the store."""
    return recorded(place) == store.name


def opened(place: Place, name: str) -> SecretStore:
    """Open the store `name`, with the AWS profile that was chosen with it unless another one is named."""
    try:
        record = _record(place)
    except NotConfiguredError:
        record = {}  # who names a store does not depend on what was chosen before
    profile = place.profile or (record.get("profile") if record.get("name") == name else None)
    return open_store(name, replace(place, profile=profile))


def read_from(place: Place) -> SecretStore | None:
    """Open the recorded store for reading; None where nothing is chosen, or it cannot be read back.

    What such a store keeps comes with the environment, so nobody has to ask it. Raises NotConfiguredError
    when the store does not work now: another one would hold a second truth.
    """
    name = recorded(place)
    store = None if name is None else opened(place, name)
    return working(store) if store is not None and store.readable else None


def automatic(place: Place, preferred: Sequence[str]) -> SecretStore:
    """Open the recorded store, or the first of `preferred` that works; record nothing."""
    name = recorded(place)
    if name is not None:
        return working(opened(place, name))
    reasons = []
    for name in preferred:
        store = opened(place, name)
        reason = store.unavailable()
        if reason is None:
            return store
        reasons.append(f"{name}: {reason}")
    raise NotConfiguredError("no store of secrets works here", "; ".join(reasons))


def named(place: Place, name: str) -> SecretStore:
    """Open the store that somebody named. Raises UsageError where there is none of that name."""
    if name not in STORES:
        raise UsageError(f"there is no store {name!r}", f"Stores: {', '.join(STORES)}")
    return working(opened(place, name))


def working(store: SecretStore) -> SecretStore:
    """Return the store; raises NotConfiguredError, with its reason, where it cannot work here."""
    reason = store.unavailable()
    if reason is not None:
        raise NotConfiguredError(
            f"the store {store.name} does not work here: {reason}",
            "Mend that, or choose another one: bootstrap secrets use file",
        )
    return store

"""Which store keeps this repository's secrets: chosen once on a machine, recorded, and said."""

from collections.abc import Sequence

from msgspec.structs import replace

from bootstrap.model.errors import NotConfiguredError, UsageError
from bootstrap.secrets import STORES, open_store
from bootstrap.secrets.interface import Place, SecretStore

_SUBJECT = "store"
#: the choice that means: take the first that works here
AUTO = "auto"


def recorded(place: Place) -> str | None:
    """The name of the store that was chosen for this repository on this machine."""
    name = (place.folder.read(_SUBJECT) or {}).get("name")
    return name if name in STORES else None


def recorded_profile(place: Place) -> str | None:
    """The AWS profile that somebody named together with it."""
    profile = (place.folder.read(_SUBJECT) or {}).get("profile")
    return profile if isinstance(profile, str) else None


def record(place: Place, name: str) -> None:
    """Choose the store `name` from now on."""
    place.folder.write(_SUBJECT, {"name": name, "profile": place.profile})


def in_use(place: Place, store: SecretStore) -> bool:
    """Whether this repository's secrets are read from the store."""
    return recorded(place) == store.name


def chosen(place: Place) -> SecretStore | None:
    """Open the recorded store, or None when there was no choice yet.

    Raises NotConfiguredError when that store does not work now: another one would hold a second truth.
    """
    name = recorded(place)
    if name is None:
        return None
    return working(open_store(name, replace(place, profile=place.profile or recorded_profile(place))))


def automatic(place: Place, preferred: Sequence[str]) -> SecretStore:
    """Open the recorded store, or the first of `preferred` that works; record nothing."""
    store = chosen(place)
    if store is not None:
        return store
    reasons = []
    for name in preferred:
        store = open_store(name, place)
        reason = store.unavailable()
        if reason is None:
            return store
        reasons.append(f"{name}: {reason}")
    raise NotConfiguredError("no store of secrets works here", "; ".join(reasons))


def named(place: Place, name: str) -> SecretStore:
    """Open the store that somebody named. Raises UsageError where there is none of that name."""
    if name not in STORES:
        raise UsageError(f"there is no store {name!r}", f"Stores: {', '.join(STORES)}")
    return working(open_store(name, place))


def working(store: SecretStore) -> SecretStore:
    """Return the store; raises NotConfiguredError, with its reason, where it cannot work here."""
    reason = store.unavailable()
    if reason is not None:
        raise NotConfiguredError(
            f"the store {store.name} does not work here: {reason}",
            "Mend that, or choose another one: bootstrap secrets use file",
        )
    return store

"""The values that a scan looks for: every one that any layer has, not only those in force."""

from collections.abc import Iterable

from msgspec import Struct, field

from bootstrap.flows.secrets import choice
from bootstrap.model.errors import BootstrapError
from bootstrap.secrets.environment import Store as EnvironmentStore
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.vendors import VENDORS


class Known(Struct):
    """Names with values (a name may have several), and words about who was not asked."""

    values: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def known(place: Place, names: Iterable[str], *, silent: bool) -> Known:
    """Read `names`, and every secret of a vendor, wherever this machine has them.

    `silent` asks only what answers without a prompt, the network, or another program. A store that does not
    answer is a note, no error: there is enough to look for without it.
    """
    wanted = {*names, *(spec.name for vendor in VENDORS.values() for spec in vendor.secrets)}
    found = Known()
    stores: list[SecretStore] = [SessionStore(place), EnvironmentStore(place)]
    try:
        chosen = choice.recorded(place)
        if chosen is not None:
            stores.append(choice.opened(place, chosen))
    except BootstrapError as error:
        found.notes.append(f"the chosen store was not asked: {error.message}")
    for store in stores:
        note = _reason(store, silent=silent)
        if note is None:
            note = _read(store, wanted, found)
        if note is not None:
            found.notes.append(note)
    return found


def _reason(store: SecretStore, *, silent: bool) -> str | None:
    """Say why this store is not asked; None where it is."""
    if silent and not store.silent:
        return f"values in {store.title} were not looked for: it may prompt, or need the network"
    if not store.readable:
        return f"values in {store.title} were not looked for: they cannot be read back"
    reason = store.unavailable()
    return None if reason is None else f"values in {store.title} were not looked for: {reason}"


def _read(store: SecretStore, wanted: set[str], found: Known) -> str | None:
    try:
        secrets = store.get_many(wanted | (store.names() or frozenset()))
    except BootstrapError as error:
        return f"values in {store.title} were not looked for: {error.message}"
    found.values += [(name, secret.reveal()) for name, secret in sorted(secrets.items())]
    return None

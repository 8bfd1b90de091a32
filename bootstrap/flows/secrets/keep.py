"""Keeping and forgetting secrets: the store, and the session file where shells do not see the store yet."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bootstrap.encoding.names import check_variable
from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.journal import Journal
from bootstrap.model.errors import BootstrapError, NotConfiguredError, UsageError
from bootstrap.model.project import SecretSpec
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Outcome, Place, SecretStore
from bootstrap.secrets.session import Store as SessionStore

_NAME = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_FORM = "Capital letters, digits and _, starting with a letter. A value comes by prompt or on stdin."
#: what follows from other secrets and from the manifest: stored, it would be a second truth
_DERIVED = re.compile(r"OTEL_.*|AWS_XRAY_.*|TRACE_.*", re.ASCII)


def is_name(text: str) -> bool:
    """Whether this can be the name of a secret at all; what cannot may be a value, and is not to be shown."""
    return _NAME.fullmatch(text) is not None


def check_forms(names: Sequence[str], specs: Mapping[str, SecretSpec], *, typed: bool = True) -> None:
    """Raise UsageError unless each of `names` can be one. It does not repeat what may well be a value.

    Those that were `typed` are in the shell's history now.
    """
    for number, name in enumerate(names, start=1):
        first, equals, _ = name.partition("=")
        if equals and is_name(first):
            raise UsageError(
                f"{first}: a value is never an argument, where others could see it", _known_now(first)
            )
        if not is_name(name):
            which = "what was named" if len(names) == 1 else f"name {number} of {len(names)}"
            near, before = _nearest(name.upper(), specs), names[number - 2] if number > 1 else ""
            value_like = typed and before in specs and not near
            raise UsageError(
                f"{which} is not the name of a secret{near}",
                f"Was it the value of {before}? {_known_now(before)}" if value_like else _FORM,
            )


def keepable(name: str) -> bool:
    """Whether a secret of this name may be kept, whoever declares it."""
    try:
        check_names((name,), {}, undeclared=True)
    except BootstrapError:
        return False
    return True


def check_names(
    names: Sequence[str], specs: Mapping[str, SecretSpec], *, undeclared: bool, typed: bool = True
) -> None:
    """Raise BootstrapError unless each of `names` may be a secret, and is declared unless `undeclared`."""
    check_forms(names, specs, typed=typed)
    for name in names:
        if _DERIVED.fullmatch(name):
            raise UsageError(
                f"{name} follows from the manifest and the vendors' own keys, and is never stored",
                "Set the key itself: bootstrap secrets list",
            )
        check_variable(name)
        if name not in specs and not undeclared:
            _check_value_like(name, names, specs)
            raise UsageError(
                undeclared_name(name, specs),
                f"Declare it in bootstrap.toml: [secrets.{name}]; or keep it all the same: --undeclared",
            )


def _check_value_like(name: str, names: Sequence[str], specs: Mapping[str, SecretSpec]) -> None:
    """After a name, what is no name of ours may well be its value, and is not to be repeated."""
    before = names[: names.index(name)]
    if before and before[-1] in specs and not _nearest(name, specs):
        raise UsageError(
            f"name {len(before) + 1} of {len(names)} is no secret that bootstrap.toml declares",
            f"Was it the value of {before[-1]}? {_known_now(before[-1])}",
        )


def not_set(name: str, specs: Mapping[str, SecretSpec], where: str = "") -> NotConfiguredError:
    """Say that nothing has a value for the name, which may be misspelt."""
    if name in specs:
        return NotConfiguredError(f"{name} is not set{where}", f"Set it: bootstrap secrets set {name}")
    return NotConfiguredError(
        f"{name} is not set{where}, and {undeclared_name(name, specs)}",
        "See which there are: bootstrap secrets list",
    )


def undeclared_name(name: str, specs: Mapping[str, SecretSpec]) -> str:
    """Say that the name is nobody's, and which one may be meant."""
    return f"nobody declares {name}{_nearest(name, specs)}"


def _known_now(name: str) -> str:
    """Say what to do about a value that was typed as an argument."""
    return f"Your shell's history has it now: make a new one, and type it at: bootstrap secrets set {name}"


def _nearest(name: str, specs: Mapping[str, SecretSpec]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(name, specs, n=1)
    return f": did you mean {near[0]}?" if near else ""


def keep(place: Place, store: SecretStore, values: Mapping[str, Secret]) -> Iterator[Outcome]:
    """Keep `values` in `store`, and let what runs next see them; one outcome for each name, in order."""
    session = SessionStore(place)
    journal = None if store.readable else Journal(place, store)
    for outcome in store.set_many(values):
        name = outcome.name
        if journal is not None and outcome.done:
            journal.add(name, values[name])
        yield _told(place, store, outcome, lambda name: session.set(name, values[name]))


def forget(place: Place, store: SecretStore, names: Iterable[str]) -> Iterator[Outcome]:
    """Forget `names` in `store`, and let what runs next see that; one outcome for each name, in order."""
    session = SessionStore(place)
    for outcome in store.delete_many(names):
        if not store.readable:
            Journal(place, store).drop(outcome.name)
        if outcome.fate is Fate.FAILED and store.delayed:
            _drop_stale(store, session, outcome.name)
        yield _told(place, store, outcome, session.mark_removed)


def _told(place: Place, store: SecretStore, outcome: Outcome, change: Callable[[str], object]) -> Outcome:
    """Make the session file say the same, where shells lag behind the store or it already has the name.

    Without that, what it had before would count, or else the value with which this shell was started.
    """
    name, session = outcome.name, SessionStore(place)
    try:
        if outcome.done and (store.delayed or (choice.in_use(place, store) and _has(session, name))):
            change(name)
    except BootstrapError as error:
        message = f"{store.name} has it as asked, and what runs next does not see it: {error.message}"
        return Outcome(name, Fate.FAILED, BootstrapError(message, error.hint))
    return outcome


def _drop_stale(store: SecretStore, session: SessionStore, name: str) -> None:
    """Where a removal failed halfway, let the session file not go on serving what the store has lost."""
    with contextlib.suppress(BootstrapError):
        if session.get(name) is not None and store.get(name) != session.get(name):
            session.drop(name)


def _has(session: SessionStore, name: str) -> bool:
    return session.removed(name) or session.get(name) is not None


def check_takes(store: SecretStore) -> None:
    """Raise NotConfiguredError for a store that is only read, before anybody is asked for a value."""
    if not store.writable:
        raise NotConfiguredError(f"{store.title} is only read", "Choose another store: --store")

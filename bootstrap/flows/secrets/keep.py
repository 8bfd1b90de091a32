"""Keeping and forgetting secrets: the store, and the session file where shells do not see the store yet."""

import re
from collections.abc import Iterable, Iterator, Mapping

from bootstrap.encoding.names import check_variable
from bootstrap.model.errors import NotConfiguredError, UsageError
from bootstrap.model.project import SecretSpec
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Outcome, SecretStore
from bootstrap.secrets.session import Store as SessionStore

_NAME = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
#: what follows from other secrets and from the manifest: stored, it would be a second truth
_DERIVED = re.compile(r"OTEL_.*|AWS_XRAY_.*|TRACE_.*", re.ASCII)


def check_names(names: Iterable[str], specs: Mapping[str, SecretSpec], *, undeclared: bool) -> None:
    """Raise BootstrapError unless each of `names` may be a secret, and is declared unless `undeclared`."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is not the name of a secret",
                "Capital letters, digits and _, starting with a letter. A value comes by prompt or on stdin.",
            )
        if _DERIVED.fullmatch(name):
            raise UsageError(
                f"{name} follows from the manifest and the vendors' own keys, and is never stored",
                "Set the key itself: bootstrap secrets list",
            )
        check_variable(name)
        if name not in specs and not undeclared:
            raise UsageError(
                f"nobody declares {name}{_nearest(name, specs)}",
                f"Declare it in bootstrap.toml: [secrets.{name}]; or keep it all the same: --undeclared",
            )


def _nearest(name: str, specs: Mapping[str, SecretSpec]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(name, specs, n=1)
    return f": did you mean {near[0]}?" if near else ""


def keep(store: SecretStore, session: SessionStore, values: Mapping[str, Secret]) -> Iterator[Outcome]:
    """Keep `values` in `store`, and let what runs next see them; one outcome for each name, in order."""
    _check_takes(store)
    for outcome in store.set_many(values):
        if outcome.done and store.delayed:
            session.set(outcome.name, values[outcome.name])
        elif outcome.done:
            session.drop(outcome.name)
        yield outcome


def forget(store: SecretStore, session: SessionStore, names: Iterable[str]) -> Iterator[Outcome]:
    """Forget `names` in `store`, and let what runs next see that; one outcome for each name, in order."""
    _check_takes(store)
    for outcome in store.delete_many(names):
        if outcome.done and store.delayed:
            session.mark_removed(outcome.name)
        elif outcome.done:
            session.drop(outcome.name)
        yield outcome


def _check_takes(store: SecretStore) -> None:
    if not store.writable:
        raise NotConfiguredError(f"{store.title} is only read", "Choose another store: --store")

"""What the verbs about secrets share: options, the store they speak to, and what became of each name."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_secret
from bootstrap.cli.session import Session
from bootstrap.cli.waiting import waiting
from bootstrap.flows.environment import readers, secret_specs
from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.check import check
from bootstrap.flows.secrets.keep import check_takes
from bootstrap.flows.stack import running
from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.model.remark import Mark
from bootstrap.model.secret import Secret, handled
from bootstrap.secrets import STORES
from bootstrap.secrets.interface import Fate, Outcome, SecretStore

_STYLES = {
    Fate.STORED: "green",
    Fate.ACCEPTED: "green",
    Fate.REMOVED: "green",
    Fate.REFUSED: "red",
    Fate.FAILED: "red",
}
_SILENCE = 1.0

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def store_option(*flags: str, help: str, required: bool = False) -> Decorator:  # noqa: A002 - as click calls it
    """An option that takes the name of a store."""
    return click.option(
        *(flags or ("--store",)), type=click.Choice(list(STORES)), help=help, required=required
    )


def profile_option() -> Decorator:
    """The option for stores in AWS."""
    return click.option(
        "--aws-profile",
        metavar="NAME",
        help="For ssm: the AWS profile to use instead of the project's own keys.",
    )


def names_argument(*, required: bool = False) -> Decorator:
    """The names of secrets."""
    return click.argument(
        "names",
        metavar="NAME..." if required else "[NAME]...",
        nargs=-1,
        required=required,
        shell_complete=complete_secret,
    )


def store_for(session: Session, name: str | None, profile: str | None) -> SecretStore:
    """Open the store to write to: the one that was named, or that of this repository; see `settle`."""
    session.use_profile(profile)
    with waiting(name or "the stores of this workspace"):
        if name is None:
            store = choice.automatic(session.place, session.workspace.stores)
        else:
            store = choice.named(session.place, name)
    check_takes(store)
    return store


def settle(session: Session, store: SecretStore, name: str | None) -> None:
    """Once there is something to keep, choose `store` for good unless it was named for this time only.

    Where it was, and nothing reads from it, say so.
    """
    chosen = choice.recorded(session.place)
    if chosen is None and name is None:
        _say_passed_over(session, store)
        choice.record(session.place, store.name)
        output.words(f"Secrets of {session.repository.identity} are kept in {store.title} from now on.")
        output.words("  Another place: bootstrap secrets use STORE")
    elif chosen != store.name and not store.delayed:
        where = f"from {chosen}" if chosen else "from no store yet"
        output.words(
            f"This repository's secrets are read {where}. To change that: bootstrap secrets use {store.name}",
            style="yellow",
        )


def _say_passed_over(session: Session, store: SecretStore) -> None:
    """Say why not the store that is this workspace's first, where there was one."""
    first = session.workspace.stores[0]
    reason = None if first == store.name else choice.opened(session.place, first).unavailable()
    if reason is not None and first != "keyring":
        output.words(f"Not in {first}, where this workspace would keep them: {reason}", style="yellow")


def warn(store: SecretStore) -> None:
    """Say what somebody should know before giving a value to the store."""
    if store.caution:
        output.words(f"Note: {store.caution}", style="yellow")


class Report:
    """Prints what becomes of each name as it happens, and knows the exit code in the end."""

    def __init__(self, session: Session, store: SecretStore, *, total: int, quiet: bool = False) -> None:
        self._session = session
        self._store = store
        self._total = total
        self._quiet = quiet
        self._said = time.monotonic()
        self.outcomes: list[Outcome] = []

    def follow(self, outcomes: Iterable[Outcome], names: Sequence[str]) -> None:
        """Print each outcome; where it is interrupted, say of which names nobody knows."""
        try:
            with waiting(self._store.title):
                for outcome in outcomes:
                    self._add(outcome)
        except BaseException:
            tried = {outcome.name for outcome in self.outcomes}
            for name in names:
                if name not in tried:
                    self._add(Outcome(name, Fate.FAILED, _INTERRUPTED))
            raise

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if self._session.as_json:
            return
        if self._quiet and outcome.done:
            self._progress()
            return
        why = f": {_said(outcome.error.message)}" if outcome.error is not None else ""
        output.words(f"{outcome.name}: {outcome.fate.value}{why}", style=_STYLES.get(outcome.fate))

    def _progress(self) -> None:
        """Say how far it is, once a second."""
        now = time.monotonic()
        if now - self._said >= _SILENCE:
            self._said = now
            output.words(f"{len(self.outcomes)} of {self._total} ...")

    @property
    def done(self) -> list[str]:
        """The names for which the store now is as was asked."""
        return [outcome.name for outcome in self.outcomes if outcome.done]

    def finish(self, after: str = "", **more: Any) -> int:
        """Print the JSON document, or what comes next; return the exit code."""
        failed = [outcome for outcome in self.outcomes if not outcome.done]
        errors = [outcome.error for outcome in failed if outcome.error is not None]
        if self._session.as_json:
            output.json_document(
                {
                    "store": self._store.name,
                    "outcomes": [_as_json(item) for item in self.outcomes],
                    **more,
                    "next": after,
                }
            )
        elif failed:
            hint = next((error.hint for error in errors if error.hint), "Run the same command again.")
            output.error(f"{len(failed)} of {len(self.outcomes)} not done", _said(hint))
        elif after:
            output.words(after)
        return (errors[0].exit_code if errors else 1) if failed else 0


#: a store that keeps several at once may have got further than it has said
_INTERRUPTED = BootstrapError(
    "interrupted before the store said what became of it", "Run the same command again."
)


def _said(text: str) -> str:
    """What a store says, or a program behind it, without any value that it was given."""
    return Mask(handled())(text)


def nothing(session: Session) -> int:
    """Print the JSON document of a command that had nothing to do."""
    if session.as_json:
        output.json_document({"outcomes": []})
    return 0


def look_at(session: Session, values: Mapping[str, Secret]) -> None:
    """Say of what was just kept that it cannot be right, as `check` would."""
    specs = secret_specs(session.project)
    for remark in check(session.project, specs, lambda name: values.get(name) or session.lookup(name)):
        if remark.subject in values and remark.mark is Mark.PROBLEM:
            output.words(f"{remark.subject} {remark.text}", style="yellow")
            output.words(f"  {remark.hint}")


def _as_json(outcome: Outcome) -> dict[str, str]:
    error = outcome.error or BootstrapError("")
    return {
        "name": outcome.name,
        "fate": outcome.fate.name.lower(),
        "detail": _said(error.message),
        "hint": _said(error.hint),
    }


def shadowed(session: Session, names: Iterable[str], values: Mapping[str, Any] | None) -> None:
    """Say where a value of this shell wins over what the store has now."""
    for name in names:
        outer = session.layers.outer(name)
        if outer is None or (values is not None and outer == values[name]):
            continue
        output.words(
            f"{name}: this shell's own value counts before the store's. Remove it: unset {name}",
            style="yellow",
        )


def next_command(session: Session, names: Iterable[str]) -> str:
    """Say what makes the services that see these secrets see them."""
    seeing = {service for name in names for service in readers(session.project).get(name, ())}
    if not seeing:
        return ""
    if running(session.root, session.state, session.environ) & seeing:
        return "Running services see it after: bootstrap down && bootstrap up --detach"
    return "Next: bootstrap up"

"""`bootstrap secrets use`."""

import click

from bootstrap.cli import output
from bootstrap.cli.secrets.shared import profile_option, warn
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.secrets import choice
from bootstrap.model.errors import NotConfiguredError
from bootstrap.secrets import STORES
from bootstrap.secrets.interface import SecretStore


@verb()
@click.argument("store", required=False, type=click.Choice(list(STORES)))
@profile_option()
def command(session: Session, store: str | None, *, aws_profile: str | None) -> None:
    r"""
    Keep this repository's secrets in STORE from now on, on this machine. Without one, show which work here.

    What another store has stays there: bootstrap secrets copy.

    \b
    Examples:
      bootstrap secrets use
      bootstrap secrets use keyring
      bootstrap secrets use ssm --aws-profile admin
    """
    session.use_profile(aws_profile)
    before = _before(session)
    if store is None:
        _show(session, before)
        return
    chosen = choice.named(session.place, store)
    choice.record(session.place, chosen.name)
    if session.as_json:
        output.json_document({"store": chosen.name, "before": before})
        return
    output.words(f"Secrets of {session.repository.identity} are kept in {chosen.title} from now on.")
    warn(chosen)
    if before is not None and before != chosen.name:
        output.words(f"What is in {before} stays there{_way(choice.opened(session.place, before), chosen)}")


def _way(source: SecretStore, target: SecretStore) -> str:
    """Say how to take along what the former store has."""
    if not target.writable:
        return f", and {target.title} is only read."
    if not source.readable:
        return " and cannot be read back. To set it again: bootstrap secrets set"
    return f": bootstrap secrets copy --from {source.name} --to {target.name}"


def _before(session: Session) -> str | None:
    """What was chosen; a choice that cannot be read is what this command is there to mend."""
    try:
        return choice.recorded(session.place)
    except NotConfiguredError:
        return None


def _show(session: Session, current: str | None) -> None:
    opened = [choice.opened(session.place, name) for name in STORES]
    rows = [(store.name, store.title, store.unavailable()) for store in opened]
    if session.as_json:
        output.json_document(
            {"store": current, "stores": [{"name": name, "unavailable": why} for name, _, why in rows]}
        )
        return
    output.table(
        ("STORE", "WHERE", "HERE"),
        [
            (f"{name} *" if name == current else name, title, f"no: {why}" if why else "works")
            for name, title, why in rows
        ],
    )
    output.words("* keeps this repository's secrets here." if current else "None is chosen yet.")

"""What `init` offers to do about secrets, where there is somebody to ask."""

from collections.abc import Sequence
from pathlib import Path

import click

from bootstrap.cli import output
from bootstrap.cli.secrets.prompts import ask
from bootstrap.cli.secrets.shared import Report, look_at, settle, shadowed, store_for, warn
from bootstrap.cli.session import Session
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets import hook
from bootstrap.flows.secrets.keep import keep


def offer_secrets(session: Session, missing: Sequence[str]) -> int:
    """Offer to set what is missing; return an exit code."""
    if not missing:
        return 0
    output.words()
    count = "One secret is" if len(missing) == 1 else f"{len(missing)} secrets are"
    if not click.confirm(f"{count} missing. Set some now? (later: bootstrap secrets set)", err=True):
        return 0
    values = ask(missing, secret_specs(session.project))
    if not values:
        return 0
    store = store_for(session, None, None)
    warn(store)
    settle(session, store, None)
    report = Report(session, store, total=len(values))
    report.follow(keep(session.place, store, values), tuple(values))
    look_at(session, {name: values[name] for name in report.done})
    shadowed(session, report.done, values)
    return report.finish()


def offer_hook(root: Path) -> None:
    """Offer to scan before every commit, where nothing does and nobody has a hook of their own."""
    if hook.look(root).state is not hook.State.ABSENT:
        return
    output.words()
    if click.confirm("Look for leaked secrets before every commit?", default=True, err=True):
        output.words(f"{hook.install(root).path}: installed. To remove it: bootstrap secrets hook remove")

"""`bootstrap secrets list`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows.environment import readers, secret_specs
from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.health import moved
from bootstrap.flows.secrets.listing import Listed, every
from bootstrap.model.secret import masked


@verb()
@click.option("--missing", is_flag=True, help="Only those that have no value.")
def command(session: Session, *, missing: bool) -> None:
    r"""
    Show every secret: who sees it, where it is, and which value counts. No value is shown.

    A value counts in this order: what was set since the workspace started (session), this shell's
    environment, the store. Of several places the first is the one that counts.

    \b
    Examples:
      bootstrap secrets list
      bootstrap secrets list --missing
      bootstrap secrets list --json
    """
    specs = secret_specs(session.project)
    store = choice.recorded(session.place)
    with waiting(store or "the environment"):
        found = every(specs, readers(session.project), session.layers)
    listed = [one for one in found if not (missing and one.in_force)]
    if session.as_json:
        output.json_document({"store": store, "secrets": [_as_json(one) for one in listed]})
        return
    rows = [(one.spec.name, _value(one), _seen_by(one), _where(one)) for one in listed]
    if not rows:
        output.words("No secret is missing." if missing else "This project has no secrets.")
        return
    output.table(("NAME", "VALUE", "SEEN BY", "WHERE"), rows)
    _say_more(listed, store)
    for remark in moved(session.place):
        output.words(remark.text, style="yellow")
        output.words(f"  {remark.hint}")


def _say_more(listed: list[Listed], store: str | None) -> None:
    output.words()
    for one in listed:
        if one.in_force is None and one.spec.documentation:
            about = f": {one.spec.description}" if one.spec.description else ""
            output.words(f"{one.spec.name}{about} ({one.spec.documentation})")
    kept = f"Kept in {store}." if store else "No store is chosen yet: the first `set` chooses one."
    output.words(f"{kept} To set one: bootstrap secrets set NAME")


def _seen_by(one: Listed) -> str:
    if one.spec.audience != "service":
        return f"bootstrap {one.spec.audience}"
    return ", ".join(one.services) or "no service"


def _value(one: Listed) -> str:
    if one.in_force is not None:
        return masked(one.in_force.secret.reveal())
    return "missing, required" if one.spec.required else "missing"


def _where(one: Listed) -> str:
    # What counts nowhere, although a layer has it, was unset since the workspace started.
    without = " (unset; gone at the next start)" if one.in_force is None else ""
    return ", ".join(
        f"{held.layer} (another value)" if held.layer in one.disagreeing else held.layer + without
        for held in sorted(one.held, key=lambda held: not held.counts)
    )


def _as_json(one: Listed) -> dict[str, object]:
    return {
        "name": one.spec.name,
        "description": one.spec.description,
        "documentation": one.spec.documentation,
        "audience": one.spec.audience,
        "required": one.spec.required,
        "services": list(one.services),
        "set": one.in_force is not None,
        "counts": one.in_force.layer if one.in_force else None,
        "layers": [held.layer for held in one.held],
        "disagreeing": list(one.disagreeing),
    }

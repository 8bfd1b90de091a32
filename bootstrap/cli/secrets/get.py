"""`bootstrap secrets get`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_secret
from bootstrap.cli.secrets.shared import profile_option, store_option
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.keep import check_forms, not_set


@verb()
@click.argument("name", shell_complete=complete_secret)
@store_option(help="Read it there, whatever counts here.")
@profile_option()
@click.option("--exact", is_flag=True, help="Print no newline after it.")
def command(session: Session, name: str, *, store: str | None, aws_profile: str | None, exact: bool) -> None:
    r"""
    Print the value of NAME, as it is.

    \b
    Examples:
      bootstrap secrets get HONEYCOMB_API_KEY
      bootstrap secrets get DATABASE_URL --exact | wc -c
      bootstrap secrets get DATABASE_URL --store file
    """
    specs = secret_specs(session.project)
    check_forms((name,), specs)
    session.use_profile(aws_profile)
    secret = session.lookup(name) if store is None else choice.named(session.place, store).get(name)
    if secret is None:
        raise not_set(name, specs, f" in {store}" if store else "")
    if session.as_json:
        output.json_document({"name": name, "value": secret.reveal(), "store": secret.store})
    else:
        output.raw(secret.reveal() + ("" if exact else "\n"))

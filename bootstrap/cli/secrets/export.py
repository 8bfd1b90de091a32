"""`bootstrap secrets export`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.secrets.shared import names_argument
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.encoding.formats import FORMATS
from bootstrap.flows.environment import readers, secret_specs, service_named
from bootstrap.flows.secrets.keep import check_forms, not_set
from bootstrap.model.errors import UsageError


@verb()
@names_argument()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Encode for this reader.  [default: shell; json with --json]",
)
@click.option(
    "--service", metavar="SERVICE", help="Only what this service sees.", shell_complete=complete_service
)
def command(session: Session, names: tuple[str, ...], *, form: str | None, service: str | None) -> None:
    r"""
    Print the values of NAMEs (or of all secrets that are set), encoded so that a reader gets them exactly.

    A value that the reader cannot hold is refused by name.

    \b
    Examples:
      eval "$(bootstrap secrets export)"
      bootstrap secrets export --format docker-env HONEYCOMB_API_KEY > run.env
      bootstrap secrets export --format devcontainer --service backend-flask > secrets.json
    """
    form = form or ("json" if session.as_json else "shell")
    if session.as_json and form not in _JSON:
        raise UsageError(f"--format {form} is no JSON", "Leave out --json, or choose --format json.")
    specs = secret_specs(session.project)
    check_forms(names, specs)
    seen = readers(session.project)
    if service is not None:
        service_named(session.project, service)
    wanted = names or tuple(specs)
    pairs = []
    for name in wanted:
        if service is not None and service not in seen.get(name, ()):
            continue
        secret = session.lookup(name)
        if secret is not None:
            pairs.append((name, secret.reveal()))
        elif name in names:
            raise not_set(name, specs)
    output.raw(FORMATS[form](pairs))


#: the formats that are one JSON document
_JSON = ("json", "devcontainer")

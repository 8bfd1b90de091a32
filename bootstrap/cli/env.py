"""`bootstrap env`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import handing_out, raw_keys_option, without_session
from bootstrap.cli.verb import verb
from bootstrap.encoding.formats import FORMATS
from bootstrap.flows.environment import Resolved
from bootstrap.flows.run import host_environment
from bootstrap.model.errors import UsageError
from bootstrap.model.secret import Secret, masked


@verb()
@click.argument("service", shell_complete=complete_service)
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), help="Encode for one reader instead of a table."
)
@click.option("--reveal", is_flag=True, help="Print the secrets' values, which --format needs.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="With --format: the configuration, too, with its OTEL_* variables.",
)
@raw_keys_option()
def command(
    session: Session, service: str, form: str | None, *, reveal: bool, everything: bool, raw_aws_keys: bool
) -> None:
    r"""
    Show the environment of SERVICE: names, masked values, and where each comes from.

    An AWS key that it reports with is a session made now, and FROM says when it ends.

    \b
    Examples:
      bootstrap env backend-flask
      bootstrap env backend-flask --json
      eval "$(bootstrap env backend-flask --format shell --reveal)"
    """
    sessions = handing_out(session, raw=raw_aws_keys, fail=without_session)
    variables = host_environment(session.project, service, session.workspace, session.state, sessions)
    if form is None:
        _show(session, variables, reveal=reveal)
        return
    if not reveal:
        raise UsageError(
            f"--format {form} prints secrets as they are", "Add --reveal if that is what you want."
        )
    encode = FORMATS[form]
    wanted = [item for item in variables if everything or _for_any_shell(item)]
    output.raw(encode([(item.name, item.text) for item in wanted]))


def _show(session: Session, variables: list[Resolved], *, reveal: bool) -> None:
    rows = [(item.name, _shown(item, reveal=reveal), item.origin) for item in variables]
    if session.as_json:
        output.json_document(
            [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]
        )
    else:
        output.table(("NAME", "VALUE", "FROM"), rows)


def _for_any_shell(item: Resolved) -> bool:
    """Leave out the configuration, and what names one service: other programs would report under it."""
    return isinstance(item.value, Secret) and not item.name.startswith(("OTEL_", "TRACE_"))


def _shown(item: Resolved, *, reveal: bool) -> str:
    return masked(item.text) if isinstance(item.value, Secret) and not reveal else item.text

"""`bootstrap run`."""

import click

from bootstrap.cli.direct import become
from bootstrap.cli.names import complete_service
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import raw_keys_option, without_session
from bootstrap.cli.verb import verb


@verb(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("service", shell_complete=complete_service)
@click.argument("arguments", metavar="-- CMD [ARG]...", nargs=-1, required=True, type=click.UNPROCESSED)
@raw_keys_option()
def command(session: Session, service: str, arguments: tuple[str, ...], *, raw_aws_keys: bool) -> None:
    r"""
    Run CMD with the environment of SERVICE, and nothing of any other service.

    The command replaces this process: its signals and its exit code are its own. 127 means that it was not
    found, 126 that it could not be executed, 125 that it was not tried.

    An AWS key that the service reports with is a session that ends after some hours, and may write its log
    lines and nothing else. Where none can be had, CMD runs without.

    \b
    Examples:
      bootstrap run backend-flask -- python -m flask --app app shell
      bootstrap run backend-flask -- env
    """
    rest = arguments[1:] if arguments[0] == "--" else arguments
    become(session, service, rest, raw=raw_aws_keys, fail=without_session)

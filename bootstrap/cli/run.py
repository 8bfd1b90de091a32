"""`bootstrap run`."""

import click

from bootstrap.cli.session import Session, verb
from bootstrap.flows.run import child_environment, host_environment
from bootstrap.model.errors import BootstrapError
from bootstrap.system.execute import execute

FAILED_BEFORE = 125


@verb(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("service")
@click.argument("arguments", metavar="-- CMD [ARG]...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(session: Session, service: str, arguments: tuple[str, ...]) -> None:
    r"""
    Run CMD with the environment of SERVICE, and nothing of any other service.

    The command replaces this process: its signals and its exit code are its own. 127 means that it was not
    found, 126 that it could not be executed, 125 that it was not tried.

    \b
    Examples:
      bootstrap run backend-flask -- python -m flask --app app shell
      bootstrap run backend-flask -- env
    """
    try:
        variables = host_environment(
            session.project, service, session.workspace, session.state, session.stores
        )
        environment = child_environment(session.environ, session.project, variables)
    except BootstrapError as error:
        error.exit_code = FAILED_BEFORE  # the codes below are CMD's own
        raise
    execute(arguments[1:] if arguments[0] == "--" else arguments, environment)

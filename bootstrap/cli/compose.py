"""`bootstrap compose`."""

import sys

import click

from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import decided
from bootstrap.cli.up import wanted
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import containers, routing
from bootstrap.flows.environment import scrubbed
from bootstrap.flows.routing import Wishes
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.system.execute import execute


@verb(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", metavar="-- ARG...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(session: Session, arguments: tuple[str, ...]) -> None:
    r"""
    Run a command of Docker Compose on exactly what `bootstrap up` runs.

    The files, the project's name and the secrets are those of `bootstrap up`; the command replaces this
    process, so its exit code is its own.

    \b
    Examples:
      bootstrap compose -- ps
      bootstrap compose -- exec backend-flask sh
      bootstrap compose -- config --quiet
    """
    engine = ComposeEngine(session.root, session.state, scrubbed(session.environ, session.project))
    decisions = routing.recorded(session.state) or decided(
        session, Wishes(), view=engine.view, lookup=session.lookup
    )
    with waiting("the engine"):
        argv, environ = containers.command(engine, wanted(session, (), session.give, decisions))
    rest = arguments[1:] if arguments[0] == "--" else arguments
    sys.stdout.flush()
    execute([*argv, *rest], environ)

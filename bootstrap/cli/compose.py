"""`bootstrap compose`."""

import sys

import click

from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import decided, handing_out, raw_keys_option
from bootstrap.cli.up import wanted
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import containers, routing
from bootstrap.flows.environment import scrubbed
from bootstrap.flows.routing import Wishes
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.system.execute import execute

#: the commands of Compose that make containers; any other needs no key, and no network to have one
_MAKING = frozenset({"up", "create", "run", "watch", "scale"})


@verb(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", metavar="-- ARG...", nargs=-1, required=True, type=click.UNPROCESSED)
@raw_keys_option()
def command(session: Session, arguments: tuple[str, ...], *, raw_aws_keys: bool) -> None:
    r"""
    Run a command of Docker Compose on exactly what `bootstrap up` runs.

    The files, the project's name and the secrets are those of `bootstrap up`; the command replaces this
    process, so its exit code is its own. What makes containers (up, create, run, watch, scale) gives them
    AWS sessions of their own, which nobody renews.

    \b
    Examples:
      bootstrap compose -- ps
      bootstrap compose -- exec backend-flask sh
      bootstrap compose -- config --quiet
    """
    engine = ComposeEngine(session.root, session.state, scrubbed(session.environ, session.project))
    engine.client.choice = session.project.files
    rest = arguments[1:] if arguments[0] == "--" else arguments
    sessions = handing_out(session, raw=raw_aws_keys)
    decisions = routing.recorded(session.state) or decided(
        session, Wishes(), view=engine.view, sessions=sessions
    )
    give = sessions if raw_aws_keys or not _MAKING.isdisjoint(rest) else sessions.without_keys
    with waiting("the engine"):
        argv, environ = containers.command(engine, wanted(session, (), give, decisions, raw=raw_aws_keys))
    sys.stdout.flush()
    execute([*argv, *rest], environ)

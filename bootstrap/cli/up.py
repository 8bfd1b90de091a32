"""`bootstrap up`."""

from contextlib import closing

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.screen import Screen, announce
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import detach as background
from bootstrap.flows import stack
from bootstrap.flows.environment import service_named

_WAIT = 180.0


@verb()
@click.argument("services", nargs=-1, shell_complete=complete_service)
@click.option("-d", "--detach", is_flag=True, help="Return once everything is healthy, and leave it running.")
@click.option("--prepare", is_flag=True, help="Only run the services' set-up; start nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Do not print what the services write: see bootstrap logs.")
def command(session: Session, services: tuple[str, ...], *, detach: bool, prepare: bool, quiet: bool) -> int:
    r"""
    Run the services (or only SERVICES and what they need) and the telemetry collector.

    No account is needed: what the services report stays on this machine, where you can read it. Ctrl-C stops
    everything.

    \b
    Examples:
      bootstrap up
      bootstrap up --detach
      bootstrap up backend-flask
    """
    for name in services:
        service_named(session.project, name)
    if detach:
        return _detach(session, services)
    engine = stack.engine_for(session.root, session.state, session.environ, session.project)
    screen = Screen(as_json=session.as_json, lines=not quiet)
    if prepare:
        return screen.verdict(
            engine.prepare(stack.preparation(session.root, session.project, services), screen.show)
        )
    engine.reclaim()
    run = stack.plan_run(
        session.root,
        session.state,
        session.project,
        session.workspace,
        lookup=session.lookup,
        only=services,
    )
    names = [launch.name for launch in run.launches]
    screen.names(names)
    for name in run.skipped:
        output.words(f"{name} is only an image, which needs a container engine: skipped.", style="yellow")
    output.words(f"Starting {', '.join(names)} with the {engine.name} engine.")

    def ready() -> None:
        announce(session, names)
        background.tell_ready(session.state)

    with closing(run.sockets):
        return screen.verdict(engine.up(run.launches, stack.handing_over(run, screen.show), ready=ready))


def _detach(session: Session, services: tuple[str, ...]) -> int:
    code = background.detach(
        session.root, session.state, session.environ, services, output.words, timeout=_WAIT
    )
    if code == 0:
        engine = stack.engine_for(session.root, session.state, session.environ, None)
        announce(session, [status.name for status in engine.status()])
    return code

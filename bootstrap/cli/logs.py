"""`bootstrap logs`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.screen import Columns
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import engines
from bootstrap.flows.environment import service_named
from bootstrap.flows.stack import COLLECTOR_SERVICE
from bootstrap.stack.compose.teller import COMPOSE


@verb()
@click.argument("services", nargs=-1, shell_complete=complete_service)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends, or Ctrl-C.")
@click.option("-n", "--tail", type=click.IntRange(min=0), help="Only the last N lines of each service.")
def command(session: Session, services: tuple[str, ...], *, follow: bool, tail: int | None) -> None:
    r"""
    Show what the services (or only SERVICES) wrote in the current or the last run.

    \b
    Examples:
      bootstrap logs --tail 20
      bootstrap logs backend-flask --follow
    """
    engine = engines.current(session.root, session.state, session.environ, None)
    running = [status.name for status in engine.status()]
    for name in services:
        if name not in {COLLECTOR_SERVICE, COMPOSE, *running}:
            service_named(session.project, name)
    columns = Columns(running)
    for line in engine.logs(services, follow=follow, tail=tail):
        if session.as_json:
            output.json_line({"service": line.service, "text": line.text})
        else:
            columns.line(line.service, line.text)

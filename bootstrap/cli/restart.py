"""`bootstrap restart`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import engines
from bootstrap.flows.environment import service_named
from bootstrap.flows.restart import Outcome, failed, restart
from bootstrap.flows.stack import COLLECTOR_SERVICE
from bootstrap.model.errors import BootstrapError


@verb()
@click.argument("services", nargs=-1, required=True, shell_complete=complete_service)
def command(session: Session, services: tuple[str, ...]) -> int:
    r"""
    Start single services of what runs again, and wait until they are healthy; the others go on.

    A service whose source changes does this by itself. Its environment stays as it was: after a change of the
    manifest or of a secret, run bootstrap up again.

    \b
    Examples:
      bootstrap restart backend-flask
      bootstrap restart backend-flask telemetry
    """
    for name in services:
        if name != COLLECTOR_SERVICE:
            service_named(session.project, name)
    engine = engines.current(session.root, session.state, session.environ, None)
    with waiting(", ".join(services)):
        outcomes = restart(engine, services)
    bad = failed(outcomes)
    if session.as_json:
        output.json_document([_as_json(outcome) for outcome in outcomes])
        return 1 if bad else 0
    for outcome in outcomes:
        if outcome.healthy:
            output.words(f"{outcome.status.name} is healthy again.", style="green")
    if bad:
        raise _error(bad)
    return 0


def _error(outcomes: list[Outcome]) -> BootstrapError:
    """Show the last lines of each that failed, and name the first."""
    for outcome in outcomes:
        for line in outcome.output:
            output.words(f"{outcome.status.name} | {line}")
    first = outcomes[0].status
    detail = f": {first.detail}" if first.detail else ""
    return BootstrapError(
        f"{first.name} {first.phase.value}{detail}",
        f"Correct it, then restart it again; all that it wrote: bootstrap logs {first.name}",
    )


def _as_json(outcome: Outcome) -> dict[str, object]:
    status = outcome.status
    return {
        "service": status.name,
        "phase": status.phase.name.lower(),
        "detail": status.detail,
        "pid": status.pid,
        "port": status.port,
        "output": list(outcome.output),
    }

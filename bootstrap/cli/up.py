"""`bootstrap up`."""

from contextlib import closing

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.screen import Screen, announce
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import detach as detaching
from bootstrap.flows import engines, stack, up
from bootstrap.flows.containers import Wanted
from bootstrap.flows.environment import service_named
from bootstrap.stack import ENGINES
from bootstrap.vendors import VENDORS


@verb()
@click.argument("services", nargs=-1, shell_complete=complete_service)
@click.option(
    "-d",
    "--detach",
    "--wait",
    "detach",
    is_flag=True,
    help="Return once everything is healthy, and leave it running.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="With --detach: how long to wait for everything to be healthy.",
)
@click.option(
    "--engine",
    "wanted_engine",
    type=click.Choice(["auto", *ENGINES]),
    default="auto",
    help="What runs the services; auto is the one that ran last, else containers where an engine answers.",
)
@click.option("--prepare", is_flag=True, help="Only run the services' set-up; start nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Do not print what the services write: see bootstrap logs.")
@click.option("--background", is_flag=True, hidden=True)
def command(
    session: Session,
    services: tuple[str, ...],
    *,
    detach: bool,
    timeout: float,
    wanted_engine: str,
    prepare: bool,
    quiet: bool,
    background: bool,
) -> int:
    r"""
    Run the services (or only SERVICES and what they need) and the telemetry collector.

    No account is needed: what the services report stays on this machine, where you can read it. Ctrl-C stops
    everything.

    \b
    Examples:
      bootstrap up
      bootstrap up --detach
      bootstrap up --engine process backend-flask
    """
    for name in services:
        service_named(session.project, name)
    if detach:
        return _detach(session, services, wanted_engine, timeout)
    engine, why = engines.choose(
        session.root,
        session.state,
        session.environ,
        session.project,
        wanted=None if wanted_engine == "auto" else wanted_engine,
    )
    screen = Screen(as_json=session.as_json, lines=not (quiet or background))
    if prepare:
        launches = stack.preparation(session.root, session.project, services)
        return screen.verdict(engine.prepare(launches, screen.show))
    engine.reclaim()
    output.words(f"Engine: {engine.name} ({why}).")
    with closing(up.prepare(engine, wanted(session, services))) as prepared:
        screen.names(prepared.names)
        for line in up.remarks(prepared):
            output.words(line, style="yellow")
        output.words(f"Starting {', '.join(prepared.names)}.")

        def ready() -> None:
            if not background:
                announce(session, prepared.names)
            detaching.tell_ready(session.state)

        observer = prepared.observed(screen.show)
        code = engine.up(prepared.launches, observer, ready=ready, containers=prepared.containers)
        return screen.verdict(code)


def wanted(session: Session, services: tuple[str, ...]) -> Wanted:
    """Gather what a run is made from."""
    return Wanted(
        root=session.root,
        state=session.state,
        here=session.project,
        committed=session.committed_project,
        workspace=session.workspace,
        lookup=session.lookup,
        local=frozenset(VENDORS),
        only=services,
    )


def _detach(session: Session, services: tuple[str, ...], engine: str, timeout: float) -> int:
    code = detaching.detach(
        session.root,
        session.state,
        session.environ,
        ("--engine", engine, *services),
        output.words,
        timeout=timeout,
    )
    if code == 0:
        current = engines.current(session.root, session.state, session.environ, None)
        announce(session, [status.name for status in current.status()])
    return code

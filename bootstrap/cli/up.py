"""`bootstrap up`."""

from collections.abc import Sequence
from contextlib import closing

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.screen import Screen, announce
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import (
    as_arguments,
    decided,
    handing_out,
    profile_option,
    raw_keys_option,
    telemetry_option,
)
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import detach as detaching
from bootstrap.flows import engines, stack, up
from bootstrap.flows.environment import Give, service_named
from bootstrap.flows.routing import Decision, Wishes, leaving
from bootstrap.flows.sessions import RAW
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.flows.sessions.remarks import remarks
from bootstrap.flows.sessions.renewing import Renewing
from bootstrap.flows.wanted import Wanted
from bootstrap.stack import ENGINES
from bootstrap.stack.interface import Engine, PortLostError

#: how often the collector gets another port where somebody takes its own at the last moment
_MOVES = 2


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
@telemetry_option()
@profile_option()
@raw_keys_option()
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
    telemetry: Wishes,
    profile: str | None,
    raw_aws_keys: bool,
    background: bool,
) -> int:
    r"""
    Run the services (or only SERVICES and what they need) and the telemetry collector.

    No account is needed: what the services report stays on this machine, where you can read it, until a
    vendor's keys are set and you agree. Ctrl-C stops everything.

    \b
    Examples:
      bootstrap up
      bootstrap up --detach
      bootstrap up --engine process backend-flask
      bootstrap up --telemetry honeycomb=cloud
    """
    for name in services:
        service_named(session.project, name)
    with waiting("the engine"):
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
    if not background:
        output.words(f"Engine: {engine.name} ({why}).")
    engine.reclaim()
    sessions = handing_out(session, profile=profile, raw=raw_aws_keys)
    decisions = decided(session, telemetry, view=engine.view, sessions=sessions)
    if detach:
        named = ("--profile", profile) if profile else ()
        raw = (RAW,) if raw_aws_keys else ()
        arguments = ("--engine", engine.name, *as_arguments(telemetry), *named, *raw, *services)
        return _detach(session, engine, arguments, timeout)
    for line in remarks(session.project, services, leaving(decisions), sessions):
        output.words(line, style="yellow")
    run = wanted(session, services, sessions, decisions, raw=raw_aws_keys)
    for _ in range(_MOVES):
        try:
            return _run(session, engine, run, sessions, screen, background=background)
        except PortLostError as error:
            output.words(f"{error.message}: it gets another one.", style="yellow")
            up.move(session.state)
    return _run(session, engine, run, sessions, screen, background=background)


def _run(
    session: Session, engine: Engine, run: Wanted, sessions: Sessions, screen: Screen, *, background: bool
) -> int:
    with (
        closing(up.prepare(engine, run, session.environ)) as prepared,
        Renewing(sessions, prepared.consumers, session.state, output.words) as renewals,
    ):
        screen.names(prepared.names)
        for line in up.remarks(prepared):
            output.words(line, style="yellow")
        output.words(f"Starting {', '.join(prepared.names)}.")

        def ready() -> None:
            if not background:
                announce(session, prepared.names, stop="Ctrl-C")
            engines.remember(session.state, engine, healthy=True)
            detaching.tell_ready(session.state)

        code = engine.up(
            prepared.launches,
            screen.show,
            ready=ready,
            containers=prepared.containers,
            renewals=renewals,
        )
        return screen.verdict(code)


def wanted(
    session: Session, services: tuple[str, ...], give: Give, decisions: list[Decision], *, raw: bool
) -> Wanted:
    """Gather what a run is made from; `raw`: anybody may have an AWS key itself."""
    return Wanted(
        root=session.root,
        state=session.state,
        here=session.project,
        committed=session.committed_project,
        workspace=session.workspace,
        give=give,
        decisions=decisions,
        only=services,
        raw_aws_keys=raw,
    )


def _detach(session: Session, engine: Engine, arguments: Sequence[str], timeout: float) -> int:
    code = detaching.detach(
        session.root, session.state, session.environ, arguments, output.words, timeout=timeout
    )
    if code == 0:
        announce(session, [status.name for status in engine.status()], stop="bootstrap down")
    return code

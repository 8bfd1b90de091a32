"""`bootstrap observe`."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.arriving import Arriving
from bootstrap.cli.boundary import INTERRUPTED
from bootstrap.cli.narrowing import PARAMETERS, narrowing_options, query
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.collector.server import Listening
from bootstrap.flows import following, observe
from bootstrap.flows.collector_ports import DAEMON_PORT, HTTP_PORT, adopt, bind_preferred
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.following import Place, Query
from bootstrap.flows.stack import COLLECTOR_HIDDEN, COLLECTOR_TOKEN
from bootstrap.model.errors import UsageError

_STARTING = ("port", "daemon_port", "keep", "size")
_DAY = 24 * 3600
_MIB = 1024 * 1024
#: seconds in which the last line is printed
_PATIENCE = 2.0

Ready = Callable[[Listening], None]


@verb()
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help=f"For OTLP and the API; else {HTTP_PORT}."
)
@click.option(
    "--daemon-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help=f"For the X-Ray SDK, UDP and TCP; else {DAEMON_PORT}.",
)
@click.option("--keep", type=click.IntRange(1, 3650), metavar="DAYS", help="For how long it keeps things.")
@click.option("--size", type=click.IntRange(16, 1 << 20), metavar="MIB", help="How large its store may grow.")
@click.option("-q", "--quiet", is_flag=True, help="Do not print where it listens.")
@click.option("-f", "--follow", is_flag=True, help="Print what arrives, a line each, until Ctrl-C.")
@narrowing_options()
@click.option("--sockets", hidden=True)
def command(
    session: Session, *, follow: bool, quiet: bool, sockets: str | None, **options: Any
) -> int | None:
    r"""
    Run the telemetry collector alone, or with --follow print what arrives at the one that runs.

    It receives OpenTelemetry traces, what the X-Ray SDK sends to its daemon, CloudWatch Logs and Rollbar's
    items, and forwards nothing. Where a usual port is taken, another one is chosen. While it runs,
    `bootstrap run` points services at it.

    Following goes on when the collector is started again, and starts one where none runs. Each line has
    the time, the service, the kind, how long it took, the end of the trace's id, and after a "!" what
    failed; --json prints all that is known.

    \b
    Examples:
      bootstrap observe
      bootstrap observe --port 14318 --keep 2 --size 500
      bootstrap observe --follow --service backend-flask --min 200
      bootstrap observe --follow --only errors,logs --last 20
      bootstrap observe --follow --attribute user.id=7 --json
    """
    given = [name for name, value in options.items() if value not in (None, ())]
    if not follow:
        _refuse(given, PARAMETERS, "goes with --follow", "bootstrap observe --follow")
        _collect(
            session,
            options,
            sockets,
            ready=lambda listening: None if quiet else _announce(session, listening),
        )
        return None
    wanted = query(session.project, options)
    names = [service.otel_service_name for service in session.project.services.values()]
    arriving = Arriving(names, as_json=session.as_json)
    say = (lambda _: None) if quiet else output.words
    if following.find(session.root, session.state, session.environ) is None:
        return _collect_and_follow(session, options, wanted, arriving, say)
    _refuse(given, _STARTING, "is for a collector that starts, and one runs", "bootstrap down")
    for name, view in following.follow(lambda: following.place(session.state), wanted, say):
        arriving.show(name, view)
    return None


def _refuse(given: Iterable[str], names: Iterable[str], why: str, hint: str) -> None:
    for name in given:
        if name in names:
            raise UsageError(f"--{name.replace('_', '-')} {why}", f"Try: {hint}")


def _collect(
    session: Session, options: Mapping[str, Any], sockets: str | None, *, ready: Ready
) -> signal.Signals | None:
    lookup = session.lookup
    hidden = [
        secret.reveal() for name in secret_specs(session.project) if (secret := lookup(name)) is not None
    ]
    if sockets is not None:
        hidden += json.loads(session.environ.get(COLLECTOR_HIDDEN, "[]"))
    bounds = {"keep_seconds": (options["keep"], _DAY), "store_bytes": (options["size"], _MIB)}
    port, daemon_port = options["port"], options["daemon_port"]
    return observe.observe(
        session.state,
        session.project,
        session.workspace,
        bind=lambda: adopt(sockets) if sockets is not None else bind_preferred(port, daemon_port),
        hidden=tuple(hidden),
        token=session.environ.get(COLLECTOR_TOKEN) if sockets is not None else None,
        bounds={name: count * unit for name, (count, unit) in bounds.items() if count is not None},
        ready=ready,
    )


def _collect_and_follow(
    session: Session,
    options: Mapping[str, Any],
    wanted: Query,
    arriving: Arriving,
    say: Callable[[str], None],
) -> int:
    """Print on a thread of its own, as the collector needs the main one; what fails there ends both."""
    failures: list[BaseException] = []

    def show(place: Place) -> None:
        try:
            for name, view in following.once(place, wanted):
                arriving.show(name, view)
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            failures.append(error)
            os.kill(os.getpid(), signal.SIGTERM)

    threads: list[threading.Thread] = []

    def ready(listening: Listening) -> None:
        page = observe.page(session.workspace, listening)
        say(f"No collector ran here: this one receives at {listening.http_url}")
        say(f"Page: {page}")
        place = Place(listening.http_url, listening.token, page)
        threads.append(threading.Thread(target=show, args=(place,), name="follow", daemon=True))
        threads[0].start()

    ended_by = _collect(session, options, None, ready=ready)
    for thread in threads:
        thread.join(_PATIENCE)
        if thread.is_alive():
            # Whoever takes our output takes nothing more, and would hold up the end, too.
            os._exit(INTERRUPTED)
    if failures:
        raise failures[0]
    return INTERRUPTED if ended_by is signal.SIGINT else 0


def _announce(session: Session, listening: Listening) -> None:
    page = observe.page(session.workspace, listening)
    if session.as_json:
        output.json_document({"url": listening.http_url, "daemon": listening.daemon_address, "page": page})
        return
    output.words(f"OTLP/HTTP       {listening.http_url}/v1/traces")
    output.words(f"X-Ray daemon    {listening.daemon_address} (UDP and TCP)")
    output.words(f"CloudWatch Logs {listening.http_url} (AWS_ENDPOINT_URL_CLOUDWATCH_LOGS)")
    output.words(f"Rollbar         {listening.http_url}/api/1/")
    output.words(f"Page            {page}")

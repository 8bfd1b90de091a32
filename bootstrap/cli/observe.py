"""`bootstrap observe`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.collector.server import Listening
from bootstrap.flows import observe
from bootstrap.flows.environment import first_of, secret_specs
from bootstrap.flows.render import COLLECTOR_PORT

_DAEMON_PORT = 2000


@verb()
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"For OTLP and the API; {COLLECTOR_PORT} if it is free."
)
@click.option(
    "--daemon-port",
    type=click.IntRange(1, 65535),
    help=f"For the X-Ray SDK, UDP and TCP; {_DAEMON_PORT} if it is free.",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not print where it listens.")
def command(session: Session, port: int | None, daemon_port: int | None, *, quiet: bool) -> None:
    r"""
    Run the telemetry collector alone: OpenTelemetry traces, and what the X-Ray SDK sends to its daemon.

    Nothing is forwarded. While it runs, `bootstrap run` points services at it.

    \b
    Examples:
      bootstrap observe
      bootstrap observe --port 14318
    """
    lookup = first_of(session.stores)
    hidden = [
        secret.reveal() for name in secret_specs(session.project) if (secret := lookup(name)) is not None
    ]
    observe.observe(
        session.state,
        session.workspace,
        port=(port or COLLECTOR_PORT, port is not None),
        daemon_port=(daemon_port or _DAEMON_PORT, daemon_port is not None),
        hidden=tuple(hidden),
        ready=lambda listening: None if quiet else _announce(session, listening),
    )


def _announce(session: Session, listening: Listening) -> None:
    page = observe.page(session.workspace, listening)
    if session.as_json:
        output.json_document({"url": listening.http_url, "daemon": listening.daemon_address, "page": page})
        return
    output.words(f"OTLP/HTTP       {listening.http_url}/v1/traces")
    output.words(f"X-Ray daemon    {listening.daemon_address} (UDP and TCP)")
    output.words(f"Traces as JSON  {page.replace('/?token=', '/api/traces?token=')}")

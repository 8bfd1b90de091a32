"""`bootstrap observe`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.collector.server import Listening
from bootstrap.flows import observe
from bootstrap.flows.collector_ports import DAEMON_PORT, HTTP_PORT, adopt, bind_preferred
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.stack import COLLECTOR_TOKEN


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
@click.option("-q", "--quiet", is_flag=True, help="Do not print where it listens.")
@click.option("--sockets", hidden=True)
def command(
    session: Session,
    port: int | None,
    daemon_port: int | None,
    *,
    quiet: bool,
    sockets: str | None,
) -> None:
    r"""
    Run the telemetry collector alone: OpenTelemetry traces, and what the X-Ray SDK sends to its daemon.

    Nothing is forwarded. Where a usual port is taken, another one is chosen. While it runs, `bootstrap run`
    points services at it.

    \b
    Examples:
      bootstrap observe
      bootstrap observe --port 14318
    """
    lookup = session.lookup
    hidden = [
        secret.reveal() for name in secret_specs(session.project) if (secret := lookup(name)) is not None
    ]
    observe.observe(
        session.state,
        session.project,
        session.workspace,
        bind=lambda: adopt(sockets) if sockets is not None else bind_preferred(port, daemon_port),
        hidden=tuple(hidden),
        token=session.environ.get(COLLECTOR_TOKEN) if sockets is not None else None,
        ready=lambda listening: None if quiet else _announce(session, listening),
    )


def _announce(session: Session, listening: Listening) -> None:
    page = observe.page(session.workspace, listening)
    if session.as_json:
        output.json_document({"url": listening.http_url, "daemon": listening.daemon_address, "page": page})
        return
    output.words(f"OTLP/HTTP       {listening.http_url}/v1/traces")
    output.words(f"X-Ray daemon    {listening.daemon_address} (UDP and TCP)")
    output.words(f"CloudWatch Logs {listening.http_url} (AWS_ENDPOINT_URL_CLOUDWATCH_LOGS)")
    output.words(f"Rollbar         {listening.http_url}/api/1/")
    output.words(f"Traces as JSON  {page.replace('/?token=', '/api/traces?token=')}")

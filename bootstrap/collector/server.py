"""The running collector: ports, threads and the web server, from the first byte to the last commit."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from bootstrap.collector.api import Api
from bootstrap.collector.application import by_port, daemon_application, http_application
from bootstrap.collector.masking import Masker
from bootstrap.collector.otlp import OtlpReceiver
from bootstrap.collector.reporting import Tally
from bootstrap.collector.sockets import Address, Sockets, bind
from bootstrap.collector.store import Store
from bootstrap.collector.writer import Writer
from bootstrap.collector.xray import XRayReceiver

HTTP_RECEIVERS = (OtlpReceiver,)
"""Every protocol that comes to the HTTP port: a class that takes a Writer and a Tally and has `routes()`."""

_MAX_CONNECTIONS = 200
_STOP_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Settings:
    """What a collector needs to know."""

    database: Path
    """The SQLite file, created with mode 0600; its folder exists and is private."""
    token: str
    """The run's token, for everything that reads."""
    http: Address
    """Host and port of OTLP and the API; port 0 is any free one."""
    daemon: Address
    """Host and port of the X-Ray daemon's inlet, the same number for UDP and TCP; port 0 is any free one."""
    allowed_hosts: frozenset[str] = frozenset()
    """Further values of the Host header: the workspace's forwarded names."""
    hidden: tuple[str, ...] = ()
    """Secret values that are masked before anything is stored; the token always is."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a collector can be reached."""

    http_url: str
    daemon_address: str
    """As AWS_XRAY_DAEMON_ADDRESS wants it: 127.0.0.1:2000."""
    token: str


def serve(settings: Settings, ready: Callable[[Listening], None], sockets: Sockets | None = None) -> None:
    """Receive until SIGTERM or SIGINT; then stop listening, commit what has arrived, and return.

    Belongs on the main thread. `ready` is called once everything is received. `sockets` are what `bind`
    made, where the caller has chosen the ports; they are closed in any case. Raises BootstrapError (the
    PortTakenError among them) before `ready`, if a port or the database cannot be used.
    """
    sockets = sockets or bind(settings.http, settings.daemon)
    with contextlib.closing(sockets):
        store = Store(settings.database)
        writer = Writer(store, Masker((*settings.hidden, settings.token)))
        tally = Tally()
        xray = XRayReceiver(sockets.daemon_udp, writer, tally)
        application = _application(settings, sockets, store=store, tally=tally, writer=writer, xray=xray)
        # In this order the segments that still arrive while the server stops are written, too.
        with writer.running(), xray.running():
            asyncio.run(_run(application, sockets, lambda: ready(_listening(settings, sockets))))


def _application(
    settings: Settings, sockets: Sockets, *, store: Store, tally: Tally, writer: Writer, xray: XRayReceiver
) -> ASGIApp:
    http_port, daemon_port = _port(sockets.http), _port(sockets.daemon_tcp)
    api = Api(store, tally)
    return by_port(
        {
            http_port: http_application(
                reading=api.routes(),
                open_paths=api.OPEN_PATHS,
                ingest=[route for receiver in HTTP_RECEIVERS for route in receiver(writer, tally).routes()],
                token=settings.token,
                port=http_port,
                hosts=settings.allowed_hosts,
            ),
            daemon_port: daemon_application(
                ingest=xray.routes(), port=daemon_port, hosts=settings.allowed_hosts
            ),
        }
    )


def _listening(settings: Settings, sockets: Sockets) -> Listening:
    return Listening(
        http_url=f"http://{_reachable(sockets.http)}",
        daemon_address=_reachable(sockets.daemon_udp),
        token=settings.token,
    )


def _port(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port


def _reachable(bound: socket.socket) -> str:
    """host:port to connect to; a socket on all addresses is reached by the first."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- read here, never bound
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _WebServer(uvicorn.Server):
    """uvicorn without its signal handling, whose second raising of a signal would cut off the last commit."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_run`."""
        yield


async def _run(application: ASGIApp, sockets: Sockets, ready: Callable[[], None]) -> None:
    """Serve until a signal; open requests get a moment to finish."""
    server = _WebServer(
        uvicorn.Config(
            application,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
        )
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve([sockets.http, sockets.daemon_tcp]))
    stopping = asyncio.create_task(stop.wait())
    ready()
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await asyncio.wait({serving}, timeout=_STOP_SECONDS)
    if serving.done():
        serving.result()
    # What still runs here is a slow sender; the end of the loop cancels it.

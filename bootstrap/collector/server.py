"""The running collector: ports, threads and the web server, from the first byte to the last commit."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from bootstrap.collector.access import session_value
from bootstrap.collector.answering.api import Api
from bootstrap.collector.application import by_port, daemon_application, http_application
from bootstrap.collector.asking.questions import Expected
from bootstrap.collector.connections import PromptProtocol
from bootstrap.collector.dashboard.pages import Pages
from bootstrap.collector.receiving.cloudwatch import CloudWatchReceiver
from bootstrap.collector.receiving.otlp import OtlpReceiver
from bootstrap.collector.receiving.rollbar import RollbarReceiver
from bootstrap.collector.receiving.xray import XRayReceiver
from bootstrap.collector.receiving.xray_api import XRayApi
from bootstrap.collector.reporting import Tally, complain
from bootstrap.collector.sockets import Address, Sockets, bind
from bootstrap.collector.storing.store import Store
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import LogGroup
from bootstrap.collector.telling.feed import MOST_READERS, Feed
from bootstrap.collector.telling.stream import Stream

# Those that only listen take no place of those that send.
_MAX_CONNECTIONS = 200 + MOST_READERS
# The SDKs send every five seconds: a connection kept for just as long would close as they use it.
_IDLE_SECONDS = 2
_STOP_SECONDS = 0.6
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a collector needs to know."""

    database: Path
    """The SQLite file, created with mode 0600; its folder exists and is private."""
    token: str
    """The run's token, for everything that reads."""
    http: Address
    """Host and port of OTLP, CloudWatch Logs, Rollbar, X-Ray and the API; port 0 is any free one."""
    daemon: Address
    """Host and port of the X-Ray daemon's inlet, the same number for UDP and TCP; port 0 is any free one."""
    allowed_hosts: frozenset[str] = frozenset()
    """Further values of the Host header: the workspace's forwarded names."""
    hidden: tuple[str, ...] = ()
    """Secret values that are masked before anything is stored; the token always is."""
    log_groups: tuple[str, ...] = ()
    """Log groups that exist from the start, as somebody has made them at the real service."""
    store_bytes: int = 1 << 30
    """To what size the database may grow; then what arrived first gives way."""
    keep_seconds: int = 7 * 24 * 3600
    """For how long what has arrived is kept."""
    expected: tuple[Expected, ...] = ()
    """What this run sends where, for whoever compares it with what has arrived."""

    def __post_init__(self) -> None:
        """Refuse a collector that everybody may read."""
        if not self.token:
            raise ValueError("a collector without a token")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a collector can be reached."""

    http_url: str
    daemon_address: str
    """As AWS_XRAY_DAEMON_ADDRESS wants it: 127.0.0.1:2000."""
    token: str


def serve(
    settings: Settings, ready: Callable[[Listening], None], sockets: Sockets | None = None
) -> signal.Signals | None:
    """Receive until SIGTERM or SIGINT; then stop listening, commit what has arrived, and return which it was.

    Belongs on the main thread. `ready` is called once everything is received. `sockets` are what `bind`
    made, where the caller has chosen the ports; they are closed in any case. Raises BootstrapError (the
    PortTakenError among them) before `ready`, if a port or the database cannot be used.
    """
    sockets = sockets or bind(settings.http, settings.daemon)
    with contextlib.closing(sockets):
        store = Store(settings.database, settings.store_bytes, timedelta(seconds=settings.keep_seconds))
        feed = Feed(store)
        masker = Masker((*settings.hidden, settings.token, session_value(settings.token)))
        writer = Writer(store, masker, feed.committed)
        _make_groups(store, writer, settings.log_groups)
        tally = Tally()
        xray = XRayReceiver(sockets.daemon_udp, writer, tally)
        application = _application(settings, sockets, store=store, tally=tally, writer=writer, feed=feed)
        server = _WebServer(application, lambda: ready(_listening(settings, sockets)), feed.end)
        # In this order the segments that still arrive while the server stops are written, too.
        with contextlib.ExitStack() as running:
            running.enter_context(_stopped_by_signals(server))
            with _signals_held():
                running.enter_context(writer.running())
                running.enter_context(feed.running())
                running.enter_context(xray.running())
            asyncio.run(server.serve([sockets.http, sockets.daemon_tcp]))
        return server.stopped_by


def _make_groups(store: Store, writer: Writer, names: tuple[str, ...]) -> None:
    """Make the log groups that are not there yet; a store that is full can still be read."""
    batch = writer.batch()
    for name in names:
        batch.add(LogGroup(name, time.time_ns()))
    try:
        with store.writer() as connection:
            connection.write([batch])
    except OSError as error:
        complain(str(error))


def _application(
    settings: Settings, sockets: Sockets, *, store: Store, tally: Tally, writer: Writer, feed: Feed
) -> ASGIApp:
    http_port, daemon_port = _port(sockets.http), _port(sockets.daemon_tcp)
    api, pages = Api(store, tally, settings.expected), Pages(store, settings.expected)
    xray = XRayApi(writer, tally)
    # Every protocol that comes to the HTTP port.
    receivers = (
        OtlpReceiver(writer, tally),
        CloudWatchReceiver(writer, tally, store, settings.token),
        RollbarReceiver(writer, tally),
        xray,
    )
    return by_port(
        {
            http_port: http_application(
                reading=[*api.routes(), *pages.routes(), *Stream(feed, store).routes()],
                open_paths=[*api.OPEN_PATHS, *pages.open_paths],
                ingest=[route for receiver in receivers for route in receiver.routes()],
                token=settings.token,
                port=http_port,
                hosts=settings.allowed_hosts,
                refused=pages.refused,
                unknown=pages.unknown,
            ),
            daemon_port: daemon_application(
                ingest=xray.sampling_routes(), port=daemon_port, hosts=settings.allowed_hosts
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
    """uvicorn, quiet, with a prompt end, and without its signal handling.

    uvicorn raises a signal again once it has stopped, which would cut off the last commit.
    """

    def __init__(self, application: ASGIApp, ready: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                loop="asyncio",
                http=PromptProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_MAX_CONNECTIONS,
                timeout_keep_alive=_IDLE_SECONDS,
            )
        )
        self._ready = ready
        self._stopping = stopping
        self.stopped_by: signal.Signals | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give open requests a moment; the end of the loop cancels a sender that is slower."""
        self._stopping()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_stopped_by_signals`."""
        yield


@contextlib.contextmanager
def _stopped_by_signals(server: _WebServer) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the server, and no further one cut the block short."""

    def stop(number: int, _frame: FrameType | None) -> None:
        server.stopped_by = signal.Signals(number)
        server.should_exit = True

    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        with _signals_held():
            for number, handler in previous.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Keep signals from this thread for a moment, and for good from threads that are started meanwhile.

    Python notes a signal down before it calls the handler; where that is taken away in between, it complains
    on stderr.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

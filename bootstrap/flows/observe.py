"""The collector as a command: its token, its place in the run state, its life."""

import os
import secrets
import signal
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from bootstrap.collector.server import Listening, Settings, serve
from bootstrap.collector.sockets import Sockets
from bootstrap.flows.collector_ports import ports
from bootstrap.flows.expected import expected
from bootstrap.flows.page import page_at
from bootstrap.flows.run import COLLECTOR, collector_lock
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project
from bootstrap.system.state import State
from bootstrap.vendors.cloudwatch import log_group
from bootstrap.workspaces.interface import Workspace

_LOOPBACK = "127.0.0.1"
_DATABASE = "telemetry.sqlite3"
_TOKEN_BYTES = 24


def observe(
    state: State,
    project: Project,
    workspace: Workspace,
    *,
    bind: Callable[[], Sockets],
    hidden: tuple[str, ...],
    token: str | None = None,
    bounds: Mapping[str, int],
    ready: Callable[[Listening], None],
) -> signal.Signals | None:
    """Receive telemetry until SIGINT or SIGTERM; which of them it was.

    `bind` gives its sockets; without a `token` it makes one; `bounds` are those of the store that are not to
    be as usual (`store_bytes`, `keep_seconds`). While it listens, the run state says where, so that `run` and
    `up` find it.
    """
    lock = collector_lock(state)
    if not lock.acquire():
        raise BootstrapError(
            "a collector of this project already runs",
            "Use that one, or stop it: bootstrap down, or Ctrl-C there.",
        )
    sockets = bind()
    http_port, daemon_port = ports(sockets)
    settings = Settings(
        database=state.directory / _DATABASE,
        token=token or secrets.token_urlsafe(_TOKEN_BYTES),
        http=(_LOOPBACK, http_port),
        daemon=(_LOOPBACK, daemon_port),
        allowed_hosts=_hosts(workspace, http_port),
        hidden=hidden,
        log_groups=(log_group(project),) if project.reporting_to("cloudwatch") else (),
        expected=expected(project, state),
        **bounds,
    )

    def announce(listening: Listening) -> None:
        state.write(
            COLLECTOR,
            {
                "pid": os.getpid(),
                "url": listening.http_url,
                "daemon": listening.daemon_address,
                "page": page(workspace, listening),
                "token": listening.token,
            },
        )
        ready(listening)

    try:
        return serve(settings, announce, sockets)
    finally:
        if (state.read(COLLECTOR) or {}).get("pid") == os.getpid():
            state.forget(COLLECTOR)
        lock.release()


def page(workspace: Workspace, listening: Listening) -> str:
    """Where a browser opens it, with the token that the first request turns into a cookie."""
    return page_at(workspace, urlsplit(listening.http_url).port or 0, listening.token)


def _hosts(workspace: Workspace, port: int) -> frozenset[str]:
    """The name under which this workspace forwards the port."""
    return frozenset({urlsplit(workspace.url(port)).netloc})

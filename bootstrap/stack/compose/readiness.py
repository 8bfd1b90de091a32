"""Decides when a container is ready, from its own health check or from what answers at its port."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose.client import Container
from bootstrap.stack.interface import Launch
from bootstrap.stack.readiness import LONG, ended
from bootstrap.system import ports

#: a service that has neither port nor health check counts as ready when it has run for this many seconds
_SETTLED = 0.5
_PAUSE = 0.3
#: in which a connection that leads nowhere is closed again: Docker's proxy takes it before anybody listens
_CLOSED_AGAIN = 0.3


def wait_until_ready(
    launch: Launch,
    look: Callable[[str], Container | None],
    timeout: float,
    stopping: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Wait for the service's health, or until `stopping` is set; `look` finds its container.

    `say` hears what is missing, once, where that takes long.

    Raises BootstrapError when the container ends, is unhealthy, or is not ready after `timeout` seconds.
    """
    started = time.monotonic()
    running_since: float | None = None
    said = False
    while not stopping.is_set():
        container = look(launch.name)
        now = time.monotonic()
        if container is not None and container.over:
            if container.exit_code == 0 and launch.port is None:
                return  # a task that has done what it is for
            raise BootstrapError(f"{ended(container.exit_code)} before it was ready")
        if container is not None and container.health == "unhealthy":
            raise BootstrapError("its own health check fails")
        if container is not None and container.running:
            running_since = running_since or now
            if _ready(launch, container, now - running_since):
                return
        if now - started > timeout:
            raise BootstrapError(f"not ready after {timeout:g} seconds: {_missing(launch, container)}")
        if now - started > LONG and not said:
            said = True
            say(f"waiting: {_missing(launch, container)}")
        stopping.wait(_PAUSE)


def _ready(launch: Launch, container: Container, seconds: float) -> bool:
    if container.health == "healthy":
        return True
    if launch.port is None or launch.port not in container.published:
        return not container.health and seconds >= _SETTLED
    if launch.health is None:
        return _stays_open(launch.port)
    status = ports.http_status(launch.port, launch.health)
    return status is not None and 200 <= status < 400  # noqa: PLR2004  success or redirection (RFC 9110, 15)


def _stays_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0) as connection:
        connection.settimeout(_CLOSED_AGAIN)
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True
    return False


def _missing(launch: Launch, container: Container | None) -> str:
    if container is None:
        return "there is no container of it"
    if not container.running:
        return f"its container is {container.state}"
    if launch.health is None or launch.port is None:
        return f"nothing answers at port {launch.port}" if launch.port else "its own health check goes on"
    status = ports.http_status(launch.port, launch.health)
    said = "does not answer" if status is None else f"says {status}"
    return f"{launch.health} at port {launch.port} {said}"

"""Decides when a service may start and when it is ready, and that it is this service which answers."""

import os
import threading
import time
from collections.abc import Callable

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Launch
from bootstrap.system import ports
from bootstrap.system.identity import carries
from bootstrap.system.process import Group

#: a service without a port counts as ready when it has lived this many seconds
_SETTLED = 0.5
#: seconds after which somebody wonders what a service is waiting for
LONG = 5.0
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


def check_port(launch: Launch) -> None:
    """Raise BootstrapError, saying who has it, where the port that the service is to bind is taken."""
    if launch.port is not None and not launch.descriptors and not ports.is_free(launch.port):
        raise BootstrapError(
            f"services.{launch.name}: port {launch.port} is taken by {ports.owner(launch.port)}",
            f"Stop that program, or set services.{launch.name}.port in bootstrap.local.toml.",
        )


def wait_until_ready(
    launch: Launch, group: Group, timeout: float, interrupted: threading.Event, say: Callable[[str], None]
) -> None:
    """Wait for the service's health, or until `interrupted` is set; `say` hears what is missing, once.

    Raises BootstrapError when it ends, when another program answers at its port, or after `timeout` seconds.
    """
    started = time.monotonic()
    pause = _FIRST_PAUSE
    said = False
    while not interrupted.wait(pause):
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        code = group.poll()
        if code is not None:
            raise BootstrapError(f"{ended(code)} before it was ready")
        waited = time.monotonic() - started
        if _answers(launch, waited):
            _check_owner(launch, group)
            return
        if waited > timeout:
            raise BootstrapError(f"not ready after {timeout:g} seconds: {_missing(launch)}", _hint(launch))
        if waited > LONG and not said:
            said = True
            say(f"waiting: {_missing(launch)}")


def ended(code: int) -> str:
    """Say how a process ended, from its exit code."""
    return f"killed by signal {-code}" if code < 0 else f"exited with code {code}"


def _answers(launch: Launch, waited: float) -> bool:
    if launch.port is None:
        return waited >= _SETTLED
    if launch.health is None:
        return ports.accepts(launch.port)
    status = ports.http_status(launch.port, launch.health)
    return status is not None and 200 <= status < 400  # noqa: PLR2004  success or redirection (RFC 9110, 15)


def _check_owner(launch: Launch, group: Group) -> None:
    """Refuse an answer that comes from another program, where the system tells who listens.

    A socket that is handed over has two owners, of which psutil knows the one with the higher number: this
    process, once numbers have begun anew. Nobody else can have it.
    """
    if launch.port is None or launch.descriptors:
        return
    listening = ports.owners(launch.port)
    if listening and not any(_is_ours(pid, group) for pid in listening):
        raise BootstrapError(
            f"port {launch.port} is answered by {ports.owner(launch.port)}, not by {launch.name}",
            "Stop that program, or choose another port in bootstrap.local.toml.",
        )


def _is_ours(pid: int, group: Group) -> bool:
    try:
        return os.getsid(pid) == group.pid or carries(pid, group.identity.run_id)
    except OSError:
        return True  # it has just ended, and nobody else was found


def _missing(launch: Launch) -> str:
    if launch.health is None:
        return f"nothing accepts connections at port {launch.port}"
    status = ports.http_status(launch.port or 0, launch.health)
    return f"{launch.health} at port {launch.port} " + (
        "does not answer" if status is None else f"says {status}"
    )


def _hint(launch: Launch) -> str:
    key = "port and health" if launch.health else "port"
    return f"Read its last lines; check services.{launch.name}.command, {key} in bootstrap.toml."

"""The vendors' own daemons on this machine, for what goes to their clouds without containers."""

import os
import shutil
import socket
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from bootstrap.flows.environment import Give, fill_in
from bootstrap.flows.routing import Decision
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.project import Project
from bootstrap.model.secret import Secret
from bootstrap.stack.interface import Launch
from bootstrap.system import ports
from bootstrap.system.files import file_error, write_atomically
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Daemon

_LOOPBACK = "127.0.0.1"
#: how many ports are tried until one is free for TCP and UDP
_TRIES = 20


def needed(decisions: Iterable[Decision]) -> Daemon | None:
    """The daemon through which these decisions lead where no containers run; None where it takes none."""
    for decision in decisions:
        daemon = VENDORS[decision.vendor].daemon
        if decision.where == "cloud" and daemon is not None:
            return daemon
    return None


def launch(
    daemon: Daemon, project: Project, state: State, give: Give, environ: Mapping[str, str]
) -> tuple[Launch, str]:
    """Make the launch of a daemon, and the host:port at which services reach it (UDP and TCP).

    It works in the project's private folder, with a configuration file and keys of ours: what lies around in
    the repository or the home of whoever runs it is not read. Raises NotConfiguredError where it is not
    installed, BootstrapError where no port is free.
    """
    program = shutil.which(daemon.program, path=environ.get("PATH", os.defpath))
    if program is None:
        raise NotConfiguredError(
            f"{daemon.title} is not installed: no program {daemon.program!r} is on the PATH",
            f"Install it: {daemon.documentation}",
        )
    configuration = state.directory / f"{daemon.name}.yaml"
    try:
        write_atomically(configuration, daemon.configuration.encode(), mode=0o600)
    except OSError as error:
        raise file_error("write", configuration, error) from error
    port = _free_port()
    address = f"{_LOOPBACK}:{port}"
    variables = fill_in(daemon.variables(project), give)
    made = Launch(
        name=daemon.name,
        command=(str(Path(program).absolute()), *daemon.arguments(project, address, str(configuration))),
        directory=state.directory,
        environment={**daemon.settings, **{item.name: item.text for item in variables}},
        port=port,
        hidden=tuple(item.text for item in variables if isinstance(item.value, Secret)),
    )
    return made, address


def _free_port() -> int:
    """Find a port that nobody has, neither for TCP nor for UDP."""
    for _ in range(_TRIES):
        with closing(socket.create_server((_LOOPBACK, 0))) as server:
            port: int = server.getsockname()[1]
        if ports.is_free(port) and ports.is_free(port, "udp"):
            return port
    raise BootstrapError("no port is free for a daemon", "Stop a program that listens.")

"""The collector's ports: the usual ones where they are free, bound by whoever starts it and handed over."""

import socket

from bootstrap.collector.sockets import PortTakenError, Sockets, bind
from bootstrap.model.errors import BootstrapError

#: the ports that OTLP/HTTP clients and the X-Ray SDK default to
HTTP_PORT = 4318
DAEMON_PORT = 2000
_LOOPBACK = "127.0.0.1"


def bind_preferred(port: int | None = None, daemon_port: int | None = None) -> Sockets:
    """Bind exactly the ports that are given; instead of None, the usual port or any that is free.

    Raises PortTakenError where a given port is not free.
    """
    http, daemon = port or HTTP_PORT, daemon_port or DAEMON_PORT
    choices = ((http, daemon), (http, daemon_port or 0), (port or 0, daemon), (port or 0, daemon_port or 0))
    taken: PortTakenError | None = None
    for choice in choices:
        try:
            return bind((_LOOPBACK, choice[0]), (_LOOPBACK, choice[1]))
        except PortTakenError as error:
            taken = error
    raise taken or BootstrapError("no port is free for the collector", "Stop a program that listens.")


def descriptors(sockets: Sockets) -> tuple[int, int, int]:
    """The file descriptors of `sockets`, for the process that inherits them."""
    return sockets.http.fileno(), sockets.daemon_tcp.fileno(), sockets.daemon_udp.fileno()


def adopt(inherited: str) -> Sockets:
    """Take over descriptors ("5,6,7") that the parent bound; raises BootstrapError where they are none."""
    try:
        http, daemon_tcp, daemon_udp = (socket.socket(fileno=int(number)) for number in inherited.split(","))
    except (OSError, ValueError) as error:
        raise BootstrapError(
            "the collector was handed no sockets", "Leave --sockets out: it is for `bootstrap up`."
        ) from error
    return Sockets(http, daemon_tcp, daemon_udp)


def ports(sockets: Sockets) -> tuple[int, int]:
    """The numbers of the HTTP port and of the daemon's."""
    return sockets.http.getsockname()[1], sockets.daemon_udp.getsockname()[1]

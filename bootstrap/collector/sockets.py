"""The collector's ports, bound before anything else happens, so that a caller can try others."""

import contextlib
import errno
import ipaddress
import os
import socket
from dataclasses import dataclass

from bootstrap.model.errors import BootstrapError

_BACKLOG = 512
_RECEIVE_BUFFER = 32 * 1024 * 1024
_SO_RCVBUFFORCE = 33  # Linux: the socket module has no name for it
_ATTEMPTS = 50

Address = tuple[str, int]


class PortTakenError(BootstrapError):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is taken",
            "Stop what listens there, or let the collector use another port.",
        )
        self.port = port


@dataclass(frozen=True, slots=True)
class Sockets:
    """What the collector listens on; `daemon_tcp` and `daemon_udp` have the same port number."""

    http: socket.socket
    daemon_tcp: socket.socket
    daemon_udp: socket.socket

    def close(self) -> None:
        """Give the ports back."""
        for each in (self.http, self.daemon_tcp, self.daemon_udp):
            each.close()


def bind(http: Address, daemon: Address) -> Sockets:
    """Bind all three; port 0 is any free one. All are bound or none.

    Raises PortTakenError, or BootstrapError for an address that is not this machine's, or for a daemon
    address that others could reach: its protocol knows no credentials.
    """
    if not _is_loopback(daemon[0]):
        raise BootstrapError(
            f"{daemon[0]}: the X-Ray inlet takes from this machine only",
            "Give it a loopback address: 127.0.0.1.",
        )
    with contextlib.ExitStack() as bound:
        http_socket = bound.enter_context(_tcp(http))
        daemon_tcp, daemon_udp = _same_port(daemon)
        bound.pop_all()
    return Sockets(http_socket, daemon_tcp, daemon_udp)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _same_port(address: Address) -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on one number; for port 0, one that is free for both."""
    host, port = address
    attempt = 0
    while True:
        attempt += 1
        udp = _udp(address)
        try:
            return _tcp((host, udp.getsockname()[1])), udp
        except PortTakenError:
            udp.close()
            if port or attempt == _ATTEMPTS:
                raise
        except BaseException:
            udp.close()
            raise


def _tcp(address: Address) -> socket.socket:
    return _bound(address, socket.SOCK_STREAM)


def _udp(address: Address) -> socket.socket:
    udp = _bound(address, socket.SOCK_DGRAM)
    # A wish: the system grants what its own limit allows, and more to the administrator alone.
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    with contextlib.suppress(OSError):
        udp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    return udp


def _bound(address: Address, kind: socket.SocketKind) -> socket.socket:
    host, port = address
    # Named, because asyncio turns off Nagle's algorithm only for what calls itself TCP: each answer that goes
    # out in two parts would else wait 40 ms for the client's delayed acknowledgement.
    protocol = socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else socket.IPPROTO_UDP
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind, protocol)
    try:
        if kind is socket.SOCK_STREAM:
            # Only for TCP, to start again at once; over UDP it would let a second collector share the port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        if kind is socket.SOCK_STREAM:
            bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(host, port) from error
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise BootstrapError(
            f"cannot listen on {host} port {port}: {reason}",
            "Give an address of this machine and a port above 1023.",
        ) from error
    except OverflowError as error:
        bound.close()
        raise BootstrapError(f"{port} is no port", "Ports go from 1 to 65535; 0 is any free one.") from error
    return bound

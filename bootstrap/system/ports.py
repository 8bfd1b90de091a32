"""This machine's ports: which are free, who has one, and what answers there."""

import contextlib
import errno
import http.client
import socket
from collections.abc import Iterator
from typing import Literal

import psutil

from bootstrap.system.identity import wait_until

Kind = Literal["tcp", "udp"]

#: loopback and all addresses, in both families: a listener at any of them takes the port from a service
_ADDRESSES = (
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET, ""),
    (socket.AF_INET6, "::1"),
    (socket.AF_INET6, "::"),
)
#: development servers that bind "localhost" are found under one of these
_LOOPBACK = ("127.0.0.1", "::1")
_COMMAND_LIMIT = 60


def is_free(port: int, kind: Kind = "tcp") -> bool:
    """Whether a service could bind the port, on loopback and on all addresses."""
    return not any(_taken(family, address, port, kind) for family, address in _ADDRESSES)


def _taken(family: socket.AddressFamily, address: str, port: int, kind: Kind) -> bool:
    """Whether somebody has the port at this address; an address that this machine lacks is not taken."""
    try:
        with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as probe:
            if kind == "tcp":  # as servers do: what lingers of closed connections does not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def owner(port: int, kind: Kind = "tcp") -> str:
    """Who has the port, for people: `python (pid 123: python -m http.server)`, or `another program`."""
    for pid in sorted(owners(port, kind) or ()):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            return f"{process.name()} (pid {pid}{_command(process)})"
    return "another program"


def _command(process: psutil.Process) -> str:
    """The start of the command line, made safe to print; nothing where it may not be read."""
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return ""
    text = "".join(letter if letter.isprintable() else " " for letter in words)
    return f": {text[:_COMMAND_LIMIT]}{'...' if len(text) > _COMMAND_LIMIT else ''}" if text.strip() else ""


def owners(port: int, kind: Kind = "tcp") -> set[int] | None:
    """The processes that listen at the port; None where the system does not tell them all."""
    pids = {pid for pid, number in _listeners(kind) if number == port}
    return None if None in pids else {pid for pid in pids if pid is not None}


def _listeners(kind: Kind) -> Iterator[tuple[int | None, int | None]]:
    """Every listening port with its process; on macOS only root sees all, others see their own."""
    try:
        for connection in psutil.net_connections(kind):
            if _listens(kind, connection.status):
                yield connection.pid, _port(connection.laddr)
    except psutil.AccessDenied:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                for own in process.net_connections(kind):
                    if _listens(kind, own.status):
                        yield process.pid, _port(own.laddr)


def _listens(kind: Kind, status: str) -> bool:
    return kind == "udp" or status == psutil.CONN_LISTEN


def _port(address: object) -> int | None:
    """The port of psutil's address, which is an empty tuple for a socket that is not bound."""
    return getattr(address, "port", None)


def any_free() -> int:
    """A port of loopback that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int, timeout: float = 1.0) -> bool:
    """Whether something on loopback takes a TCP connection."""
    for address in _LOOPBACK:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout):
            return True
    return False


def wait_accepting(port: int, timeout: float) -> bool:
    """Wait up to `timeout` seconds until something on loopback takes a TCP connection."""
    return wait_until(lambda: accepts(port), timeout)


def http_status(port: int, path: str, timeout: float = 2.0) -> int | None:
    """The status that GET `path` on loopback answers, or None when nothing speaks HTTP there."""
    for address in _LOOPBACK:
        connection = http.client.HTTPConnection(address, port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"User-Agent": "bootstrap-health", "Connection": "close"})
            return connection.getresponse().status
        except ConnectionRefusedError:
            continue
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
    return None

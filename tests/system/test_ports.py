"""Ports, with real sockets on loopback."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bootstrap.system.ports import accepts, http_status, is_free, owner, owners, wait_accepting


@contextmanager
def bound(family: socket.AddressFamily, kind: socket.SocketKind, address: str) -> Iterator[int]:
    with socket.socket(family, kind) as held:
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            held.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        if kind == socket.SOCK_STREAM:
            held.listen()
        yield held.getsockname()[1]


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"]
)
def test_a_listener_takes_a_port(family: socket.AddressFamily, address: str) -> None:
    with bound(family, socket.SOCK_STREAM, address) as port:
        assert not is_free(port)
        assert accepts(port)
        assert owners(port) == {os.getpid()}
        assert f"(pid {os.getpid()}: " in owner(port)
        assert is_free(port, "udp")
    assert is_free(port)
    assert not accepts(port)
    assert owners(port) == set()
    assert owner(port) == "another program"


def test_a_datagram_socket_takes_a_udp_port() -> None:
    with bound(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1") as port:
        assert not is_free(port, "udp")
        assert owners(port, "udp") == {os.getpid()}
        assert os.getpid() not in (owners(port) or ())
    assert is_free(port, "udp")


def test_what_lingers_of_a_closed_connection_takes_no_port() -> None:
    with bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as port:
        pass
    with socket.create_server(("127.0.0.1", port)) as server:
        client = socket.create_connection(("127.0.0.1", port), 10)
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
        assert client.recv(1) == b""
        client.close()
    assert is_free(port)


def test_waiting_for_a_listener() -> None:
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        port = late.getsockname()[1]
        assert not wait_accepting(port, 0.1)
        timer = threading.Timer(0.2, late.listen)
        timer.start()
        assert wait_accepting(port, 30)
        timer.join()


class Handler(BaseHTTPRequestHandler):
    """Answers the number in the path."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_the_status_of_an_http_server() -> None:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_port
        assert [http_status(port, f"/{code}") for code in (204, 302, 503)] == [204, 302, 503]
        server.shutdown()
        thread.join()
    assert http_status(port, "/200") is None


def test_a_listener_that_speaks_no_http_has_no_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert http_status(port, "/", timeout=0.2) is None

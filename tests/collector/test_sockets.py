from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from bootstrap.collector.sockets import PortTakenError, bind
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = ("127.0.0.1", 0)


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket(socket.AF_INET, request.param) as other:
        other.bind(FREE)
        if request.param is socket.SOCK_STREAM:
            other.listen()
        yield other.getsockname()[1]


def test_the_daemon_has_one_number_for_both_protocols() -> None:
    with contextlib.closing(bind(FREE, FREE)) as sockets:
        assert sockets.daemon_tcp.getsockname() == sockets.daemon_udp.getsockname()
        assert sockets.http.getsockname()[1] != sockets.daemon_tcp.getsockname()[1]


def test_a_daemon_port_taken_for_either_protocol_is_named(taken: int) -> None:
    with pytest.raises(PortTakenError, match=str(taken)) as caught:
        bind(FREE, ("127.0.0.1", taken))
    assert caught.value.port == taken
    assert caught.value.hint


def test_no_answer_waits_for_an_acknowledgement() -> None:
    """Asyncio sets TCP_NODELAY on what is accepted where the listening socket says that it is TCP."""
    with contextlib.closing(bind(FREE, FREE)) as sockets:
        assert {sockets.http.proto, sockets.daemon_tcp.proto} == {socket.IPPROTO_TCP}


def test_two_collectors_cannot_share_a_port() -> None:
    with contextlib.closing(bind(FREE, FREE)) as first:
        http, daemon = first.http.getsockname(), first.daemon_udp.getsockname()
        with pytest.raises(PortTakenError, match=str(http[1])):
            bind(http, FREE)
        with pytest.raises(PortTakenError, match=str(daemon[1])):
            bind(FREE, daemon)


def test_ports_are_free_again_after_a_failure_and_after_closing(taken: int) -> None:
    with contextlib.closing(bind(FREE, FREE)) as first:
        http, daemon = first.http.getsockname(), first.daemon_udp.getsockname()
    with pytest.raises(PortTakenError):
        bind(http, ("127.0.0.1", taken))
    bind(http, daemon).close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.test", ""])
def test_the_daemon_is_for_this_machine_only(host: str) -> None:
    with pytest.raises(BootstrapError, match="this machine only"):
        bind(FREE, (host, 0))


@pytest.mark.parametrize("address", [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_impossible_address_is_named(address: tuple[str, int]) -> None:
    with pytest.raises(BootstrapError, match=f"{address[0]}|{address[1]}"):
        bind(address, FREE)

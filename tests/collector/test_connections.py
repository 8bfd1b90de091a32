"""Whoever opens connections and stays silent shuts out nobody."""

from __future__ import annotations

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bootstrap.collector.connections import HEADER_SECONDS

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Starter

PATIENCE = 30.0


def connect(collector: Collector) -> socket.socket:
    return socket.create_connection(("127.0.0.1", collector.port), timeout=PATIENCE)


def test_silent_connections_shut_out_nobody(start_collector: Starter) -> None:
    collector = start_collector()
    with contextlib.ExitStack() as open_connections:
        for number in range(400):
            idle = open_connections.enter_context(connect(collector))
            if number % 2:
                idle.sendall(b"GET /healthz HTTP/1.1\r\n")
        for _ in range(20):
            assert collector.request("GET", "/healthz").status == 200
    assert collector.stop() == ("returned\n", "")


def silent(collector: Collector) -> None:
    wait_for_the_end(collector, b"")


def cut_off(collector: Collector) -> None:
    wait_for_the_end(collector, b"GET /healthz HTTP/1.1\r\nHost: a")


def cut_off_after_another(collector: Collector) -> None:
    whole = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\n\r\n"
    wait_for_the_end(collector, whole.encode() + b"GET /")


def wait_for_the_end(collector: Collector, sent: bytes) -> None:
    start = time.monotonic()
    with connect(collector) as slow:
        slow.sendall(sent)
        while slow.recv(4096):
            pass
    assert time.monotonic() - start < HEADER_SECONDS + 10


def in_drops(collector: Collector) -> None:
    start = time.monotonic()
    with connect(collector) as slow, contextlib.suppress(OSError):
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        while time.monotonic() - start < PATIENCE:
            slow.sendall(b"a: b\r\n")
            time.sleep(0.1)
    assert time.monotonic() - start < HEADER_SECONDS + 10


def slow_body(collector: Collector) -> None:
    """A body may take longer than a header."""
    head = f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\nContent-Length: 2\r\n"
    with connect(collector) as slow:
        slow.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
        time.sleep(HEADER_SECONDS + 0.5)
        slow.sendall(b"}")
        assert slow.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_header_has_to_end_in_time(collector: Collector) -> None:
    clients = [silent, cut_off, cut_off_after_another, in_drops, slow_body]
    with ThreadPoolExecutor(len(clients)) as at_once:
        for done in [at_once.submit(client, collector) for client in clients]:
            done.result()


def test_a_request_after_another_on_one_connection(collector: Collector) -> None:
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\n\r\n".encode()
    with connect(collector) as kept:
        for _ in range(3):
            kept.sendall(request)
            read_answers(kept, 1)
        kept.sendall(request[:10])
        kept.sendall(request[10:] + request)
        read_answers(kept, 2)


def read_answers(kept: socket.socket, count: int) -> None:
    received = b""
    while received.count(b"\r\n\r\nok") < count:
        part = kept.recv(4096)
        assert part
        received += part

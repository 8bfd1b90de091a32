"""Whoever opens connections and stays silent shuts out nobody."""

from __future__ import annotations

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import uvicorn

from bootstrap.collector.connections import HEADER_SECONDS, PromptProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

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


PLACES = 5
LARGE = 12 * 1024 * 1024


async def answer(_: Scope, receive: Receive, send: Send) -> None:
    """Wait for the body, then answer with more than fits between here and there if that was "large"."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a" * (LARGE if body == b"large" else 1)})


@pytest.fixture
def few_places() -> Iterator[int]:
    """The port of a server with few places, whose application waits for ever."""
    config = uvicorn.Config(
        answer,
        port=0,
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        limit_concurrency=PLACES,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(server.run)
        deadline = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True


@pytest.mark.parametrize(
    "request_body",
    [b"Content-Length: 6\r\n\r\nsmall", b"Content-Length: 5\r\n\r\nlarge"],
    ids=["who is slow to send", "who does not take the answer"],
)
def test_whoever_keeps_it_waiting_gives_way(few_places: int, request_body: bytes) -> None:
    def status(sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", few_places), timeout=PATIENCE) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + sent)
            return client.recv(12)[-3:]

    usual = b"Content-Length: 0\r\n\r\n"
    with contextlib.ExitStack() as open_connections:
        while status(usual) != b"503":
            slow = open_connections.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", few_places))
            slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + request_body)
        deadline = time.monotonic() + PATIENCE
        while status(usual) != b"200":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert [status(usual) for _ in range(10)] == [b"200"] * 10


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

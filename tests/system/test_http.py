"""One question with a key in it: where it goes, where it never goes, and what an error says."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError
from bootstrap.system import http
from bootstrap.system.endpoints import is_loopback, override
from tests.stand_ins.server import Fixed, Request, Response, StandIn, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "a-key-that-nobody-may-see"


def ask(url: str) -> http.Answer:
    return http.get(url, {"X-Key": KEY})


def refused(url: str) -> str:
    with pytest.raises(RemoteRefusedError) as caught:
        ask(url)
    words = f"{caught.value.message} {caught.value.hint}"
    assert KEY not in words
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return words


def test_the_key_travels_in_its_header() -> None:
    with Fixed(json_response(200, {"team": "acme"})) as server:
        answer = ask(f"{server.url}/1/auth")
    assert (answer.status, answer.document) == (200, {"team": "acme"})
    (request,) = server.requests
    assert (request.method, request.path, request.headers["X-Key"]) == ("GET", "/1/auth", KEY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_key_elsewhere(status: int) -> None:
    with Fixed(Response(200)) as other, Fixed(Response(status, b"", {"Location": f"{other.url}/"})) as server:
        assert ask(server.url).status == status
    assert other.requests == []


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"\xff\xfe", b"[" * 100_000, b'{"a": '])
def test_a_body_that_is_no_json_is_no_document(body: bytes) -> None:
    with Fixed(Response(200, body)) as server:
        answer = ask(server.url)
    assert (answer.status, answer.document) == (200, None)


def test_no_more_is_read_than_an_answer_may_have() -> None:
    with Fixed(Response(200, b'"' + b"x" * (http.LIMIT + 1) + b'"')) as server:
        assert "does not end" in refused(server.url)
        assert len(http.get(server.url, {}, limit=http.LIMIT + 3).document) == http.LIMIT + 1


def test_a_visit_needs_no_answer_that_can_be_read() -> None:
    with Fixed(Response(500, b"x" * (http.LIMIT + 1), {"X-Trace": "1"})) as server:
        answer = http.visit(server.url, {}, timeout=5)
    assert (answer.status, answer.document, answer.headers["x-trace"]) == (500, None, "1")


def test_a_document_is_posted_as_json() -> None:
    with Fixed(json_response(201, {"id": "a"})) as server:
        answer = http.post(f"{server.url}/1/queries", {"X-Key": KEY}, {"limit": 1})
    assert (answer.status, answer.document) == (201, {"id": "a"})
    (request,) = server.requests
    assert (request.method, request.body, request.headers["X-Key"]) == ("POST", b'{"limit": 1}', KEY)
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("date", "ahead"), [("", 0), ("yesterday", 0), (None, 0), (-3600, -3600)])
def test_the_other_clock_is_compared_with_ours(date: str | int | None, ahead: int) -> None:
    if isinstance(date, int):
        date = formatdate(time.time() + date, usegmt=True)
    with Fixed(Response(200, b"", {} if date is None else {"Date": date})) as server:
        assert ask(server.url).ahead == pytest.approx(ahead, abs=2)


@pytest.fixture
def listening() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serve one connection with a function: listening(function) is the URL."""
    done = threading.Event()
    threads = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def start(serve: Callable[[socket.socket], None]) -> str:
            def run() -> None:
                connection, _ = server.accept()
                with connection:
                    serve(connection)
                    done.wait(60)

            threads.append(threading.Thread(target=run))
            threads[-1].start()
            return f"http://127.0.0.1:{server.getsockname()[1]}/"

        yield start
        done.set()
        for thread in threads:
            thread.join()


def test_who_says_nothing_is_not_waited_for(listening: Callable[..., str]) -> None:
    started = time.monotonic()
    assert "no answer within" in refused(listening(lambda connection: connection.recv(65536)))
    assert time.monotonic() - started < 4 * http.TIMEOUT


def test_a_connection_that_breaks_off_is_an_error(listening: Callable[..., str]) -> None:
    def broken(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        connection.shutdown(socket.SHUT_RDWR)

    assert "broke off" in refused(listening(broken))


def test_what_is_no_http_is_an_error(listening: Callable[..., str]) -> None:
    def speaks_something_else(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"220 smtp.example.com ESMTP\r\n")
        connection.shutdown(socket.SHUT_RDWR)

    refused(listening(speaks_something_else))


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "no connection" in refused(f"http://127.0.0.1:{port}/")


def test_tls_is_verified() -> None:
    # A server that speaks no TLS at all cannot be mistaken for one that may be trusted.
    with Fixed(Response(200)) as server:
        assert "certificate" in refused(server.url.replace("http://", "https://"))
    assert server.requests == []


class Proxy(StandIn):
    """Refuses every tunnel, and remembers who asked for one."""

    def answer(self, request: Request) -> Response:
        assert request.method == "CONNECT"
        return Response(403)


def test_proxies_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://somebody:pass-word@"))
        words = refused("https://api.example.com/1/auth")
    assert "proxy" in words
    assert "pass-word" not in words
    (request,) = proxy.requests
    assert request.path == "api.example.com:443"
    assert "X-Key" not in request.headers
    assert request.headers["Proxy-Authorization"].startswith("Basic ")


def test_a_proxy_may_have_no_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.removeprefix("http://"))
        refused("https://api.example.com/")
    assert len(proxy.requests) == 1


def test_no_proxy_sees_what_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy, Fixed(json_response(200, {})) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert ask(server.url).status == 200
    assert proxy.requests == []


def test_a_proxy_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://somebody:pass-word@127.0.0.1:1")
    with pytest.raises(NotConfiguredError) as caught:
        ask("https://api.example.com/")
    assert "pass-word" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX: y", "a\x00b", "schl\u00fcssel", "\ud800"])
def test_what_no_header_can_hold_is_refused_unquoted(value: str) -> None:
    with Fixed(Response(200)) as server, pytest.raises(NotConfiguredError) as caught:
        http.get(server.url, {"X-Key": value})
    assert value not in f"{caught.value.message}{caught.value.hint}"
    assert server.requests == []


def test_a_key_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(NotConfiguredError, match="https alone"):
        ask("http://api.example.com/1/auth")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://127.1.2.3/", "https://localhost:1", "http://[::1]:9"],
)
def test_another_address_may_be_this_machine(url: str) -> None:
    assert override({"X": url}, "X") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com",
        "http://127.0.0.1.evil.example.com",
        "http://127.0.0.1@evil.example.com",
        "http://localhost:80@evil.example.com",
        "http://0.0.0.0:80",
        "http://10.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:80",
        "http://[::1",
        "http://localhost.",
        "http:\\\\127.0.0.1",
    ],
)
def test_another_address_is_never_elsewhere(url: str) -> None:
    with pytest.raises(NotConfiguredError, match="X does not lead to this machine"):
        override({"X": url}, "X")


def test_no_other_address_is_asked_for() -> None:
    assert override({}, "X") is None
    assert override({"X": ""}, "X") is None


@given(st.one_of(st.text(), st.text().map(lambda text: f"http://{text}")))
def test_whatever_an_address_is_it_is_judged(text: str) -> None:
    assert is_loopback(text) in (True, False)

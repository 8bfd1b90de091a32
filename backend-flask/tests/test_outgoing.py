"""What a request's own calls carry, to whom, and the trace that two services leave together."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from flask import Flask
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from werkzeug.serving import make_server

import observability
from evidence import HEADERS_OF_TRACES, Evidence, evidence, learn_rules, settle, trace_of
from receivers import AllVendors, OtlpSink
from servers import MakeApp
from trace_headers import TRUSTED, new_trace_id, proven, root, sampled, traceparent

KEY = "made-up-key"
PUBLIC = {"TRACE_PROOF_KEY": KEY}
UNSAMPLED = "/api/activities/home"  # as the daemon's rules in these tests say


class Listener:
    """A server that keeps the headers of what it is sent, and redirects if it is told where to."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.location = ""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.seen.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(302 if listener.location else 200)
                if listener.location:
                    self.send_header("Location", listener.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.peer = f"127.0.0.1:{self.server.server_port}"

    def trace_headers(self) -> dict[str, str]:
        """Of the last request."""
        return {name: value for name, value in self.seen[-1].items() if name in HEADERS_OF_TRACES}


@contextlib.contextmanager
def answering(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def peer() -> Iterator[Listener]:
    listener = Listener()
    with answering(listener.server):
        yield listener


@pytest.fixture
def stranger() -> Iterator[Listener]:
    listener = Listener()
    with answering(listener.server):
        yield listener


def add_call(app: Flask, url: str, headers: Mapping[str, str] | None = None) -> None:
    """Give `app` a route that asks `url`."""

    @app.get("/call")
    def call() -> str:
        answer = requests.get(url, headers=headers, timeout=20)
        assert "x-trace-proof" not in answer.request.headers
        return str(answer.status_code)


def call(app: Flask, headers: dict[str, str]) -> str:
    """Ask for that route; returns the trace's id."""
    response = app.test_client().get("/call", headers=headers)
    assert (response.status_code, response.text) == (200, "200")
    return trace_of(response)


def tracing(vendors: AllVendors) -> dict[str, str]:
    """Turn on the two vendors that have headers."""
    return {**vendors.honeycomb.environ, **vendors.xray.environ}


def left_by(vendors: AllVendors, trace_id: str, *apps: Flask) -> Evidence:
    """Everything that has arrived of this trace, once these apps have sent it all."""
    for app in apps:
        observability.shut_down(app, 5)
    settle(vendors)
    return evidence(vendors, trace_id)


def test_two_services_leave_one_trace(make_app: MakeApp, everything: AllVendors) -> None:
    backend = make_app({**everything.environ, **PUBLIC, "OTEL_SERVICE_NAME": "backend"})
    served = make_server("127.0.0.1", 0, backend, threaded=True)
    names = {"OTEL_SERVICE_NAME": "gateway", "TRACE_PEERS": f"127.0.0.1:{served.port}"}
    gateway = make_app({**everything.environ, **TRUSTED, **PUBLIC, **names})
    add_call(gateway, f"http://127.0.0.1:{served.port}/rollbar/test?code=secret")
    gateway.before_request(lambda: gateway.extensions["rollbar_report"]("called", "info"))
    entrance = make_server("127.0.0.1", 0, gateway, threaded=True)
    with answering(served), answering(entrance):
        answer = requests.get(f"http://127.0.0.1:{entrance.port}/call", headers=sampled(), timeout=20)
        assert answer.text == "200"
    trace_id = answer.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")

    found = left_by(everything, trace_id, gateway, backend)
    spans = {(span.service, span.span.kind): span.span for span in found.spans}
    entry, client = (spans["gateway", kind] for kind in (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT))
    callee = spans["backend", Span.SPAN_KIND_SERVER]
    assert (entry.parent_span_id, client.parent_span_id) == (b"", entry.span_id)
    assert callee.parent_span_id == client.span_id
    segments = {segment["name"]: segment for segment in found.segments}
    (remote,) = segments["gateway"]["subsegments"]
    assert segments["backend"]["parent_id"] == remote["id"]
    assert (remote["name"], remote["namespace"]) == ("127.0.0.1", "remote")
    url = f"http://127.0.0.1:{served.port}/rollbar/test"
    assert remote["http"] == {"request": {"method": "GET", "url": url}, "response": {"status": 200}}
    assert sorted(line.fields["path"] for line in found.lines) == ["/call", "/rollbar/test?code"]
    assert sorted(item["body"]["message"]["body"] for item in found.items) == ["Hello World!", "called"]


def test_a_public_sibling_is_given_proof(make_app: MakeApp, everything: AllVendors, peer: Listener) -> None:
    app = make_app({**tracing(everything), **TRUSTED, **PUBLIC, "TRACE_PEERS": f"db:1,{peer.peer}"})
    add_call(app, f"http://{peer.peer}/")
    trace_id = call(app, sampled())
    sent = peer.trace_headers()
    assert sent["x-trace-proof"] == proven(KEY, trace_id)["X-Trace-Proof"]
    assert sent["traceparent"].startswith(f"00-{trace_id}-")
    assert sent["x-amzn-trace-id"].startswith(f"Root={root(trace_id)};Parent=")
    assert sent["x-amzn-trace-id"].endswith(";Sampled=1")


@pytest.mark.parametrize(
    "url", ["http://{stranger}/", "http://{peer}@{stranger}/{peer}?{peer}#{peer}", "http://localhost:{port}/"]
)
def test_a_stranger_is_told_nothing(
    make_app: MakeApp, everything: AllVendors, peer: Listener, stranger: Listener, url: str
) -> None:
    app = make_app({**tracing(everything), **TRUSTED, **PUBLIC, "TRACE_PEERS": peer.peer})
    port = peer.server.server_port  # under another name
    asked = url.format(stranger=stranger.peer, peer=peer.peer, port=port)
    add_call(app, asked, {"X-Amzn-Trace-Id": "the caller's own"})
    call(app, sampled())
    (seen,) = [listener.trace_headers() for listener in (peer, stranger) if listener.seen]
    assert seen == {"x-amzn-trace-id": "the caller's own"}


def test_a_redirect_to_a_stranger_takes_nothing_along(
    make_app: MakeApp, everything: AllVendors, peer: Listener, stranger: Listener
) -> None:
    app = make_app({**tracing(everything), **PUBLIC, "TRACE_PEERS": peer.peer})
    peer.location = f"http://{stranger.peer}/"
    add_call(app, f"http://{peer.peer}/")
    call(app, {})
    assert set(peer.trace_headers()) == HEADERS_OF_TRACES
    assert stranger.trace_headers() == {}


def test_one_decision_about_sampling_counts_for_all(
    make_app: MakeApp, everything: AllVendors, peer: Listener
) -> None:
    app = make_app({**tracing(everything), "TRACE_PEERS": peer.peer})
    add_call(app, f"http://{peer.peer}/")
    learn_rules(app, everything)
    trace_id = call(app, {})
    assert peer.trace_headers()["x-amzn-trace-id"] == f"Root={root(trace_id)};Sampled=0"
    assert "x-trace-proof" not in peer.trace_headers()  # there is no key


@pytest.mark.parametrize("vendor", ["rollbar", "cloudwatch"])
def test_what_is_not_recorded_here_is_passed_on(
    make_app: MakeApp, everything: AllVendors, peer: Listener, vendor: str
) -> None:
    app = make_app({**everything.by_name[vendor].environ, **TRUSTED, "TRACE_PEERS": peer.peer})
    add_call(app, f"http://{peer.peer}/")
    trace_id = new_trace_id()
    for headers in (
        traceparent(trace_id, flags="00") | sampled(trace_id, Parent="c" * 16, Sampled="0"),
        traceparent(trace_id),
        sampled(trace_id),
    ):
        assert call(app, headers) == trace_id
        passed_on = peer.trace_headers()
        assert passed_on.get("traceparent") == headers.get("traceparent")
        assert sorted(passed_on["x-amzn-trace-id"].split(";")) == sorted(
            headers.get("X-Amzn-Trace-Id", f"Root={root(trace_id)}").split(";")
        )


@pytest.mark.parametrize("peers", [None, "", "127.0.0.1:1,localhost:80"])
def test_without_peers_or_telemetry_calls_leave_as_they_are(
    make_app: MakeApp, everything: AllVendors, peer: Listener, peers: str | None
) -> None:
    reporting = tracing(everything)
    on = {**reporting, **PUBLIC, **({} if peers is None else {"TRACE_PEERS": peers})}
    off = {**dict.fromkeys(reporting, ""), **PUBLIC, "TRACE_PEERS": peer.peer}
    for environ in (on, off):
        app = make_app(environ)
        add_call(app, f"http://{peer.peer}/")
        assert app.test_client().get("/call").text == "200"
        assert peer.trace_headers() == {}


def test_a_sibling_that_is_away_fails_as_ever_and_is_recorded(
    make_app: MakeApp, everything: AllVendors
) -> None:
    app = make_app({**everything.environ, **TRUSTED, **PUBLIC, "TRACE_PEERS": "127.0.0.1:9"})

    @app.get("/call")
    def call_nobody() -> str:
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:9/", timeout=20)
        return "200"

    found = left_by(everything, call(app, sampled()), app)
    (segment,) = found.segments
    (remote,) = segment["subsegments"]
    assert remote["fault"]
    assert remote["cause"]["exceptions"][0]["type"] == "ConnectionError"
    assert "fault" not in segment


class _Uncopyable(requests.PreparedRequest):
    def copy(self) -> requests.PreparedRequest:
        raise RuntimeError


def test_trouble_of_telemetrys_own_fails_no_call(
    make_app: MakeApp, everything: AllVendors, peer: Listener
) -> None:
    app = make_app(
        {
            **tracing(everything),
            **TRUSTED,
            **PUBLIC,
            "TRACE_PEERS": peer.peer,
        }
    )

    @app.get("/call")
    def call_oddly() -> str:
        request = _Uncopyable()
        request.prepare("GET", f"http://{peer.peer}/")
        with requests.Session() as session:
            return str(session.send(request, timeout=20).status_code)

    found = left_by(everything, call(app, sampled()), app)
    assert peer.trace_headers() == {}
    assert len(found.segments[0]["subsegments"]) == 1


def test_deliveries_are_no_calls(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app({**otlp.environ, "TRACE_PEERS": f"127.0.0.1:{otlp.port}"})
    app.test_client().get(UNSAMPLED)
    app.extensions["tracer_provider"].force_flush()
    app.extensions["tracer_provider"].force_flush()
    assert len(otlp.inbox.items) == 2

"""The spans that arrive over OTLP/HTTP."""

import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from flask import Flask
from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from receivers import OtlpSink, ReceivedSpan
from servers import MakeApp
from trace_headers import TRUSTED, new_trace_id, traceparent


def arrived(app: Flask, sink: OtlpSink) -> list[ReceivedSpan]:
    """Everything that `app` has recorded so far: a flush sends all of it before it returns."""
    app.extensions["tracer_provider"].force_flush()
    return list(sink.inbox.items)


def test_home_is_a_trace_of_two_spans(make_app: MakeApp, otlp: OtlpSink) -> None:
    environ = {
        **otlp.environ,
        "OTEL_SERVICE_NAME": "posts",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=made-up",
    }
    app = make_app(environ)
    before = time.time()
    activities: Any = app.test_client().get("/api/activities/home").json

    inner, outer = arrived(app, otlp)
    assert (outer.span.name, inner.span.name) == ("GET /api/activities/home", "home-activities-mock-data")
    assert (outer.service, inner.service) == ("posts", "posts")
    assert outer.headers["x-honeycomb-team"] == "made-up"
    assert inner.span.trace_id == outer.span.trace_id
    assert inner.span.parent_span_id == outer.span.span_id
    assert outer.span.parent_span_id == b""
    assert outer.span.kind == Span.SPAN_KIND_SERVER

    assert inner.attributes.keys() == {"app.now", "app.result_length"}
    now = datetime.fromisoformat(inner.attributes["app.now"])
    assert now.tzinfo
    assert before - 1 <= now.timestamp() <= time.time() + 1
    assert inner.attributes["app.result_length"] == len(activities) == 3

    assert outer.attributes["http.request.method"] == "GET"
    assert outer.attributes["http.response.status_code"] == 200
    assert outer.attributes["url.path"] == "/api/activities/home"
    assert outer.attributes["http.route"] == "/api/activities/home"
    # X-Ray reads the first 32 bits of a trace id as the second in which it began.
    assert abs(int.from_bytes(outer.span.trace_id[:4], "big") - before) < 60


def test_health_checks_are_no_traces(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app(otlp.environ)
    client = app.test_client()
    health: Any = client.get("/api/health-check").json
    assert health["telemetry"]["honeycomb"] == "on"
    client.get("/api/health-check?again")
    client.get("/api/activities/@andrewbrown?next=/api/health-check")
    (span,) = arrived(app, otlp)
    assert span.span.name == "GET /api/activities/@<handle>"


def test_a_caller_can_hand_over_its_trace(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app({**otlp.environ, **TRUSTED})
    trace_id, parent = new_trace_id(), 16 * "b"
    app.test_client().get("/api/activities/@andrewbrown", headers=traceparent(trace_id, parent))
    (span,) = arrived(app, otlp)
    assert (span.span.trace_id.hex(), span.span.parent_span_id.hex()) == (trace_id, parent)


def test_an_unhandled_exception_marks_the_span(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app(otlp.environ)

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("no posts to share")

    assert app.test_client().get("/broken").status_code == 500
    (span,) = arrived(app, otlp)
    assert span.span.status.code == Status.STATUS_CODE_ERROR
    assert [event.name for event in span.span.events] == ["exception"]


@pytest.mark.parametrize("path", ["/api/activities/home", "/nowhere"])
def test_nobody_can_name_spans_by_inventing_methods(make_app: MakeApp, otlp: OtlpSink, path: str) -> None:
    app = make_app(otlp.environ)
    app.test_client().open(path, method="BREW")
    (span,) = arrived(app, otlp)
    assert span.span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "BREW"


def test_two_apps_in_one_process_keep_to_themselves(make_app: MakeApp, otlp: OtlpSink) -> None:
    one = make_app({**otlp.environ, "OTEL_SERVICE_NAME": "one"})
    two = make_app({**otlp.environ, "OTEL_SERVICE_NAME": "two"})
    silent = make_app({})
    for app in (one, two, silent, one):
        assert app.test_client().get("/api/activities/home").status_code == 200
    arrived(one, otlp)
    spans = arrived(two, otlp)
    assert sorted(span.service for span in spans) == ["one", "one", "one", "one", "two", "two"]


def test_spans_outside_a_request_arrive(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app(otlp.environ)
    with trace.get_tracer("job").start_as_current_span("nightly"):
        pass
    assert [span.span.name for span in arrived(app, otlp)] == ["nightly"]


class _Peer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen = dict(self.headers)  # type: ignore[attr-defined] # the server carries it out
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_outgoing_calls_are_part_of_the_trace(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app(otlp.environ)
    with HTTPServer(("127.0.0.1", 0), _Peer) as peer:
        answering = threading.Thread(target=peer.handle_request)
        answering.start()

        @app.get("/calls")
        def calls() -> str:
            return str(requests.get(f"http://127.0.0.1:{peer.server_port}/", timeout=20).status_code)

        assert app.test_client().get("/calls").text == "204"
        answering.join()
    client_span, server_span = arrived(app, otlp)
    assert client_span.span.kind == Span.SPAN_KIND_CLIENT
    assert client_span.span.parent_span_id == server_span.span.span_id
    assert client_span.attributes["http.request.method"] == "GET"
    assert "traceparent" not in peer.seen  # type: ignore[attr-defined] # set by the handler above: a stranger


def test_empty_variables_of_the_sdk_are_unset(
    make_app: MakeApp, otlp: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "OTEL_PROPAGATORS",
        "OTEL_TRACES_SAMPLER",
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_PYTHON_TRACER_PROVIDER",
    ):
        monkeypatch.setenv(name, "")
    app = make_app(otlp.environ)
    assert app.test_client().get("/api/activities/home").status_code == 200
    assert len(arrived(app, otlp)) == 2


@pytest.mark.parametrize("host", ["a:y", "a:", "a:99999999999", ":"])
def test_a_port_that_is_no_number_fails_no_request(make_app: MakeApp, otlp: OtlpSink, host: str) -> None:
    app = make_app(otlp.environ)
    _, _, port = host.partition(":")
    answer = app.test_client().get("/api/activities/home", environ_overrides={"SERVER_PORT": port})
    assert answer.status_code == 200
    assert len(arrived(app, otlp)) == 2

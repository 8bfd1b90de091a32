"""Traces to Honeycomb, or any other backend, through OpenTelemetry over OTLP/HTTP.

The SDK itself reads the finer OTEL_* variables: sampler, resource attributes, compression, timeouts. Of those
for batches, only OTEL_BSP_SCHEDULE_DELAY counts here.
"""

import functools
import logging
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, got_request_exception, has_app_context, request
from opentelemetry import context, propagate, trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from observability import otlp
from observability.delivery import Account, Delivery, Running
from observability.edge import Trace, current_trace
from observability.outgoing import without_secrets
from observability.wsgi import MOST_CHARACTERS, Headers, path_of, watching, wrap
from settings import HEALTH_PATH, Honeycomb, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

MOST_SPANS_WAITING = 8192
_SPANS_PER_BATCH = 512


def instrument(app: Flask, settings: Settings) -> Running:
    """Trace every request but health checks, and outgoing calls through `requests`.

    Spans leave in batches from a thread of their own, the last ones when the process exits.
    """
    # The names of attributes that dashboards are built on: http.request.method rather than http.method.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: settings.service_name}),
        id_generator=RequestTraceIds(),
        shutdown_on_exit=False,  # `shut_down` does it, with a deadline
    )
    spans = FinishedSpans(settings.honeycomb, provider.resource)
    provider.add_span_processor(spans)

    app.extensions["tracer_provider"] = provider
    wrap(app, lambda inner: ServerSpans(inner, provider.get_tracer(__name__)))
    got_request_exception.connect(_record_exception, app)
    _serve_tracers(provider)
    return Running(spans.delivery.report, spans.stop)


# What the conventions know; any other method is one that somebody has made up, and names no span.
_METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}


class ServerSpans:
    """WSGI middleware: one span for each request, with the attributes of OpenTelemetry's HTTP conventions.

    FlaskInstrumentor records the same in about three times the time.
    """

    def __init__(self, app: "WSGIApplication", tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request inside its span."""
        if environ.get("PATH_INFO") == HEALTH_PATH:
            return self._app(environ, start_response)
        span = self._begin(environ["REQUEST_METHOD"])
        token = context.attach(trace.set_span_in_context(span))

        def seen(status: int, _headers: Headers) -> None:
            if span.is_recording():
                _describe(span, environ, status)

        try:
            return self._app(environ, watching(start_response, seen))
        finally:
            context.detach(token)
            span.end()

    def _begin(self, method: str) -> trace.Span:
        """Open the span; one that records nothing if telemetry has trouble of its own."""
        try:
            name = method if method in _METHODS else "HTTP"
            return self._tracer.start_span(name, _parent(current_trace()), SpanKind.SERVER)
        except Exception:  # noqa: BLE001 - telemetry must never fail a request
            _log.warning("OpenTelemetry: a request is not recorded", exc_info=True)
            return trace.INVALID_SPAN


def _parent(request_trace: Trace | None) -> context.Context:
    """The caller's span, if it named one that counts; else this span begins its trace."""
    if request_trace is None or request_trace.parent_span is None:
        return context.Context()
    caller = SpanContext(
        int(request_trace.id, 16),
        int(request_trace.parent_span, 16),
        is_remote=True,
        trace_flags=TraceFlags(request_trace.recorded),
    )
    return trace.set_span_in_context(NonRecordingSpan(caller), context.Context())


def _describe(span: trace.Span, environ: "WSGIEnvironment", status: int) -> None:
    """Say all at once what the conventions ask for, but the query string, which may carry a secret.

    The route, not the path, names the span: there are few routes.
    """
    method = environ["REQUEST_METHOD"]
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.scheme": environ["wsgi.url_scheme"],
        "url.path": path_of(environ),
        "server.address": environ["SERVER_NAME"],
        "network.protocol.version": environ["SERVER_PROTOCOL"][5:],
        "http.response.status_code": status,
    }
    for name, key in (("client.address", "REMOTE_ADDR"), ("user_agent.original", "HTTP_USER_AGENT")):
        if value := environ.get(key):
            attributes[name] = value[:MOST_CHARACTERS]
    if method not in _METHODS:
        attributes |= {"http.request.method": "_OTHER", "http.request.method_original": method}
    if environ["SERVER_PORT"].isdecimal():  # it is whatever the client wrote
        attributes["server.port"] = int(environ["SERVER_PORT"][:9])
    if rule := request.url_rule:
        attributes["http.route"] = rule.rule
        span.update_name(f"{method} {rule.rule}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        attributes["error.type"] = str(status)
        span.set_status(StatusCode.ERROR)
    span.set_attributes(attributes)


def _record_exception(_app: Flask, exception: BaseException, **_: object) -> None:
    trace.get_current_span().record_exception(exception)


class RequestTraceIds(AwsXRayIdGenerator):
    """Begins a trace with the id that the request has already; elsewhere with one that X-Ray takes."""

    def generate_trace_id(self) -> int:
        """Answer the 128 bits."""
        request_trace = current_trace()
        return int(request_trace.id, 16) if request_trace else super().generate_trace_id()


class FinishedSpans(SpanProcessor):
    """Hands finished spans to their delivery.

    The SDK's own batches go the same way, but what they drop is not counted, and flushing them never says so.
    """

    def __init__(self, honeycomb: Honeycomb, resource: Resource) -> None:
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # `Account` says what fails
        self._exporter = otlp.Exporter(endpoint=honeycomb.endpoint, headers=honeycomb.headers)
        self._resource = otlp.encode_resource(resource)
        self.delivery = Delivery(
            Account("honeycomb", "spans"),
            otlp.encode,
            lambda batch: self._exporter.send(batch, self._resource),
            most=MOST_SPANS_WAITING,
            batch=_SPANS_PER_BATCH,
            seconds=honeycomb.seconds_between_batches,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Take one finished span on."""
        if span.context.trace_flags.sampled:
            self.delivery.put(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits now. True says that it was tried: `delivery.report` has the outcome."""
        return self.delivery.flush(timeout_millis / 1000)

    def stop(self, seconds: float) -> None:
        """Send what waits, for so long at most."""
        self.delivery.stop(seconds)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _serve_tracers(provider: TracerProvider) -> None:
    """Make `trace.get_tracer` work everywhere: it needs a global provider, which can be set only once."""
    _PROVIDER.outside_apps = provider
    if trace.get_tracer_provider() is not _PROVIDER:
        trace.set_tracer_provider(_PROVIDER)
        propagate.set_global_textmap(CompositePropagator([]))  # `outgoing` says who is sent a trace's headers
        RequestsInstrumentor().instrument(tracer_provider=_PROVIDER, request_hook=_cut_query)


def _cut_query(span: trace.Span, sent: Any) -> None:
    if span.is_recording():
        span.set_attribute("url.full", without_secrets(sent.url))


class _CurrentAppTracerProvider(trace.TracerProvider):
    """The global provider of a process that may hold several apps: it asks the one being served."""

    def __init__(self) -> None:
        self.outside_apps: trace.TracerProvider = _OFF  # for scripts and threads

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return _CurrentAppTracer(lambda provider: provider.get_tracer(*args, **kwargs))

    def current(self) -> trace.TracerProvider:
        if not has_app_context():
            return self.outside_apps
        provider: trace.TracerProvider = current_app.extensions.get("tracer_provider", _OFF)
        return provider


class _CurrentAppTracer(trace.Tracer):
    """One named tracer, in as many forms as there are apps."""

    def __init__(self, make: Callable[[trace.TracerProvider], trace.Tracer]) -> None:
        self._of = functools.cache(make)

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return self._of(_PROVIDER.current()).start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._of(_PROVIDER.current()).start_as_current_span(*args, **kwargs)


_OFF = trace.NoOpTracerProvider()
_PROVIDER = _CurrentAppTracerProvider()

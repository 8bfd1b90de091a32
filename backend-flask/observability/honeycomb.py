"""Traces to Honeycomb, or any other backend, through OpenTelemetry over OTLP/HTTP.

The SDK itself reads the finer OTEL_* variables: sampler, resource attributes, batches, compression, timeouts.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, has_app_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from routes import health
from settings import Settings


def instrument(app: Flask, settings: Settings) -> None:
    """Trace every request but health checks, and outgoing calls through `requests`.

    Spans leave in batches from a thread of their own, the last ones when the process exits.
    """
    # The names of attributes that dashboards are built on: http.request.method rather than http.method.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: settings.service_name}),
        id_generator=AwsXRayIdGenerator(),  # X-Ray takes only ids that begin with the time
    )
    exporter = OTLPSpanExporter(endpoint=settings.honeycomb.endpoint, headers=settings.honeycomb.headers)
    provider.add_span_processor(BatchSpanProcessor(exporter))

    app.extensions["tracer_provider"] = provider
    FlaskInstrumentor().instrument_app(
        app,
        tracer_provider=provider,
        excluded_urls=rf"^[^?]*{health.PATH}(\?|$)",
        enable_commenter=False,
    )
    _serve_tracers(provider)


def _serve_tracers(provider: TracerProvider) -> None:
    """Make `trace.get_tracer` work everywhere: it needs a global provider, which can be set only once."""
    _PROVIDER.outside_apps = provider
    if trace.get_tracer_provider() is not _PROVIDER:
        trace.set_tracer_provider(_PROVIDER)
        RequestsInstrumentor().instrument(tracer_provider=_PROVIDER)


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

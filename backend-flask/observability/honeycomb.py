"""Traces to Honeycomb, or any other backend, through OpenTelemetry over OTLP/HTTP.

The SDK itself reads the finer OTEL_* variables: sampler, resource attributes, batches, compression, timeouts.
"""

import os

from flask import Flask, current_app, has_app_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.types import Attributes

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
    """The global provider of a process that may hold several apps: asks the app that is being served."""

    def __init__(self) -> None:
        self.outside_apps: trace.TracerProvider = trace.NoOpTracerProvider()  # for scripts and threads

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> trace.Tracer:
        provider = self.outside_apps
        if has_app_context():
            provider = current_app.extensions.get("tracer_provider", _OFF)
        return provider.get_tracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )


_OFF = trace.NoOpTracerProvider()
_PROVIDER = _CurrentAppTracerProvider()

"""The backend as the journal had it in its second week, written anew: the design that we compare with.

Everything happens at import: log handlers and their network calls, exporters, the X-Ray recorder, Rollbar.
Each span is printed within the request, each request is a line at ERROR for console and CloudWatch, and the
name of the X-Ray daemon is resolved for each segment. Mended only so far that it starts and reports to
loopback: nothing is hooked to `before_first_request`, which Flask has no more, and the log group and the
endpoint of Rollbar come from the environment.
"""

import logging
import os
from collections.abc import Callable
from time import strftime
from typing import TypeVar

import rollbar
import rollbar.contrib.flask
import watchtower
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask, Response, got_request_exception, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

from tests.bench.journal import services

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.DEBUG)
LOGGER.addHandler(logging.StreamHandler())
LOGGER.addHandler(watchtower.CloudWatchLogHandler(log_group_name=os.environ["CLOUDWATCH_LOG_GROUP"]))
LOGGER.info("Hello Cruddur!")

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)

# A name of its own only for its type, which the SDK does not give.
capture: Callable[[str], Callable[[View], View]] = xray_recorder.capture
xray_recorder.configure(service="backend-flask", dynamic_naming=os.getenv("AWS_XRAY_URL"))

app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)
RequestsInstrumentor().instrument()
XRayMiddleware(app, xray_recorder)

rollbar.init(
    os.environ["ROLLBAR_ACCESS_TOKEN"],
    "production",
    root=os.path.dirname(os.path.realpath(__file__)),  # noqa: PTH120 - as people write it
    allow_logging_basic_config=False,
    endpoint=os.environ["ROLLBAR_ENDPOINT"],
)
got_request_exception.connect(rollbar.contrib.flask.report_exception, app)

CORS(
    app,
    resources={r"/api/*": {"origins": [os.getenv("FRONTEND_URL"), os.getenv("BACKEND_URL")]}},
    expose_headers="location,link",
    allow_headers="content-type,if-modified-since",
    methods="OPTIONS,GET,HEAD,POST",
)


@app.after_request
def after_request(response: Response) -> Response:
    """Log every request as an error, its query string included."""
    LOGGER.error(
        "%s %s %s %s %s %s",
        strftime("[%Y-%b-%d %H:%M]"),
        request.remote_addr,
        request.method,
        request.scheme,
        request.full_path,
        response.status,
    )
    return response


@app.route("/api/activities/home")
@capture("home_trace")
def home() -> ResponseReturnValue:
    """Answer with what everybody posted."""
    return services.home(LOGGER), 200


@app.route("/api/activities/notifications")
@capture("notifications")
def notifications() -> ResponseReturnValue:
    """Answer with what happened lately."""
    return services.notifications(), 200


@app.route("/api/activities/@<handle>")
@capture("user_activities")
def user(handle: str) -> ResponseReturnValue:
    """Answer with what one user posted."""
    return services.user(handle, request), 200


@app.route("/api/activities", methods=["POST", "OPTIONS"])
def create() -> ResponseReturnValue:
    """Answer with the activity that was sent."""
    sent = request.get_json()
    return services.create(sent["message"]), 200

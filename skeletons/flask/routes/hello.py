"""A greeting, to see a trace, a segment and a log line."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from services import hello
from services.recorder import NO_RECORDER

blueprint = Blueprint("hello", __name__)


@blueprint.get("/api/hello")
def greet() -> ResponseReturnValue:
    """Answer with a greeting from this service."""
    service: str = current_app.extensions["settings"].service_name
    return hello.run(service, recorder=current_app.extensions.get("xray_recorder", NO_RECORDER))

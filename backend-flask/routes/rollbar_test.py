"""A greeting that shows up in Rollbar, to see that items arrive."""

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

blueprint = Blueprint("rollbar_test", __name__)


@blueprint.get("/rollbar/test")
def greet() -> ResponseReturnValue:
    """Report "Hello World!" as a warning, when Rollbar is on, and answer with it."""
    greeting = "Hello World!"
    if report := current_app.extensions.get("rollbar_report"):
        report(greeting, "warning")
    return Response(greeting, mimetype="text/plain")

"""An error that is none, to see that items arrive in Rollbar."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

blueprint = Blueprint("error_test", __name__)


@blueprint.get("/api/error-test")
def report() -> ResponseReturnValue:
    """Report an error, when Rollbar is on, and say whether it is."""
    report_item = current_app.extensions.get("rollbar_report")
    if report_item:
        report_item("This is only a test.", "error")
    return {"reported": report_item is not None}

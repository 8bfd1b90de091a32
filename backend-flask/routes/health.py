"""Says that the service answers, and which telemetry it sends."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

PATH = "/api/health-check"

blueprint = Blueprint("health", __name__)


@blueprint.get(PATH)
def health_check() -> ResponseReturnValue:
    """Answer 200 whatever the vendors do: without telemetry this service still works."""
    reports = current_app.extensions["telemetry_delivery"]
    return {
        "success": True,
        "service": current_app.extensions["service_name"],
        "telemetry": current_app.extensions["telemetry"],
        "delivery": {vendor: report() for vendor, report in reports.items()},
        "cors": current_app.extensions["cors"],
    }

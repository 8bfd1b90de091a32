"""Says that the service answers, and which telemetry it sends."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from settings import HEALTH_PATH, Settings

blueprint = Blueprint("health", __name__)


@blueprint.get(HEALTH_PATH)
def health_check() -> ResponseReturnValue:
    """Answer 200 whatever the vendors do: without telemetry this service still works."""
    settings: Settings = current_app.extensions["settings"]
    running = current_app.extensions["telemetry_running"]
    return {
        "success": True,
        "service": settings.service_name,
        "telemetry": current_app.extensions["telemetry"],
        "delivery": {vendor: on.report() for vendor, on in running.items()},
        "cors": settings.cors,
    }

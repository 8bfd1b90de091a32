"""Telemetry, one module for each vendor: each has one function `instrument(app, settings)`."""

import importlib
import os

from flask import Flask

from observability.errors import VendorUnavailable
from settings import Settings


def instrument(app: Flask, settings: Settings) -> None:
    """Switch on the vendors that are configured; whatever goes wrong here, the app still serves.

    Afterwards `app.extensions["telemetry"]` says for every vendor "on", or "off: " and why.
    A vendor that is off is not even imported.
    """
    _drop_empty_variables()
    app.extensions["service_name"] = settings.service_name
    app.extensions["telemetry"] = {
        vendor: f"off: {why_off}" if why_off else _switch_on(vendor, app, settings)
        for vendor, why_off in settings.why_off().items()
    }


def _switch_on(vendor: str, app: Flask, settings: Settings) -> str:
    try:
        importlib.import_module(f"observability.{vendor}").instrument(app, settings)
    except VendorUnavailable as error:
        app.logger.warning("%s is off: %s", vendor, error)
        return f"off: {error}"
    except Exception as error:
        app.logger.exception("%s is off: it could not start", vendor)
        return f"off: it could not start ({type(error).__name__}); the log says more"
    return "on"


def _drop_empty_variables() -> None:
    """Make empty mean unset for the vendors' libraries too, which read the process environment themselves.

    Some of them stumble otherwise: an empty AWS_PROFILE raises, an empty OTEL_PYTHON_TRACER_PROVIDER as well.
    """
    for name, value in list(os.environ.items()):
        if name.startswith(("AWS_", "OTEL_")) and not value.strip():
            del os.environ[name]

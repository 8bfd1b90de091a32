"""Telemetry, one module for each vendor: each has one function `instrument(app, settings)`."""

import atexit
import importlib
import os
import threading
from collections.abc import Callable
from time import monotonic

from flask import Flask

from observability.edge import Edge
from observability.errors import VendorUnavailable
from settings import Settings

# Compose kills a container ten seconds after it has told it to stop.
SECONDS_TO_FLUSH = 6.0
_SECONDS_TO_CLOSE = 1.0  # after that, for a last word on what is lost


def instrument(app: Flask, settings: Settings) -> None:
    """Switch on the vendors that are configured; whatever goes wrong here, the app still serves.

    Afterwards `app.extensions` holds, by vendor: `telemetry`, "on", or "off: " and why; `telemetry_delivery`,
    a function that says what has arrived; `telemetry_flush`, one that sends the rest, given a deadline.
    A vendor that is off is not even imported.
    """
    _drop_empty_variables()
    app.extensions["service_name"] = settings.service_name
    app.extensions["cors"] = settings.cors
    app.extensions["telemetry_delivery"] = {}
    app.extensions["telemetry_flush"] = {}
    app.extensions["telemetry"] = {
        vendor: f"off: {why_off}" if why_off else _switch_on(vendor, app, settings)
        for vendor, why_off in settings.why_off().items()
    }
    if "on" in app.extensions["telemetry"].values():
        app.wsgi_app = Edge(app.wsgi_app, settings.trace_headers)  # type: ignore[method-assign] # as Flask's docs say
        atexit.register(flush, app.extensions["telemetry_flush"])


def flush(flushes: dict[str, Callable[[float], None]], seconds: float = SECONDS_TO_FLUSH) -> None:
    """Send what every vendor still has to receive, all of them at once, and try no longer than this."""
    deadline = monotonic() + seconds + _SECONDS_TO_CLOSE
    threads = [
        threading.Thread(target=send, args=(seconds,), name=f"flush-{vendor}", daemon=True)
        for vendor, send in flushes.items()
    ]
    flushes.clear()  # once is enough
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))


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

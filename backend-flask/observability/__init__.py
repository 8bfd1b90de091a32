"""Telemetry. One module for each vendor, each with one function `instrument(app, settings) -> Running`.

Read `honeycomb`, `xray`, `cloudwatch`, `rollbar`. The others are how they share a trace id (`edge`), hand it
on (`outgoing`), deliver without slowing a request (`delivery`), encode (`otlp`, `log_lines`) and reach the
daemon (`xray_daemon`).
"""

import atexit
import importlib
import os
import threading
from time import monotonic

from flask import Flask

from observability.delivery import Running
from observability.edge import Edge
from observability.wsgi import wrap
from settings import Settings

# Compose kills a container ten seconds after it has told it to stop.
SECONDS_TO_SHUT_DOWN = 4.0
# What a vendor may take beyond that to say what it has lost.
_SECONDS_TO_CLOSE = 1.0


def instrument(app: Flask, settings: Settings) -> None:
    """Switch on the vendors that are configured; whatever goes wrong here, the app still serves.

    A vendor that is off is not even imported. Afterwards `app.extensions` holds, by vendor, `telemetry`:
    "on", or "off: " and why; and `telemetry_running`: a `Running` for each that is on.

    A vendor's own `instrument` does first what can fail, and then touches the app: one that raises leaves
    nothing behind. Middlewares nest in the order of `Settings.why_off`, with the edge around them all.
    """
    _drop_empty_variables()
    running: dict[str, Running] = {}
    app.extensions["telemetry_running"] = running
    app.extensions["telemetry"] = {
        vendor: f"off: {why_off}" if why_off else _switch_on(vendor, app, settings, running)
        for vendor, why_off in settings.why_off().items()
    }
    if running:
        importlib.import_module("observability.outgoing").instrument(app, settings)
        wrap(app, lambda inner: Edge(inner, settings.trace_headers))
        atexit.register(_shut_down, running, SECONDS_TO_SHUT_DOWN)


def shut_down(app: Flask, seconds: float = SECONDS_TO_SHUT_DOWN) -> None:
    """Send what every vendor still has to receive, and stop; try no longer than this."""
    _shut_down(app.extensions["telemetry_running"], seconds)


def _shut_down(running: dict[str, Running], seconds: float) -> None:
    """Stop all vendors at once: one that is away must not take the time of the others."""
    deadline = monotonic() + seconds + _SECONDS_TO_CLOSE
    waiting = {name: vendor for name, vendor in running.items() if not vendor.ended.is_set()}
    threads = [
        threading.Thread(target=vendor.shut_down, args=(seconds,), name=f"shut-down-{name}", daemon=True)
        for name, vendor in waiting.items()
    ]
    for vendor in waiting.values():
        vendor.ended.set()
    for thread, vendor in zip(threads, waiting.values(), strict=True):
        try:
            thread.start()
        except RuntimeError:  # Python 3.12 starts none when the interpreter ends
            vendor.shut_down(seconds)
    for thread in threads:
        if thread.ident:
            thread.join(max(0.0, deadline - monotonic()))


def _switch_on(vendor: str, app: Flask, settings: Settings, running: dict[str, Running]) -> str:
    try:
        running[vendor] = importlib.import_module(f"observability.{vendor}").instrument(app, settings)
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

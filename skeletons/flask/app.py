"""Builds the application: settings, telemetry, routes, errors, CORS."""

import os

from flask import Flask

import cors
import errors
import observability
import routes
from settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Make one application; nothing happens before this call.

    Without `settings`, they are read from the process environment.
    """
    settings = settings or Settings.from_environ(os.environ)
    app = Flask(__name__, static_folder=None)
    app.extensions["settings"] = settings
    app.config["UPSTREAM_URL"] = os.environ.get("UPSTREAM_URL", "").strip()
    observability.instrument(app, settings)
    routes.register(app)
    errors.register(app)
    cors.register(app, settings.origins)
    return app

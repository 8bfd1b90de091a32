"""Builds the application: settings, telemetry, routes, errors."""

import os

from flask import Flask

import errors
import observability
import routes
from settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Make one application. Nothing is shared between two of them, and nothing happens before this call.

    Without `settings`, they are read from the process environment.
    """
    app = Flask(__name__)
    observability.instrument(app, settings or Settings.from_environ(os.environ))
    routes.register(app)
    errors.register(app)
    return app

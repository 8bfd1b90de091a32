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

    Without `settings`, they are read from the process environment. Two apps in one process keep their
    telemetry apart, but for what vendors' libraries keep once per process: pyrollbar's configuration, the
    patched `requests`, levels of loggers, and that empty AWS_ and OTEL_ variables are unset.
    """
    settings = settings or Settings.from_environ(os.environ)
    app = Flask(__name__, static_folder=None)
    app.extensions["settings"] = settings
    observability.instrument(app, settings)
    routes.register(app)
    errors.register(app)
    cors.register(app, settings.origins)
    return app

"""The HTTP side: one blueprint for each subject."""

from flask import Flask

from routes import error_test, health, hello, upstream


def register(app: Flask) -> None:
    """Give `app` all routes."""
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024  # bytes, of a request's body
    for module in (health, hello, upstream, error_test):
        app.register_blueprint(module.blueprint)

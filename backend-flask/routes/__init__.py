"""The HTTP side: one blueprint for each subject."""

from flask import Flask

from routes import activities, health, messages, openapi, rollbar_test

_MAX_BODY = 64 * 1024  # bytes; the longest message takes a fifth of it, however it is escaped


def register(app: Flask) -> None:
    """Give `app` all routes."""
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    app.url_map.merge_slashes = False  # one path is one route: no redirects, whose body would be HTML
    for module in (activities, messages, health, openapi, rollbar_test):
        app.register_blueprint(module.blueprint)

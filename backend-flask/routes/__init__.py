"""The HTTP side: one blueprint for each subject."""

from flask import Flask

from routes import activities, health


def register(app: Flask) -> None:
    """Give `app` all routes."""
    app.register_blueprint(activities.blueprint)
    app.register_blueprint(health.blueprint)

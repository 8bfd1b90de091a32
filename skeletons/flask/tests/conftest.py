"""The app, with all telemetry off."""

import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

sys.path.insert(0, str(Path(__file__).parents[1]))  # the app runs from its own folder, installed nowhere

from app import create_app
from settings import Settings


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.delenv("UPSTREAM_URL", raising=False)
    return create_app(Settings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()

"""The document that describes all routes, in the OpenAPI format."""

import functools
from pathlib import Path

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

_FILE = Path(__file__).parents[1] / "openapi.json"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/api/openapi.json")
def document() -> ResponseReturnValue:
    """Answer with the document as it stands in the file."""
    return Response(_read(), mimetype="application/json")


@functools.cache
def _read() -> bytes:
    return _FILE.read_bytes()

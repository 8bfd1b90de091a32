"""Every error leaves this service as JSON: an array of short names."""

from flask import Flask, Response, json
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from services.errors import InvalidInput


def register(app: Flask) -> None:
    """Answer errors as JSON, in debug mode too."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(HTTPException, _http_error)


def _invalid_input(error: InvalidInput) -> ResponseReturnValue:
    return error.messages, 422


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """404, 405, ... and, as Flask wraps it, any exception that nobody caught: a 500."""
    response = Response.force_type(error.get_response())  # keeps what the error says in headers, as Allow
    response.data = json.dumps([error.name.lower().replace(" ", "_")])
    response.content_type = "application/json"
    return response

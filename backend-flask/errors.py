"""Every error leaves this service as JSON: an array of short names."""

import functools
from typing import Any

from flask import Flask, Response, json, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from services.errors import InvalidInput


def register(app: Flask) -> None:
    """Answer errors as JSON, in debug mode too."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(HTTPException, _http_error)
    app.log_exception = functools.partial(_log_exception, app)  # type: ignore[method-assign]


def _invalid_input(error: InvalidInput) -> ResponseReturnValue:
    return error.messages, 422


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """404, 405, ... and, as Flask wraps it, any exception that nobody caught: a 500."""
    response = Response.force_type(error.get_response())  # keeps what the error says in headers, as Allow
    response.data = json.dumps([error.name.lower().replace(" ", "_")])
    response.content_type = "application/json"
    return response


def _log_exception(app: Flask, exc_info: Any) -> None:
    """Log as Flask does, but the path as Python writes it: a client may have put line ends into it."""
    app.logger.error(
        "Exception on %s [%s]", ascii(request.path)[1:-1], ascii(request.method)[1:-1], exc_info=exc_info
    )

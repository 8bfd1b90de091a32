"""Reads a request's body as a JSON object."""

import json
from typing import NoReturn

from flask import request
from werkzeug.exceptions import BadRequest

from services.errors import InvalidInput


class NotJson(BadRequest):
    """There is no body, or it is not JSON (RFC 8259), or not said to be."""

    name = "Body not JSON"


def fields() -> dict[str, object]:
    """Return the fields of the object. NotJson: a 400; InvalidInput when it is JSON, but no object: a 422.

    The content type counts: a browser lets any page send text/plain here, but asks before it sends JSON.
    """
    if not request.is_json:
        raise NotJson
    try:
        value = json.loads(request.get_data(cache=False).decode(), parse_constant=_refuse)
    except (
        ValueError,
        RecursionError,
    ) as error:  # not UTF-8, not JSON, thousands of digits; thousands of levels
        raise NotJson from error
    if not isinstance(value, dict):
        raise InvalidInput("body_not_an_object")
    return value


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(constant)

"""Reads a request's body as a JSON object."""

import json
from typing import NoReturn

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

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
        value = json.loads(_read().decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, too many digits; too deep
        raise NotJson from error
    if not isinstance(value, dict):
        raise InvalidInput("body_not_an_object")
    return value


def _read() -> bytes:
    try:
        data = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # a body sent in broken chunks: every server raises its own
        raise NotJson from error
    if request.content_length is None and len(data) == request.max_content_length:
        raise RequestEntityTooLarge  # Werkzeug cuts a body sent in chunks at the limit, without a word
    return data


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(constant)

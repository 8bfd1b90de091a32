"""What another service says, to see a trace that two services share."""

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadGateway, NotFound

from services import upstream

blueprint = Blueprint("upstream", __name__)


class UpstreamNotConfigured(NotFound):
    """There is no UPSTREAM_URL."""

    name = "Upstream not configured"


class UpstreamFailed(BadGateway):
    """The other service cannot be reached, or answers with an error."""

    name = "Upstream failed"


@blueprint.get("/api/upstream")
def ask() -> ResponseReturnValue:
    """Answer with what UPSTREAM_URL answers."""
    url = current_app.config["UPSTREAM_URL"]
    if not url:
        raise UpstreamNotConfigured
    try:
        answer = upstream.ask(url)
    except upstream.AskingFailed as error:
        raise UpstreamFailed from error
    return Response(answer.body, content_type=answer.content_type)

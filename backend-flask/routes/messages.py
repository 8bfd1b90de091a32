"""Messages between two users, and the groups they belong to."""

from collections.abc import Mapping

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from routes import json_body
from routes.who import USER_HANDLE
from services import create_message, message_groups, messages
from services.faults import is_blank

# The first public name of the receiver was misspelt. Both are read; the right one goes first.
_SPELLINGS = ("user_receiver_handle", "user_reciever_handle")

blueprint = Blueprint("messages", __name__, url_prefix="/api")


@blueprint.get("/message_groups")
def groups() -> ResponseReturnValue:
    """Answer with the user's conversations."""
    return message_groups.run(user_handle=USER_HANDLE)


@blueprint.get("/messages/@", defaults={"handle": ""})
@blueprint.get("/messages/@<handle>")
def conversation(handle: str) -> ResponseReturnValue:
    """Answer with what the user and `handle` wrote to each other; a handle in the query goes first."""
    # A blank path is a fault, whatever the query says.
    receiver = handle if is_blank(handle) else _receiver(request.args) or handle
    return messages.run(user_sender_handle=USER_HANDLE, user_receiver_handle=receiver)


@blueprint.post("/messages")
def send() -> ResponseReturnValue:
    """Send a message, and answer with it."""
    fields = json_body.fields()
    return create_message.run(
        message=fields.get("message"),
        user_sender_handle=USER_HANDLE,
        user_receiver_handle=_receiver(fields),
    )


def _receiver(given: Mapping[str, object]) -> object:
    """Return the first spelling that is not blank, or None."""
    values = (given.get(name) for name in _SPELLINGS)
    return next((value for value in values if not is_blank(value)), None)

"""Sends a message to another user; it is made up and forgotten until there is a database."""

import logging
from datetime import UTC, datetime
from uuid import uuid4

from services.errors import InvalidInput
from services.faults import faults_in

_log = logging.getLogger(__name__)

_MAX_CHARS = 1024


def run(*, message: object, user_sender_handle: str, user_receiver_handle: object) -> dict[str, object]:
    """Return the new message. All times are ISO 8601 in UTC.

    `message`: 1 to 1024 characters. Raises InvalidInput with every fault. The receiver's is spelt
    "reciever", as it has always been: clients compare the names of errors, and one fault has one name.
    """
    faults = [
        *faults_in("user_sender_handle", user_sender_handle),
        *faults_in("user_reciever_handle", user_receiver_handle),
        *faults_in("message", message, max_chars=_MAX_CHARS),
    ]
    if faults:
        raise InvalidInput(*faults)

    sent: dict[str, object] = {
        "uuid": str(uuid4()),
        "display_name": "Andrew Brown",
        "handle": user_sender_handle,
        "message": message,
        "created_at": datetime.now(UTC).isoformat(),
    }
    _log.info("message created", extra={"message_uuid": sent["uuid"]})
    return sent

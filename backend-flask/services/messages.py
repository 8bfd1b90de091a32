"""What two users wrote to each other: made up until there is a database."""

import logging
from datetime import UTC, datetime, timedelta

from services.errors import InvalidInput
from services.faults import faults_in

_log = logging.getLogger(__name__)


def run(*, user_sender_handle: str, user_receiver_handle: object) -> list[dict[str, object]]:
    """Return their messages, oldest first. All times are ISO 8601 in UTC.

    Raises InvalidInput when a handle is blank; for the receiver's name see `create_message`.
    """
    faults = [
        *faults_in("user_sender_handle", user_sender_handle),
        *faults_in("user_reciever_handle", user_receiver_handle),
    ]
    if faults:
        raise InvalidInput(*faults)

    now = datetime.now(UTC)
    messages: list[dict[str, object]] = [
        {
            "uuid": "f3f1c1a2-5e0e-4c8b-9d9a-6b8f0a7c2e11",
            "display_name": user_receiver_handle,
            "handle": user_receiver_handle,
            "message": "Did my trace arrive?",
            "created_at": (now - timedelta(minutes=5)).isoformat(),
        },
        {
            "uuid": "0b9c4a7e-1d2f-4e3a-8c5b-7a6d9e8f1c22",
            "display_name": "Andrew Brown",
            "handle": user_sender_handle,
            "message": "Both spans of it.",
            "created_at": now.isoformat(),
        },
    ]
    _log.info("messages", extra={"results": len(messages)})
    return messages

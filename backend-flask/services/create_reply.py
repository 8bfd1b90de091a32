"""Replies to an activity; the reply is made up and forgotten until there is a database."""

import logging
from datetime import UTC, datetime
from uuid import uuid4

from services.errors import InvalidInput
from services.faults import faults_in

_log = logging.getLogger(__name__)

_MAX_CHARS = 1024


def run(*, message: object, user_handle: str, activity_uuid: str) -> dict[str, object]:
    """Return the new reply. All times are ISO 8601 in UTC.

    `message`: 1 to 1024 characters. Raises InvalidInput with every fault.
    """
    faults = [
        *faults_in("user_handle", user_handle),
        *faults_in("activity_uuid", activity_uuid),
        *faults_in("message", message, max_chars=_MAX_CHARS),
    ]
    if faults:
        raise InvalidInput(*faults)

    reply: dict[str, object] = {
        "uuid": str(uuid4()),
        "display_name": "Andrew Brown",
        "handle": user_handle,
        "message": message,
        "created_at": datetime.now(UTC).isoformat(),
        "reply_to_activity_uuid": activity_uuid,
    }
    _log.info("reply created", extra={"reply_uuid": reply["uuid"]})
    return reply

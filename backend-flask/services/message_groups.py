"""A user's conversations: made up until there is a database."""

import logging
from datetime import UTC, datetime

_log = logging.getLogger(__name__)


def run(*, user_handle: str) -> list[dict[str, object]]:  # noqa: ARG001 - made-up groups belong to everybody
    """Return the conversations of `user_handle`. All times are ISO 8601 in UTC."""
    now = datetime.now(UTC).isoformat()
    groups: list[dict[str, object]] = [
        {
            "uuid": "24b95582-9e7b-4e0a-9ad1-639773ab7552",
            "display_name": "Andrew Brown",
            "handle": "andrewbrown",
            "created_at": now,
        },
        {
            "uuid": "417c360e-c4e6-4fce-873b-d2d71469b4ac",
            "display_name": "Worf",
            "handle": "worf",
            "created_at": now,
        },
    ]
    _log.info("message groups", extra={"results": len(groups)})
    return groups

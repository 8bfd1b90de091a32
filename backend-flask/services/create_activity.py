"""Posts an activity; it is made up and forgotten until there is a database."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.errors import InvalidInput
from services.faults import faults_in

_log = logging.getLogger(__name__)

_MAX_CHARS = 280
_LIFETIMES = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}


def run(*, message: object, ttl: object, user_handle: str) -> dict[str, object]:
    """Return the new activity. All times are ISO 8601 in UTC.

    `message`: 1 to 280 characters. `ttl`: how long it lives, one of seven names such as "7-days".
    Raises InvalidInput with every fault; any other text in `ttl` counts as blank.
    """
    lifetime = _LIFETIMES.get(ttl) if isinstance(ttl, str) else None
    faults = [
        *_faults_in_ttl(ttl),
        *faults_in("user_handle", user_handle),
        *faults_in("message", message, max_chars=_MAX_CHARS),
    ]
    if faults or lifetime is None:
        raise InvalidInput(*faults)

    now = datetime.now(UTC)
    activity: dict[str, object] = {
        "uuid": str(uuid4()),
        "display_name": "Andrew Brown",
        "handle": user_handle,
        "message": message,
        "created_at": now.isoformat(),
        "expires_at": (now + lifetime).isoformat(),
    }
    _log.info("activity created", extra={"activity_uuid": activity["uuid"], "ttl": ttl})
    return activity


def _faults_in_ttl(ttl: object) -> list[str]:
    """Find what is wrong; an unknown lifetime is "ttl_blank", as it has always been."""
    if isinstance(ttl, str):
        return [] if ttl in _LIFETIMES else ["ttl_blank"]
    return faults_in("ttl", ttl)

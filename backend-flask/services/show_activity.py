"""One activity with its reply: made up until there is a database."""

from datetime import UTC, datetime, timedelta

from services.errors import InvalidInput
from services.faults import faults_in


def run(activity_uuid: str) -> list[dict[str, object]]:
    """Return the activity, in a list of one. All times are ISO 8601 in UTC.

    `replies` is one object, not a list, as clients of this route have always read it.
    Raises InvalidInput when `activity_uuid` is blank.
    """
    if faults := faults_in("activity_uuid", activity_uuid):
        raise InvalidInput(*faults)
    now = datetime.now(UTC)
    return [
        {
            "uuid": activity_uuid,
            "handle": "Andrew Brown",
            "message": "One id finds me in four places",
            "created_at": now.isoformat(),
            "expires_at": (now + timedelta(days=5)).isoformat(),
            "replies": {
                "uuid": "26e12864-1c26-5c3a-9658-97a10f8fea67",
                "handle": "Worf",
                "message": "Then you cannot hide. Good.",
                "created_at": now.isoformat(),
            },
        },
    ]

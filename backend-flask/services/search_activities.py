"""Finds activities: always the same made-up one until there is a database."""

import logging
from datetime import UTC, datetime

from services.errors import InvalidInput
from services.faults import faults_in

_log = logging.getLogger(__name__)


def run(term: str | None) -> list[dict[str, object]]:
    """Return what matches `term`. All times are ISO 8601 in UTC. Raises InvalidInput when `term` is blank."""
    if faults := faults_in("search_term", term):
        raise InvalidInput(*faults)
    activities: list[dict[str, object]] = [
        {
            "uuid": "248959df-3079-4947-b847-9e0892d1bab4",
            "handle": "Andrew Brown",
            "message": "Whoever searches the logs finds this",
            "created_at": datetime.now(UTC).isoformat(),
        },
    ]
    _log.info("search", extra={"results": len(activities)})  # not the term: people search for private things
    return activities

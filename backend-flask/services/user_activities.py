"""One user's activities: a made-up post until there is a database."""

import logging
from datetime import UTC, datetime, timedelta

from services.errors import InvalidInput
from services.recorder import NO_RECORDER, Recorder

_log = logging.getLogger(__name__)


def run(handle: str, *, method: str, url: str, recorder: Recorder = NO_RECORDER) -> list[dict[str, object]]:
    """Return what `handle` posted. All times are ISO 8601 in UTC.

    `method` and `url` describe the request, for the trace. Raises InvalidInput when `handle` is blank.
    """
    if not handle.strip():
        raise InvalidInput(
            "blank_user_handle"
        )  # not user_handle_blank: clients know this name, which is older
    # The web framework has opened the segment; a second one here would make the whole trace vanish.
    with recorder.in_subsegment("user_activities_start"):
        now = datetime.now(UTC)
        recorder.put_annotation("url", url)
        recorder.put_metadata("now", {"now": now.isoformat()}, "user_activities")
        recorder.put_metadata("method", method, "http")
        recorder.put_metadata("url", url, "http")
        with recorder.in_subsegment("user_activities_nested_subsegment"):
            activities = _mock_activities(handle, now)
            results = {"now": now.isoformat(), "results": len(activities)}
            recorder.put_metadata("results", results, "user_activities")
            _log.info("user activities", extra={"results": len(activities)})
            return activities


def _mock_activities(handle: str, now: datetime) -> list[dict[str, object]]:
    return [
        {
            "uuid": "248959df-3079-4947-b847-9e0892d1bab4",
            "handle": handle,
            "message": "Traced from the first line to the last",
            "created_at": (now - timedelta(days=1)).isoformat(),
            "expires_at": (now + timedelta(days=31)).isoformat(),
        },
    ]

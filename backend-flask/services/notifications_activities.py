"""What happened around the user: a made-up post until there is a database."""

import logging
from datetime import UTC, datetime, timedelta

from opentelemetry import trace

tracer = trace.get_tracer(__name__)  # does nothing until OpenTelemetry is on
_log = logging.getLogger(__name__)


def run() -> list[dict[str, object]]:
    """Return the newest notifications. All times are ISO 8601 in UTC."""
    with tracer.start_as_current_span("notifications-mock-data") as span:
        now = datetime.now(UTC)
        span.set_attribute("app.now", now.isoformat())
        activities = _mock_activities(now)
        span.set_attribute("app.result_length", len(activities))
        _log.info("notifications", extra={"results": len(activities)})
        return activities


def _mock_activities(now: datetime) -> list[dict[str, object]]:
    first = "0f6f36d4-7f0b-4c1e-9d5b-3a3c9a3f4f10"
    return [
        {
            "uuid": first,
            "handle": "coco",
            "message": "My span is longer than yours",
            "created_at": (now - timedelta(days=2)).isoformat(),
            "expires_at": (now + timedelta(days=5)).isoformat(),
            "likes_count": 5,
            "replies_count": 1,
            "reposts_count": 0,
            "replies": [
                {
                    "uuid": "3d0b7a55-27c4-4b0c-8d51-5b1d0f8a9c21",
                    "reply_to_activity_uuid": first,
                    "handle": "Worf",
                    "message": "A long span is no victory.",
                    "likes_count": 0,
                    "replies_count": 0,
                    "reposts_count": 0,
                    "created_at": (now - timedelta(days=2)).isoformat(),
                },
            ],
        },
    ]

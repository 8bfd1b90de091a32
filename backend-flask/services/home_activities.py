"""The home page's activities: made-up posts until there is a database."""

import logging
from datetime import UTC, datetime, timedelta

from opentelemetry import trace

tracer = trace.get_tracer(__name__)  # does nothing until OpenTelemetry is on
_log = logging.getLogger(__name__)


def run() -> list[dict[str, object]]:
    """Return the newest activities. All times are ISO 8601 in UTC."""
    with tracer.start_as_current_span("home-activities-mock-data") as span:
        now = datetime.now(UTC)
        span.set_attribute("app.now", now.isoformat())
        activities = _mock_activities(now)
        span.set_attribute("app.result_length", len(activities))
        _log.info("home activities", extra={"results": len(activities)})
        return activities


def _mock_activities(now: datetime) -> list[dict[str, object]]:
    first = "68f126b0-1ceb-4a33-88be-d90fa7109eee"
    return [
        {
            "uuid": first,
            "handle": "Andrew Brown",
            "message": "The first trace has arrived!",
            "created_at": _days_from(now, -2),
            "expires_at": _days_from(now, 5),
            "likes_count": 5,
            "replies_count": 1,
            "reposts_count": 0,
            "replies": [
                {
                    "uuid": "26e12864-1c26-5c3a-9658-97a10f8fea67",
                    "reply_to_activity_uuid": first,
                    "handle": "Worf",
                    "message": "It has two spans. That is honourable.",
                    "likes_count": 0,
                    "replies_count": 0,
                    "reposts_count": 0,
                    "created_at": _days_from(now, -2),
                },
            ],
        },
        {
            "uuid": "66e12864-8c26-4c3a-9658-95a10f8fea67",
            "handle": "Worf",
            "message": "I have no patience for untraced requests",
            "created_at": _days_from(now, -7),
            "expires_at": _days_from(now, 9),
            "likes": 0,
            "replies": [],
        },
        {
            "uuid": "248959df-3079-4947-b847-9e0892d1bab4",
            "handle": "Garek",
            "message": "A plain log line can hide a great deal",
            "created_at": (now - timedelta(hours=1)).isoformat(),
            "expires_at": (now + timedelta(hours=12)).isoformat(),
            "likes": 0,
            "replies": [],
        },
    ]


def _days_from(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).isoformat()

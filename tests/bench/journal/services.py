"""The journal's services: made-up posts, spans of OpenTelemetry, subsegments of X-Ray."""

import logging
import uuid
from datetime import UTC, datetime, timedelta

from aws_xray_sdk.core import xray_recorder
from flask import Request
from opentelemetry import trace

tracer = trace.get_tracer("home.activities")


def home(logger: logging.Logger) -> list[dict[str, object]]:
    """Return the newest activities."""
    logger.info("Hello Cloudwatch! from /api/activities/home")
    with tracer.start_as_current_span("home-activities-mock-data"):
        span = trace.get_current_span()
        now = datetime.now(UTC)
        span.set_attribute("app.now", now.isoformat())
        results = [
            _with_reply(now, "Andrew Brown", "The first trace has arrived!"),
            _plain(now, "Worf", "I have no patience for untraced requests"),
            _plain(now, "Garek", "A plain log line can hide a great deal"),
        ]
        span.set_attribute("app.result-length", len(results))
        return results


def notifications() -> list[dict[str, object]]:
    """Return the newest notifications."""
    now = datetime.now(UTC)
    return [_with_reply(now, "coco", "My span is longer than yours")]


def user(handle: str, request: Request) -> list[dict[str, object]]:
    """Return what one user posted."""
    xray_recorder.begin_subsegment("user_activities_start")
    now = datetime.now(UTC)
    segment = xray_recorder.current_subsegment()
    segment.put_annotation("url", request.url)
    segment.put_metadata("now", {"now": now.isoformat()}, "user_activities")
    segment.put_metadata("method", request.method, "http")
    segment.put_metadata("url", request.url, "http")
    xray_recorder.begin_subsegment("user_activities_nested_subsegment")
    results: list[dict[str, object]] = [
        {
            "uuid": "248959df-3079-4947-b847-9e0892d1bab4",
            "handle": handle,
            "message": "Traced from the first line to the last",
            "created_at": (now - timedelta(days=1)).isoformat(),
            "expires_at": (now + timedelta(days=31)).isoformat(),
        }
    ]
    seen = {"now": now.isoformat(), "results": len(results)}
    xray_recorder.current_subsegment().put_metadata("results", seen, "user_activities")
    xray_recorder.end_subsegment()
    xray_recorder.end_subsegment()
    return results


def create(message: str) -> dict[str, object]:
    """Return the new activity."""
    now = datetime.now(UTC)
    return {
        "uuid": str(uuid.uuid4()),
        "display_name": "Andrew Brown",
        "handle": "andrewbrown",
        "message": message,
        "created_at": now.isoformat(),
        "expires_at": (now + timedelta(days=7)).isoformat(),
    }


def _with_reply(now: datetime, handle: str, message: str) -> dict[str, object]:
    created = (now - timedelta(days=2)).isoformat()
    return {
        "uuid": "68f126b0-1ceb-4a33-88be-d90fa7109eee",
        "handle": handle,
        "message": message,
        "created_at": created,
        "expires_at": (now + timedelta(days=5)).isoformat(),
        "likes_count": 5,
        "replies_count": 1,
        "reposts_count": 0,
        "replies": [
            {
                "uuid": "26e12864-1c26-5c3a-9658-97a10f8fea67",
                "reply_to_activity_uuid": "68f126b0-1ceb-4a33-88be-d90fa7109eee",
                "handle": "Worf",
                "message": "It has two spans. That is honourable.",
                "likes_count": 0,
                "replies_count": 0,
                "reposts_count": 0,
                "created_at": created,
            }
        ],
    }


def _plain(now: datetime, handle: str, message: str) -> dict[str, object]:
    return {
        "uuid": "66e12864-8c26-4c3a-9658-95a10f8fea67",
        "handle": handle,
        "message": message,
        "created_at": (now - timedelta(days=7)).isoformat(),
        "expires_at": (now + timedelta(days=9)).isoformat(),
        "likes": 0,
        "replies": [],
    }

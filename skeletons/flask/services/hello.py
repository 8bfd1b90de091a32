"""A greeting, and one of each kind of telemetry. Copy from here."""

import logging
from datetime import UTC, datetime

from opentelemetry import trace

from services.recorder import NO_RECORDER, Recorder

tracer = trace.get_tracer(__name__)  # does nothing until OpenTelemetry is on
_log = logging.getLogger(__name__)


def run(service: str, *, recorder: Recorder = NO_RECORDER) -> dict[str, object]:
    """Return a greeting from `service`, and when it was said: ISO 8601 in UTC."""
    # The request's own span and segment are open already: never begin a second segment.
    with tracer.start_as_current_span("hello") as span, recorder.in_subsegment("hello"):
        now = datetime.now(UTC).isoformat()
        message = f"Hello from {service}!"
        span.set_attribute("app.now", now)
        span.set_attribute("app.message_length", len(message))
        recorder.put_annotation("message_length", len(message))  # letters, digits and underscores only
        _log.info("hello", extra={"message_length": len(message)})
        return {"message": message, "now": now}

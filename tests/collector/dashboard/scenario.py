"""An hour of the journal's backend, played into a collector: four hundred requests, and what goes wrong.

For a quarter of an hour, who is shown the new recommendations on the home page waits for a replica of the
database that has no index; and to post an activity fails.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.collector.conftest import Collector

BACKEND, RECOMMENDATIONS, WORKER = "backend-flask", "recommendations", "thumbnail-worker"
GROUP = "cruddur"

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HANDLES = ("andrewbrown", "worf", "garek", "coco", "lore")
_MESSAGE = "unsupported operand type(s) for +: 'datetime.datetime' and 'str'"
_POSTING = '    return create_activity.run(message=fields.get("message"), ttl=fields.get("ttl"))'
_STACK = f"""Traceback (most recent call last):
  File "/app/routes/activities.py", line 56, in create
{_POSTING}
  File "/app/services/create_activity.py", line 31, in run
    expires_at = now + ttl
TypeError: {_MESSAGE}
"""


class Part(NamedTuple):
    """When something of a trace happened, in nanoseconds, and below which span."""

    trace_id: str
    start: int
    took: int
    parent: str = ""

    def part(self, start: int, took: int, parent: str = "") -> Part:
        """What happened `start` later."""
        return Part(self.trace_id, self.start + start, took, parent)

    @property
    def end(self) -> int:
        return self.start + self.took


@dataclass
class Journal:
    """What is to be sent; all ids follow from the seed, all times end at `now_ns`."""

    now_ns: int
    requests: int = 400
    random: random.Random = field(default_factory=lambda: random.Random(11))
    spans: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    segments: list[dict[str, Any]] = field(default_factory=list)
    lines: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Ids of the traces that the planted cause has slowed down, oldest first."""
    broken: list[str] = field(default_factory=list)
    """Ids of the traces that failed."""

    def __post_init__(self) -> None:
        kinds = (self._home, self._notifications, self._user, self._create)
        for number in range(self.requests):
            ago = 55 * _MINUTE * (self.requests - 1 - number) // self.requests
            start = self.now_ns - ago - self.random.randrange(4 * _SECOND) - 3 * _SECOND
            trace_id = f"{start // _SECOND:08x}{self.random.getrandbits(96):024x}"
            make = self.random.choices(kinds, (55, 22, 16, 7))[0]
            make(trace_id, start, ago < 15 * _MINUTE)

    def _took(self, usual: float, spread: float = 0.45) -> int:
        return int(self.random.lognormvariate(0, spread) * usual * _MILLISECOND)

    def _home(self, trace_id: str, start: int, lately: bool) -> None:  # noqa: FBT001
        new = lately and self.random.random() < 0.45
        query, extra = self._took(14), self._took(1400, 0.3) if new else 0
        plan = self.random.choice(("free", "free", "pro"))
        at = Part(trace_id, start, query + extra + self._took(5))
        root = self._server(
            at, "GET /api/activities/home", {"app.plan": plan, "app.release": f"2026.11.{1 + new}"}
        )
        whole = at.part(_MILLISECOND, at.took - 2 * _MILLISECOND, root)
        known = {"app.result_length": 3, "app.recommendations": new}
        inner = self._span(whole, "home-activities-mock-data", known)
        read = {
            "db.query.text": "SELECT * FROM activities ORDER BY created_at DESC LIMIT 20",
            "db.replica": "a",
        }
        self._query(whole.part(_MILLISECOND, query, inner), "SELECT activities", read, BACKEND)
        if new:
            self.slow.append(trace_id)
            self._recommend(whole.part(_MILLISECOND + query, extra, inner))
        self._segment(at, "GET /api/activities/home")
        self._answered(at, "GET /api/activities/home")

    def _recommend(self, at: Part) -> None:
        """Ask another service, which asks the replica."""
        known = {"server.address": RECOMMENDATIONS, "http.request.method": "GET"}
        call = self._span(at, "GET /for/{handle}", known, kind=3)
        there = at.part(2 * _MILLISECOND, at.took - 4 * _MILLISECOND, call)
        served = self._span(
            there, "GET /for/{handle}", {"app.model": "two-towers"}, service=RECOMMENDATIONS, kind=2
        )
        read = {
            "db.query.text": "SELECT followed FROM follows WHERE follower = $1",
            "db.replica": "b",
            "db.rows": 48211,
        }
        query = there.part(7 * _MILLISECOND, there.took - 36 * _MILLISECOND, served)
        seen = ("sequential scan", query.start + 20 * _MILLISECOND, {"table": "follows"})
        self._query(query, "SELECT follows", read, RECOMMENDATIONS, seen)
        self._line(
            trace_id=at.trace_id,
            at=query.end,
            service=RECOMMENDATIONS,
            level="WARNING",
            message=f"slow query: SELECT follows took {query.took // _MILLISECOND} ms",
            replica="b",
        )

    def _notifications(self, trace_id: str, start: int, _: bool) -> None:  # noqa: FBT001
        at = Part(trace_id, start, self._took(7))
        root = self._server(at, "GET /api/activities/notifications", {"app.plan": "free"})
        self._span(at.part(at.took // 5, at.took // 2, root), "notifications", {"app.result_length": 1})
        self._segment(at, "GET /api/activities/notifications")
        self._answered(at, "GET /api/activities/notifications")

    def _user(self, trace_id: str, start: int, _: bool) -> None:  # noqa: FBT001
        at, handle = Part(trace_id, start, self._took(40, 0.6)), self.random.choice(_HANDLES)
        path = f"/api/activities/@{handle}"
        self._server(at, "GET /api/activities/@<handle>", {"app.plan": "pro", "app.handle": handle})
        now = {"now": "2026-11-28T09:14:00+00:00"}
        nested = {
            **self._piece(at.part(at.took // 3, at.took // 2), "mock-data"),
            "metadata": {"user_activities": {"results": {**now, "results": 1}}},
        }
        outer = {
            **self._piece(at.part(at.took // 6, at.took * 3 // 4), "user_activities"),
            "annotations": {"url": f"http://localhost:4567{path}", "handle": handle},
            "metadata": {"http": {"method": "GET"}, "user_activities": {"now": now}},
            "subsegments": [nested],
        }
        self._segment(at, f"GET {path}", subsegments=[outer])
        self._line(trace_id=trace_id, at=start + at.took // 2, message="user activities", results=1)
        self._answered(at, f"GET {path}")
        if self.random.random() < 0.5:
            later = at.part(at.took + 20 * _MILLISECOND, self._took(180))
            self._span(later, "resize avatar", {"app.bytes": 48213}, service=WORKER, kind=5)

    def _create(self, trace_id: str, start: int, lately: bool) -> None:  # noqa: FBT001
        at = Part(trace_id, start, self._took(11))
        if not lately:
            self._server(at, "POST /api/activities", {"app.plan": "free"})
            self._segment(at, "POST /api/activities")
            self._answered(at, "POST /api/activities")
            return
        self.broken.append(trace_id)
        thrown = {
            "exception.type": "TypeError",
            "exception.message": _MESSAGE,
            "exception.stacktrace": _STACK,
        }
        event = ("exception", start + at.took * 3 // 4, thrown)
        self._server(at, "POST /api/activities", {"app.plan": "free", "app.ttl": "7-days"}, 500, event)
        frame = {"path": "services/create_activity.py", "line": 31, "label": "run"}
        raised = {"id": self._id(), "type": "TypeError", "message": _MESSAGE, "stack": [frame]}
        cause = {"working_directory": "/app", "exceptions": [raised]}
        self._segment(at, "POST /api/activities", 500, fault=True, cause=cause)
        self._answered(at, "POST /api/activities", 500)
        self.items.append(_item(trace_id, event[1]))

    def _id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def _server(self, at: Part, name: str, known: dict[str, Any], status: int = 200, *events: Any) -> str:
        method, _, route = name.partition(" ")
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "client.region": self.random.choice(("eu", "us", "us")),
            **known,
        }
        return self._span(at, name, attributes, *events, kind=2, error=status >= 500)

    def _query(self, at: Part, name: str, known: dict[str, Any], service: str, *events: Any) -> None:
        self._span(at, name, {"db.system.name": "postgresql", **known}, *events, service=service, kind=3)

    def _span(
        self,
        at: Part,
        name: str,
        attributes: dict[str, Any],
        *events: Any,
        service: str = BACKEND,
        kind: int = 1,
        error: bool = False,
    ) -> str:
        span = {
            "traceId": at.trace_id,
            "spanId": self._id(),
            "parentSpanId": at.parent,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(at.start),
            "endTimeUnixNano": str(at.end),
            "attributes": _pairs(attributes),
            "events": [
                {"name": event, "timeUnixNano": str(when), "attributes": _pairs(given)}
                for event, when, given in events
            ],
            "status": {"code": 2, "message": "500 Internal Server Error"} if error else {},
        }
        self.spans.setdefault(service, []).append(span)
        return str(span["spanId"])

    def _piece(self, at: Part, name: str) -> dict[str, Any]:
        return {
            "id": self._id(),
            "name": name,
            "start_time": at.start / _SECOND,
            "end_time": at.end / _SECOND,
        }

    def _segment(self, at: Part, request: str, status: int = 200, **more: Any) -> None:
        method, _, path = request.partition(" ")
        around = at.part(-_MILLISECOND // 2, at.took + _MILLISECOND)
        segment = {
            **self._piece(around, BACKEND),
            "trace_id": f"1-{at.trace_id[:8]}-{at.trace_id[8:]}",
            "http": {
                "request": {
                    "method": method,
                    "url": f"http://localhost:4567{path}",
                    "user_agent": "Mozilla/5.0",
                },
                "response": {"status": status},
            },
            "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}},
        }
        self.segments.append({**segment, **more})

    def _answered(self, at: Part, request: str, status: int = 200) -> None:
        self._line(
            trace_id=at.trace_id,
            at=at.end,
            level="INFO" if status < 500 else "ERROR",
            message=f"{request} {status}",
            status=status,
            duration_ms=round(at.took / _MILLISECOND, 2),
        )

    def _line(self, *, at: int, level: str = "INFO", service: str = BACKEND, **fields: Any) -> None:
        self.lines.append((at, {"level": level, "service": service, "logger": "app", **fields}))


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {bool: "boolValue", int: "intValue", str: "stringValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]


def _item(trace_id: str, at: int) -> dict[str, Any]:
    outer = {
        "filename": "/app/routes/activities.py",
        "lineno": 56,
        "method": "create",
        "code": _POSTING,
        "context": {
            "pre": ['    """Post an activity, and answer with it."""', "    fields = json_body.fields()"]
        },
    }
    inner = {
        "filename": "/app/services/create_activity.py",
        "lineno": 31,
        "method": "run",
        "code": "    expires_at = now + ttl",
        "context": {
            "pre": ["    now = datetime.now(UTC)", "    ttl = _TTLS.get(ttl, ttl)"],
            "post": ["    return {", '        "message": message,'],
        },
        "argspec": ["message", "ttl"],
        "args": ["Hello from the bridge", "7-days"],
        "locals": {"now": "datetime.datetime(2026, 11, 28, 9, 14)", "ttl": "7-days"},
    }
    data = {
        "environment": "development",
        "level": "error",
        "timestamp": at / _SECOND,
        "uuid": f"{trace_id[:8]}-{trace_id[8:12]}-4{trace_id[13:16]}-8{trace_id[17:20]}-{trace_id[20:]}",
        "language": "python",
        "framework": "flask",
        "context": "/api/activities",
        "body": {
            "trace": {"frames": [outer, inner], "exception": {"class": "TypeError", "message": _MESSAGE}}
        },
        "request": {
            "url": "http://localhost:4567/api/activities",
            "method": "POST",
            "headers": {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0"},
            "POST": {"message": "*", "ttl": "*"},
        },
        "person": {"id": "7", "username": "andrewbrown"},
        "custom": {"service": BACKEND, "trace_id": trace_id},
        "server": {"host": "workspace", "root": "/app"},
        "notifier": {"name": "pyrollbar", "version": "1.5.0"},
    }
    return {"access_token": "made-up-token-of-tests", "data": data}


def play(collector: Collector, now_ns: int, requests: int = 400) -> Journal:
    """Send it all, and wait until it is stored."""
    journal = Journal(now_ns, requests)
    for service, spans in journal.spans.items():
        assert collector.post_json(_export(service, spans)).status == 200
    for first in range(0, len(journal.segments), 50):
        part = journal.segments[first : first + 50]
        before = collector.received("xray", "stored")
        for segment in part:
            collector.send_segment(segment)
        collector.eventually(lambda: collector.received("xray", "stored") >= before + len(part))  # noqa: B023
    for service in (BACKEND, RECOMMENDATIONS):
        _put_lines(collector, service, [line for line in journal.lines if line[1]["service"] == service])
    for item in journal.items:
        assert collector.item(item).status == 200
    return journal


def _export(service: str, spans: list[dict[str, Any]]) -> dict[str, Any]:
    resource = {"service.name": service, "service.version": "2026.11", "telemetry.sdk.language": "python"}
    scope = {"name": "opentelemetry.instrumentation.flask", "version": "0.66b1"}
    return {
        "resourceSpans": [
            {"resource": {"attributes": _pairs(resource)}, "scopeSpans": [{"scope": scope, "spans": spans}]}
        ]
    }


def _put_lines(collector: Collector, service: str, lines: list[tuple[int, dict[str, Any]]]) -> None:
    stream = {"logGroupName": GROUP, "logStreamName": service}
    assert collector.logs("CreateLogStream", stream).status == 200
    events = [
        {"timestamp": at // _MILLISECOND, "message": json.dumps(fields)}
        for at, fields in sorted(lines, key=lambda line: line[0])
    ]
    assert collector.logs("PutLogEvents", {**stream, "logEvents": events}).status == 200

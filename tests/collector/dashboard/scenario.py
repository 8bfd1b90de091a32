"""An hour of the journal's backend, played into a collector: four hundred requests, and what is wrong with some.

Since a quarter of an hour, whoever asks for the home page with the new recommendations waits for a replica of
the database that has no index; and one way to post an activity fails.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.collector.conftest import Collector

BACKEND, RECOMMENDATIONS, WORKER = "backend-flask", "recommendations", "thumbnail-worker"
GROUP = "cruddur"

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_HANDLES = ("andrewbrown", "worf", "garek", "coco", "lore")


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
        for number in range(self.requests):
            ago = 55 * 60 * _SECOND * (self.requests - 1 - number) // self.requests
            start = self.now_ns - ago - self.random.randrange(4 * _SECOND) - 3 * _SECOND
            self._request(start, ago < 15 * 60 * _SECOND)

    def _request(self, start: int, lately: bool) -> None:  # noqa: FBT001
        trace_id = f"{start // _SECOND:08x}{self.random.getrandbits(96):024x}"
        kind = self.random.choices(("home", "notifications", "user", "create"), (55, 22, 16, 7))[0]
        getattr(self, f"_{kind}")(trace_id, start, lately)

    def _took(self, usual: float, spread: float = 0.45) -> int:
        return int(self.random.lognormvariate(0, spread) * usual * _MILLISECOND)

    def _home(self, trace_id: str, start: int, lately: bool) -> None:  # noqa: FBT001
        new = lately and self.random.random() < 0.45
        query, recommend = self._took(14), 0
        plan = self.random.choice(("free", "free", "pro"))
        if new:
            self.slow.append(trace_id)
            recommend = self._took(1400, 0.3)
        took = query + recommend + self._took(5)
        release = "2026.11.2" if new else "2026.11.1"
        root = self._server(
            trace_id, start, took, "GET /api/activities/home", 200, {"app.plan": plan, "app.release": release}
        )
        inner = self._span(
            trace_id,
            root,
            start + _MILLISECOND,
            took - 2 * _MILLISECOND,
            "home-activities-mock-data",
            {"app.result_length": 3, "app.recommendations": new},
        )
        self._span(
            trace_id,
            inner,
            start + 2 * _MILLISECOND,
            query,
            "SELECT activities",
            {
                "db.system.name": "postgresql",
                "db.query.text": "SELECT * FROM activities ORDER BY created_at DESC LIMIT 20",
                "db.replica": "a",
            },
            kind=3,
        )
        if new:
            at = start + 2 * _MILLISECOND + query
            call = self._span(
                trace_id,
                inner,
                at,
                recommend,
                "GET /for/{handle}",
                {
                    "server.address": RECOMMENDATIONS,
                    "http.request.method": "GET",
                    "http.response.status_code": 200,
                },
                kind=3,
            )
            served = self._span(
                trace_id,
                call,
                at + 2 * _MILLISECOND,
                recommend - 4 * _MILLISECOND,
                "GET /for/{handle}",
                {"app.model": "two-towers"},
                service=RECOMMENDATIONS,
                kind=2,
            )
            self._span(
                trace_id,
                served,
                at + 9 * _MILLISECOND,
                recommend - 40 * _MILLISECOND,
                "SELECT follows",
                {
                    "db.system.name": "postgresql",
                    "db.query.text": "SELECT followed FROM follows WHERE follower = $1",
                    "db.replica": "b",
                    "db.rows": 48211,
                },
                service=RECOMMENDATIONS,
                kind=3,
                events=[("sequential scan", at + 30 * _MILLISECOND, {"table": "follows"})],
            )
            self._line(
                trace_id,
                at + recommend,
                RECOMMENDATIONS,
                "WARNING",
                f"slow query: SELECT follows took {recommend // _MILLISECOND} ms",
                replica="b",
            )
        self._segment(trace_id, start, took, "GET", "/api/activities/home", 200, [])
        self._line(
            trace_id,
            start + took,
            BACKEND,
            "INFO",
            "GET /api/activities/home 200",
            duration_ms=round(took / _MILLISECOND, 2),
            status=200,
        )

    def _notifications(self, trace_id: str, start: int, _: bool) -> None:  # noqa: FBT001
        took = self._took(7)
        root = self._server(
            trace_id, start, took, "GET /api/activities/notifications", 200, {"app.plan": "free"}
        )
        self._span(trace_id, root, start + took // 5, took // 2, "notifications", {"app.result_length": 1})
        self._segment(trace_id, start, took, "GET", "/api/activities/notifications", 200, [])
        self._line(
            trace_id,
            start + took,
            BACKEND,
            "INFO",
            "GET /api/activities/notifications 200",
            duration_ms=round(took / _MILLISECOND, 2),
            status=200,
        )

    def _user(self, trace_id: str, start: int, _: bool) -> None:  # noqa: FBT001
        took, handle = self._took(40, 0.6), self.random.choice(_HANDLES)
        path = f"/api/activities/@{handle}"
        self._server(
            trace_id,
            start,
            took,
            "GET /api/activities/@<handle>",
            200,
            {"app.plan": "pro", "app.handle": handle},
        )
        nested = {
            "id": self._id(),
            "name": "mock-data",
            "start_time": (start + took // 3) / _SECOND,
            "end_time": (start + took * 4 // 5) / _SECOND,
            "metadata": {"user_activities": {"results": {"now": "2026-11-28T09:14:00+00:00", "results": 1}}},
        }
        outer = {
            "id": self._id(),
            "name": "user_activities",
            "start_time": (start + took // 6) / _SECOND,
            "end_time": (start + took * 9 // 10) / _SECOND,
            "annotations": {"url": f"http://localhost:4567{path}", "handle": handle},
            "metadata": {
                "http": {"method": "GET"},
                "user_activities": {"now": {"now": "2026-11-28T09:14:00+00:00"}},
            },
            "subsegments": [nested],
        }
        self._segment(trace_id, start, took, "GET", path, 200, [outer])
        self._line(trace_id, start + took // 2, BACKEND, "INFO", "user activities", results=1)
        self._line(
            trace_id,
            start + took,
            BACKEND,
            "INFO",
            f"GET {path} 200",
            duration_ms=round(took / _MILLISECOND, 2),
            status=200,
        )
        if self.random.random() < 0.5:
            self._span(
                trace_id,
                "",
                start + took + 20 * _MILLISECOND,
                self._took(180),
                "resize avatar",
                {"messaging.system": "memory", "app.bytes": 48213},
                service=WORKER,
                kind=5,
            )

    def _create(self, trace_id: str, start: int, lately: bool) -> None:  # noqa: FBT001
        took, fails = self._took(11), lately
        if not fails:
            self._server(trace_id, start, took, "POST /api/activities", 200, {"app.plan": "free"})
            self._segment(trace_id, start, took, "POST", "/api/activities", 200, [])
            self._line(trace_id, start + took, BACKEND, "INFO", "POST /api/activities 200", status=200)
            return
        self.broken.append(trace_id)
        message = "unsupported operand type(s) for +: 'datetime.datetime' and 'str'"
        stack = (
            "Traceback (most recent call last):\n"
            '  File "/app/routes/activities.py", line 56, in create\n'
            '    return create_activity.run(message=fields.get("message"), ttl=fields.get("ttl"))\n'
            '  File "/app/services/create_activity.py", line 31, in run\n'
            "    expires_at = now + ttl\n"
            f"TypeError: {message}\n"
        )
        thrown = (
            "exception",
            start + took * 3 // 4,
            {"exception.type": "TypeError", "exception.message": message, "exception.stacktrace": stack},
        )
        self._server(
            trace_id,
            start,
            took,
            "POST /api/activities",
            500,
            {"app.plan": "free", "app.ttl": "7-days"},
            events=[thrown],
        )
        self._segment(trace_id, start, took, "POST", "/api/activities", 500, [], cause=message)
        self._line(trace_id, start + took, BACKEND, "ERROR", "POST /api/activities 500", status=500)
        self.items.append(_item(trace_id, start + took * 3 // 4, message))

    def _id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def _server(
        self,
        trace_id: str,
        start: int,
        took: int,
        name: str,
        status: int,
        attributes: dict[str, Any],
        events: Any = (),
    ) -> str:
        method, _, route = name.partition(" ")
        known = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "url.scheme": "http",
            "client.region": self.random.choice(("eu", "us", "us")),
        }
        return self._span(
            trace_id,
            "",
            start,
            took,
            name,
            {**known, **attributes},
            kind=2,
            events=events,
            error=status >= 500,
        )

    def _span(
        self,
        trace_id: str,
        parent: str,
        start: int,
        took: int,
        name: str,
        attributes: dict[str, Any],
        *,
        service: str = BACKEND,
        kind: int = 1,
        events: Any = (),
        error: bool = False,
    ) -> str:
        span_id = self._id()
        span = {
            "traceId": trace_id,
            "spanId": span_id,
            "parentSpanId": parent,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + took),
            "attributes": _pairs(attributes),
            "events": [
                {"name": event, "timeUnixNano": str(at), "attributes": _pairs(given)}
                for event, at, given in events
            ],
            "status": {"code": 2, "message": "500 Internal Server Error"} if error else {},
        }
        self.spans.setdefault(service, []).append(span)
        return span_id

    def _segment(
        self,
        trace_id: str,
        start: int,
        took: int,
        method: str,
        path: str,
        status: int,
        parts: list[dict[str, Any]],
        cause: str = "",
    ) -> None:
        segment: dict[str, Any] = {
            "name": BACKEND,
            "id": self._id(),
            "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
            "start_time": (start - _MILLISECOND // 2) / _SECOND,
            "end_time": (start + took + _MILLISECOND // 2) / _SECOND,
            "http": {
                "request": {
                    "method": method,
                    "url": f"http://localhost:4567{path}",
                    "user_agent": "Mozilla/5.0",
                },
                "response": {"status": status},
            },
            "subsegments": parts,
            "service": {"version": "2026.11"},
            "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}},
        }
        if cause:
            frame = {"path": "services/create_activity.py", "line": 31, "label": "run"}
            segment |= {
                "fault": True,
                "cause": {
                    "working_directory": "/app",
                    "exceptions": [
                        {"id": self._id(), "type": "TypeError", "message": cause, "stack": [frame]}
                    ],
                },
            }
        self.segments.append(segment)

    def _line(self, trace_id: str, at: int, service: str, level: str, message: str, **fields: Any) -> None:
        self.lines.append(
            (
                at,
                {
                    "level": level,
                    "service": service,
                    "message": message,
                    "logger": "app",
                    "trace_id": trace_id,
                    **fields,
                },
            )
        )


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {bool: "boolValue", int: "intValue", str: "stringValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
        for key, value in values.items()
    ]


def _item(trace_id: str, at: int, message: str) -> dict[str, Any]:
    frames = [
        {
            "filename": "/app/routes/activities.py",
            "lineno": 56,
            "method": "create",
            "code": '    return create_activity.run(message=fields.get("message"), ttl=fields.get("ttl"))',
            "context": {
                "pre": ['    """Post an activity, and answer with it."""', "    fields = json_body.fields()"],
                "post": [],
            },
        },
        {
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
        },
    ]
    return {
        "access_token": "made-up-token-of-tests",
        "data": {
            "environment": "development",
            "level": "error",
            "timestamp": at / _SECOND,
            "uuid": f"{trace_id[:8]}-{trace_id[8:12]}-4{trace_id[13:16]}-8{trace_id[17:20]}-{trace_id[20:32]}",
            "language": "python",
            "framework": "flask",
            "context": "/api/activities",
            "platform": "linux",
            "body": {"trace": {"frames": frames, "exception": {"class": "TypeError", "message": message}}},
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
        },
    }


def play(collector: Collector, now_ns: int, requests: int = 400) -> Journal:
    """Send it all, and wait until it is stored."""
    journal = Journal(now_ns, requests)
    before = {kind: collector.received(*kind) for kind in (("otlp", "stored"), ("xray", "stored"))}
    for service, spans in journal.spans.items():
        resource = {
            "service.name": service,
            "service.version": "2026.11",
            "deployment.environment.name": "development",
            "telemetry.sdk.language": "python",
        }
        scope = {"name": "opentelemetry.instrumentation.flask", "version": "0.66b1"}
        document = {
            "resourceSpans": [
                {
                    "resource": {"attributes": _pairs(resource)},
                    "scopeSpans": [{"scope": scope, "spans": spans}],
                }
            ]
        }
        assert collector.post_json(document).status == 200
    for index in range(0, len(journal.segments), 50):
        for segment in journal.segments[index : index + 50]:
            collector.send_segment(segment)
        collector.eventually(
            lambda done=index: (
                collector.received("xray", "stored") - before["xray", "stored"]
                >= min(done + 50, len(journal.segments))
            )
        )
    _put_lines(collector, journal)
    for item in journal.items:
        assert collector.item(item).status == 200
    return journal


def _put_lines(collector: Collector, journal: Journal) -> None:
    by_service: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for at, fields in journal.lines:
        by_service.setdefault(fields["service"], []).append((at, fields))
    for service, lines in by_service.items():
        collector.logs("CreateLogStream", {"logGroupName": GROUP, "logStreamName": service})
        events = [
            {"timestamp": at // _MILLISECOND, "message": json.dumps(fields)}
            for at, fields in sorted(lines, key=lambda line: line[0])
        ]
        body = {"logGroupName": GROUP, "logStreamName": service, "logEvents": events}
        assert collector.logs("PutLogEvents", body).status == 200

"""The segments that arrive at the X-Ray daemon."""

import sys
import threading
import time
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from receivers import PATIENCE, XRayDaemon, sampling_rule
from servers import MakeApp
from services import user_activities
from trace_headers import TRUSTED, sampled

URL = "http://localhost/api/activities/@andrewbrown"

# What Python does when it looks up a name, and when it sends to an address, which may be a name.
_LOOK_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
_lookups: list[threading.Thread] = []
sys.addaudithook(lambda event, _: _lookups.append(threading.current_thread()) if event in _LOOK_UP else None)


def test_user_activities_is_a_segment_with_nested_subsegments(make_app: MakeApp, xray: XRayDaemon) -> None:
    app = make_app({**xray.environ, **TRUSTED, "OTEL_SERVICE_NAME": "posts"})
    before = time.time()
    response = app.test_client().get("/api/activities/@andrewbrown?token=made-up", headers=sampled())
    assert response.status_code == 200

    (segment,) = xray.inbox.wait_for(1)
    assert segment["name"] == "posts"
    assert segment["trace_id"] in response.headers["X-Amzn-Trace-Id"]
    assert abs(int(segment["trace_id"].split("-")[1], 16) - before) < 60
    assert segment["http"]["request"]["url"] == URL
    assert segment["http"]["request"]["method"] == "GET"
    assert segment["http"]["response"]["status"] == 200

    (start,) = segment["subsegments"]
    assert start["name"] == "user_activities_start"
    assert start["annotations"] == {"url": URL}
    now = start["metadata"]["user_activities"]["now"]["now"]
    assert datetime.fromisoformat(now).tzinfo
    assert start["metadata"] == {
        "user_activities": {"now": {"now": now}},
        "http": {"method": "GET", "url": URL},
    }

    (nested,) = start["subsegments"]
    assert nested["name"] == "user_activities_nested_subsegment"
    assert nested["metadata"] == {"user_activities": {"results": {"now": now, "results": 1}}}
    assert "subsegments" not in nested
    assert not any(entity["in_progress"] or "fault" in entity for entity in (segment, start, nested))


def test_home_is_a_segment_and_a_health_check_is_none(make_app: MakeApp, xray: XRayDaemon) -> None:
    client = make_app({**xray.environ, **TRUSTED}).test_client()
    health: Any = client.get("/api/health-check", headers=sampled()).json
    assert health["telemetry"]["xray"] == "on"
    client.get("/api/activities/home", headers=sampled())
    (segment,) = xray.inbox.wait_for(1)
    assert segment["http"]["request"]["url"] == "http://localhost/api/activities/home"


def test_a_blank_handle_is_an_error_of_the_caller(make_app: MakeApp, xray: XRayDaemon) -> None:
    make_app({**xray.environ, **TRUSTED}).test_client().get("/api/activities/@", headers=sampled())
    (segment,) = xray.inbox.wait_for(1)
    assert segment["error"] is True
    assert "fault" not in segment


def test_an_unhandled_exception_is_a_fault(make_app: MakeApp, xray: XRayDaemon) -> None:
    app = make_app({**xray.environ, **TRUSTED})

    @app.get("/broken")
    def broken() -> str:
        with app.extensions["xray_recorder"].in_subsegment("breaks"):
            raise ZeroDivisionError("no posts to share")

    assert app.test_client().get("/broken", headers=sampled()).status_code == 500
    (segment,) = xray.inbox.wait_for(1)
    assert segment["fault"] is True
    assert segment["subsegments"][0]["cause"]["exceptions"][0]["message"] == "no posts to share"


def test_the_daemons_rules_decide(make_app: MakeApp, xray: XRayDaemon) -> None:
    xray.rules = [sampling_rule("everything", reservoir=0, rate=1.0, service="posts")]
    client = make_app({**xray.environ, "OTEL_SERVICE_NAME": "posts"}).test_client()

    deadline = time.monotonic() + PATIENCE
    while not any(segment["aws"]["xray"].get("sampling_rule_name") for segment in xray.inbox.items):
        assert time.monotonic() < deadline, "the rule never counted"
        client.get("/api/activities/home")  # the first ones are faster than the rules
        time.sleep(0.02)
    assert xray.inbox.items[-1]["aws"]["xray"]["sampling_rule_name"] == "everything"


def test_two_apps_in_one_process_keep_to_themselves(make_app: MakeApp, xray: XRayDaemon) -> None:
    one = make_app({**xray.environ, **TRUSTED, "OTEL_SERVICE_NAME": "one"})
    two = make_app({**xray.environ, **TRUSTED, "OTEL_SERVICE_NAME": "two"})
    silent = make_app({})
    for app in (one, two, silent, one):
        assert app.test_client().get("/api/activities/@andrewbrown", headers=sampled()).status_code == 200
    assert [segment["name"] for segment in xray.inbox.wait_for(3)] == ["one", "two", "one"]


def test_the_environment_cannot_make_the_sdk_raise_or_rename(
    make_app: MakeApp, xray: XRayDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR")
    monkeypatch.setenv("AWS_XRAY_TRACING_NAME", "somebody-else")
    monkeypatch.setenv("AWS_PROFILE", "")
    app = make_app({**xray.environ, **TRUSTED})
    # Outside a request there is no segment to belong to: nothing is recorded, nothing raised.
    recorder = app.extensions["xray_recorder"]
    assert user_activities.run("andrewbrown", method="GET", url=URL, recorder=recorder)
    app.test_client().get("/api/activities/home", headers=sampled())
    assert [segment["name"] for segment in xray.inbox.wait_for(1)] == ["backend-flask"]


def test_the_daemons_name_is_not_resolved_in_a_request(make_app: MakeApp, xray: XRayDaemon) -> None:
    app = make_app({"AWS_XRAY_DAEMON_ADDRESS": f"localhost:{xray.port}", **TRUSTED})
    here = threading.current_thread()
    _lookups.clear()
    for _ in range(3):
        app.test_client().get("/api/activities/home", headers=sampled())
    assert len(xray.inbox.wait_for(3)) == 3
    assert here not in _lookups


def test_a_segment_too_large_is_dropped_and_counted(
    make_app: MakeApp, xray: XRayDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app({**xray.environ, **TRUSTED})
    add_large_route(app)
    for _ in range(3):
        assert app.test_client().get("/large", headers=sampled()).status_code == 200
    app.test_client().get("/api/activities/home", headers=sampled())
    (segment,) = xray.inbox.wait_for(1)
    assert segment["http"]["request"]["url"].endswith("/home")
    report = app.extensions["telemetry_running"]["xray"].report()
    assert (report["sent"], report["dropped"], report["last_failure"]) == (1, 3, "message too long")
    # The log says it once, not for every segment.
    (record,) = [record for record in caplog.records if record.name == "observability.delivery"]
    assert record.getMessage() == "xray: 1 segments dropped so far, last because message too long"


def add_large_route(app: Flask) -> None:
    @app.get("/large")
    def large() -> str:
        app.extensions["xray_recorder"].put_metadata("everything", 100_000 * "x", "large")
        return "sent"


def test_a_subsegment_left_open_does_not_reach_the_next_request(make_app: MakeApp, xray: XRayDaemon) -> None:
    app = make_app({**xray.environ, **TRUSTED})
    recorder = app.extensions["xray_recorder"]

    @app.get("/leaves-open")
    def leaves_open() -> str:
        recorder.in_subsegment("open").__enter__()
        return "done"

    @app.get("/next")
    def after() -> str:
        recorder.put_annotation("seen", "by the next request")
        return "done"

    client = app.test_client()
    client.get("/leaves-open", headers=sampled())
    client.get("/next", headers=sampled(Sampled="0"))
    client.get("/api/activities/home", headers=sampled())
    (segment,) = xray.inbox.wait_for(1)
    assert segment["http"]["request"]["url"].endswith("/home")
    assert "by the next request" not in str(xray.inbox.items)

"""What every route leaves at the four vendors, joined by one trace id."""

from dataclasses import dataclass

import pytest
from flask import Flask

import observability
from evidence import ALWAYS_SAMPLED, Evidence, evidence, learn_rules, settle, trace_of
from examples import POSTS
from receivers import PATIENCE, AllVendors
from servers import MakeApp
from trace_headers import TRUSTED, new_trace_id, sampled, traceparent

JSON = dict(POSTS)


@dataclass(frozen=True)
class Call:
    """One request, and what it leaves besides a server span, a segment and a line."""

    path: str
    rule: str | None  # the route as Flask writes it; None: no route takes this request
    method: str = "GET"
    status: int = 200
    json: object = None
    span: str | None = None  # the service's own span
    results: int | None = None  # and how many it has found
    subsegments: tuple[str, ...] = ()  # one in the other
    service: str | None = None  # the logger of the service's own line
    item: str | None = None  # the level of what Rollbar hears
    traced: bool = True


A = "/api/activities"
CALLS = [
    Call(
        f"{A}/home",
        f"{A}/home",
        span="home-activities-mock-data",
        results=3,
        service="services.home_activities",
    ),
    Call(
        f"{A}/notifications",
        f"{A}/notifications",
        span="notifications-mock-data",
        results=1,
        service="services.notifications_activities",
    ),
    Call(
        f"{A}/@andrewbrown",
        f"{A}/@<handle>",
        subsegments=("user_activities_start", "user_activities_nested_subsegment"),
        service="services.user_activities",
    ),
    Call(f"{A}/@", f"{A}/@", status=422),
    Call(f"{A}/search?term=cloud", f"{A}/search", service="services.search_activities"),
    Call(f"{A}/search", f"{A}/search", status=422),
    Call(f"{A}/made-up", f"{A}/<activity_uuid>"),
    Call(A, A, "POST", json=JSON[A], service="services.create_activity"),
    Call(A, A, "POST", json={}, status=422),
    Call(A, A, "POST", status=400),
    Call(
        f"{A}/made-up/reply",
        f"{A}/<activity_uuid>/reply",
        "POST",
        json=JSON[f"{A}/made-up/reply"],
        service="services.create_reply",
    ),
    Call("/api/message_groups", "/api/message_groups", service="services.message_groups"),
    Call("/api/messages/@worf", "/api/messages/@<handle>", service="services.messages"),
    Call("/api/messages/@", "/api/messages/@", status=422),
    Call(
        "/api/messages",
        "/api/messages",
        "POST",
        json=JSON["/api/messages"],
        service="services.create_message",
    ),
    Call("/api/openapi.json", "/api/openapi.json"),
    Call("/rollbar/test", "/rollbar/test", item="warning"),
    Call("/api/health-check", "/api/health-check", traced=False),
    Call("/nowhere", None, status=404),
    Call(A, None, status=405),
    Call("/broken/7", "/broken/<int:number>", status=500, item="error"),
]


def broken(number: int) -> str:
    raise ZeroDivisionError(f"no posts to share: {number}")


@pytest.fixture
def app(make_app: MakeApp, everything: AllVendors) -> Flask:
    app = make_app({**everything.environ, **TRUSTED, "OTEL_BSP_SCHEDULE_DELAY": "600000"})
    app.add_url_rule("/broken/<int:number>", view_func=broken)
    return app


def test_one_id_joins_what_every_route_leaves(app: Flask, everything: AllVendors) -> None:
    traces = [(call, ask(app, call)) for call in CALLS]
    observability.shut_down(app, PATIENCE)
    settle(everything)
    # The log's stream is made when it is missed; nothing else is refused.
    assert all("The specified log stream does not exist" in reason for reason in everything.refusals)

    arrived = [0, 0, 0, 0]
    for call, trace_id in traces:
        found = evidence(everything, trace_id)
        arrived = [sum(pair) for pair in zip(arrived, found.counts, strict=True)]
        try:
            check_spans(call, found)
            check_segment(call, found)
            check_lines(call, found)
            check_item(call, found)
        except AssertionError as error:
            error.add_note(f"{call} left {found}")
            raise
    # Nothing has arrived without an id, or with another one.
    assert arrived == [receiver.inbox.count for receiver in everything.by_name.values()]


def ask(app: Flask, call: Call) -> str:
    """Make the call with a trace of its own, and answer its id."""
    trace_id = new_trace_id()
    headers = traceparent(trace_id) | sampled(trace_id)
    response = app.test_client().open(call.path, method=call.method, json=call.json, headers=headers)
    assert (call, response.status_code) == (call, call.status)
    assert trace_of(response) == trace_id
    return trace_id


def check_spans(call: Call, found: Evidence) -> None:
    if not call.traced:
        assert found.spans == []
        return
    *own, server = sorted(found.spans, key=lambda span: span.span.kind == span.span.SPAN_KIND_SERVER)
    assert [span.span.name for span in own] == ([call.span] if call.span else [])
    for span in own:
        assert span.span.parent_span_id == server.span.span_id
        assert span.attributes.keys() == {"app.now", "app.result_length"}
        assert span.attributes["app.result_length"] == call.results
    assert server.span.name == (f"{call.method} {call.rule}" if call.rule else call.method)
    assert server.attributes == {
        "http.request.method": call.method,
        "url.scheme": "http",
        "url.path": call.path.partition("?")[0],
        "server.address": "localhost",
        "server.port": 80,
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "user_agent.original": server.attributes["user_agent.original"],
        "http.response.status_code": call.status,
        **({"http.route": call.rule} if call.rule else {}),
        **({"error.type": str(call.status)} if call.status == 500 else {}),
    }
    failed = server.span.status.code == server.span.status.STATUS_CODE_ERROR
    assert failed == (call.status == 500)
    assert [event.name for event in server.span.events] == ["exception"] * failed


def check_segment(call: Call, found: Evidence) -> None:
    if not call.traced:
        assert found.segments == []
        return
    (segment,) = found.segments
    assert segment["name"] == "backend-flask"
    assert segment["http"]["request"]["url"] == f"http://localhost{call.path.partition('?')[0]}"
    assert segment["http"]["request"]["method"] == call.method
    assert segment["http"]["response"]["status"] == call.status
    assert segment.get("error", False) == (400 <= call.status < 500)
    assert segment.get("fault", False) == (call.status == 500)
    if call.status == 500:
        assert segment["cause"]["exceptions"][0]["message"] == "no posts to share: 7"
    inner = segment
    for name in call.subsegments:
        (inner,) = inner["subsegments"]
        assert inner["name"] == name
    assert "subsegments" not in inner


def check_lines(call: Call, found: Evidence) -> None:
    lines = [line.fields for line in found.lines]
    request = lines.pop()
    path = call.path.replace("?term=cloud", "?term")
    assert request.pop("duration_ms") >= 0
    assert len(request.pop("trace_id")) == 32
    assert request == {
        "level": {2: "INFO", 4: "WARNING", 5: "ERROR"}[call.status // 100],
        "logger": "requests_served",
        "service": "backend-flask",
        "message": f"{call.method} {path} {call.status}",
        "method": call.method,
        "path": path,
        "status": call.status,
    }
    if call.status == 500:
        exception = lines.pop()
        assert exception["level"] == "ERROR"
        assert exception["traceback"].startswith("Traceback")
        assert exception["traceback"].endswith("ZeroDivisionError: no posts to share: 7")
    assert [line["logger"] for line in lines] == ([call.service] if call.service else [])


def check_item(call: Call, found: Evidence) -> None:
    assert [item["level"] for item in found.items] == ([call.item] if call.item else [])
    for item in found.items:
        assert item["context"] == call.rule
        assert item["custom"]["service"] == "backend-flask"
        assert item["request"]["method"] == call.method


def test_no_route_is_forgotten(make_app: MakeApp) -> None:
    called = {(call.rule, call.method) for call in CALLS}
    for rule in make_app({}).url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (rule.rule, method) in called, "add it to CALLS, with what it leaves"


def test_the_service_chooses_the_id_when_nobody_else_does(app: Flask, everything: AllVendors) -> None:
    response = app.test_client().get("/rollbar/test")
    observability.shut_down(app, PATIENCE)
    settle(everything)
    spans, segments, lines, items = evidence(everything, trace_of(response)).counts
    assert (spans, lines, items) == (1, 1, 1)
    assert segments <= 1  # one request a second is sampled while the daemon's rules are unknown


def test_the_daemons_rules_are_not_overruled(make_app: MakeApp, everything: AllVendors) -> None:
    app = make_app(everything.environ)
    learn_rules(app, everything)
    client = app.test_client()
    always = [trace_of(client.get(ALWAYS_SAMPLED)) for _ in range(30)]
    never = [
        trace_of(client.get(path)) for path in (f"{A}/home", "/rollbar/test", "/nowhere") for _ in range(10)
    ]
    observability.shut_down(app, PATIENCE)
    settle(everything)
    assert len(set(always + never)) == 60
    for trace_id in always:
        assert evidence(everything, trace_id).counts == (2, 1, 2, 0)
    counts = [evidence(everything, trace_id).counts for trace_id in never]
    assert counts == [(2, 0, 2, 0)] * 10 + [(1, 0, 1, 1)] * 10 + [(1, 0, 1, 0)] * 10

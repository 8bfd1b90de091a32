"""The lines that arrive at CloudWatch Logs."""

import json
import logging
import logging.config
import subprocess
import sys
from typing import Any

import pytest
from flask import Flask

import observability
from receivers import PATIENCE, CloudWatchLogs
from servers import BACKEND, MakeApp


def arrived(app: Flask, logs: CloudWatchLogs) -> list[dict[str, Any]]:
    """End the app's telemetry, and answer all its lines."""
    observability.shut_down(app, PATIENCE)
    assert app.extensions["telemetry_running"]["cloudwatch"].report()["dropped"] == 0
    assert all("The specified log stream does not exist" in reason for reason in logs.inbox.refusals)
    return [line.fields for line in logs.inbox.items]


def without(line: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in names}


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [("/api/message_groups", 200, "INFO"), ("/api/messages/@", 422, "WARNING"), ("/nowhere", 404, "WARNING")],
)
def test_one_line_for_each_request(
    make_app: MakeApp, cloudwatch: CloudWatchLogs, path: str, status: int, level: str
) -> None:
    app = make_app(cloudwatch.environ)
    response = app.test_client().get(path)
    line = arrived(app, cloudwatch)[-1]
    assert without(line, "duration_ms", "trace_id") == {
        "level": level,
        "logger": "requests_served",
        "service": "backend-flask",
        "message": f"GET {path} {status}",
        "method": "GET",
        "path": path,
        "status": status,
    }
    assert 0 <= line["duration_ms"] < PATIENCE * 1000
    assert response.headers["X-Amzn-Trace-Id"] == f"Root=1-{line['trace_id'][:8]}-{line['trace_id'][8:]}"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("term=private", "term"),
        ("term=private&token=private&term=", "term&token"),
        ("private==", None),  # padding, as Base64 has it, is no value
        ("private", None),  # it has no name: it is a value
        ("=private&a=private=private", "a"),
        ("a%20b=private&%70=%70%72", "a%20b&%70"),
        ("", None),
    ],
)
def test_the_query_string_is_logged_without_its_values(
    make_app: MakeApp, cloudwatch: CloudWatchLogs, query: str, names: str | None
) -> None:
    app = make_app(cloudwatch.environ)
    app.test_client().get(f"/nowhere?{query}")
    (line,) = arrived(app, cloudwatch)
    assert line["path"] == (f"/nowhere?{names}" if names else "/nowhere")
    assert "private" not in json.dumps(line)


PATHS = {
    "/%0A%7B%22level%22:%22CRITICAL%22%7D": '/\n{"level":"CRITICAL"}',
    "/%0D%0A%00%1B[2J": "/\r\n\0\x1b[2J",
    "/%ff%fe": "/\ufffd\ufffd",
    "/%ED%A0%80": "/\ufffd\ufffd\ufffd",  # half a surrogate pair
    "/%E2%80%A8": "/\u2028",
    "/%F0%9F%98%80": "/\N{GRINNING FACE}",
}


def test_no_path_can_break_a_line(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    for path in PATHS:
        app.test_client().get(path)
    assert [line["path"] for line in arrived(app, cloudwatch)] == list(PATHS.values())
    for event in cloudwatch.inbox.items:
        assert event.message.isascii()
        assert event.message.isprintable()


def test_services_lines_are_structured(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    app.test_client().get("/api/activities/home")
    service, request = arrived(app, cloudwatch)
    assert without(service, "trace_id") == {
        "level": "INFO",
        "logger": "services.home_activities",
        "service": "backend-flask",
        "message": "home activities",
        "results": 3,
    }
    assert service["trace_id"] == request["trace_id"]
    stream = cloudwatch.inbox.items[0].stream
    assert stream.startswith("backend-flask/")


def test_an_unhandled_exception_keeps_its_traceback(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("no posts to share")

    app.test_client().get("/broken")
    exception, request = arrived(app, cloudwatch)
    assert (exception["level"], exception["logger"], request["level"]) == ("ERROR", "app", "ERROR")
    assert exception["message"] == "Exception on /broken [GET]"
    assert exception["traceback"].splitlines()[0] == "Traceback (most recent call last):"
    assert "in broken" in exception["traceback"]
    assert exception["traceback"].splitlines()[-1] == "ZeroDivisionError: no posts to share"


def test_the_group_is_never_made_and_the_stream_when_it_is_missed(
    make_app: MakeApp, cloudwatch: CloudWatchLogs
) -> None:
    app = make_app(cloudwatch.environ)
    app.test_client().get("/api/message_groups")
    arrived(app, cloudwatch)
    assert cloudwatch.calls == {"PutLogEvents": 2, "CreateLogStream": 1}

    elsewhere = make_app({**cloudwatch.environ, "CLOUDWATCH_LOG_GROUP": "made-up"})
    elsewhere.test_client().get("/api/message_groups")
    observability.shut_down(elsewhere, PATIENCE)
    report = elsewhere.extensions["telemetry_running"]["cloudwatch"].report()
    assert (report["sent"], report["dropped"]) == (0, 2)
    assert report["last_failure"] == "ResourceNotFoundException"
    assert set(cloudwatch.calls) == {"PutLogEvents", "CreateLogStream"}


@pytest.mark.parametrize("character", ["a", "\n", "\xe4", "\N{GRINNING FACE}"])
def test_a_line_that_is_too_long_is_cut(
    make_app: MakeApp, cloudwatch: CloudWatchLogs, character: str
) -> None:
    app = make_app(cloudwatch.environ)
    text = 300_000 * character
    with app.app_context():
        app.logger.warning("%s", text, extra={"size": 300_000, "also": [text]})
        app.logger.warning("short")
    long, short = arrived(app, cloudwatch)
    assert long["message"].startswith(1000 * character)
    assert long["message"].endswith(f"{character} [cut]")
    assert long["also"].endswith(" [cut]")
    assert (long["level"], long["size"]) == ("WARNING", 300_000)
    assert short["message"] == "short"


def test_half_a_surrogate_pair_breaks_no_line(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    with app.app_context():
        app.logger.warning("odd", extra={"character": "\ud800"})
    (line,) = arrived(app, cloudwatch)
    assert line["character"] == "\ud800"


def test_a_request_line_that_is_too_long_is_cut(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    app.test_client().get("/" + 50_000 * "%F0%9F%98%80")
    (line,) = arrived(app, cloudwatch)
    assert line["path"].startswith("/\N{GRINNING FACE}")
    assert line["path"].endswith(" [cut]")
    assert len(line["path"]) < 1_010
    assert line["status"] == 404


def test_many_lines_become_batches_that_the_api_takes(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    with app.app_context():
        for number in range(5000):
            app.logger.error("%d %s", number, (number % 20) * 100 * "x")
    lines = arrived(app, cloudwatch)
    assert [int(line["message"].split()[0]) for line in lines] == list(range(5000))
    assert cloudwatch.calls["PutLogEvents"] >= 6


def test_a_line_that_cannot_be_made_costs_no_other(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    with app.app_context():
        app.logger.warning("before")
        app.logger.warning("no JSON", extra={"odd": {(1, 2): 3}})
        app.logger.warning("after", extra={"odd": {1, 2}})
    observability.shut_down(app, PATIENCE)
    assert [line.fields["message"] for line in cloudwatch.inbox.items] == ["before", "after"]
    report = app.extensions["telemetry_running"]["cloudwatch"].report()
    assert (report["sent"], report["dropped"]) == (2, 1)


def test_two_apps_in_one_process_keep_to_themselves(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    one = make_app({**cloudwatch.environ, "OTEL_SERVICE_NAME": "one"})
    two = make_app({**cloudwatch.environ, "OTEL_SERVICE_NAME": "two"})
    silent = make_app({})
    for app in (one, two, silent, one):
        app.test_client().get("/api/activities/home")
    arrived(one, cloudwatch)
    arrived(two, cloudwatch)
    streams = sorted(line.stream.split("/")[0] for line in cloudwatch.inbox.items)
    assert streams == ["one"] * 4 + ["two"] * 2
    assert sorted(line.fields["service"] for line in cloudwatch.inbox.items) == streams


def test_logging_may_be_configured_afterwards(make_app: MakeApp, cloudwatch: CloudWatchLogs) -> None:
    app = make_app(cloudwatch.environ)
    logging.config.dictConfig({"version": 1, "incremental": False, "disable_existing_loggers": False})
    app.test_client().get("/api/activities/home")
    assert len(arrived(app, cloudwatch)) == 2


def test_warnings_of_services_stay_on_the_console(cloudwatch: CloudWatchLogs) -> None:
    code = """if True:
        import logging, os, app, settings
        app.create_app(settings.Settings.from_environ(os.environ))
        logging.getLogger("services.made_up").warning("look here")
        logging.getLogger("services.made_up").info("nothing to see")
    """
    result = run_python(code, cloudwatch.environ)
    assert result.stderr == "look here\n"
    assert len(cloudwatch.inbox.items) == 2


def test_nothing_touches_the_network_before_there_is_something_to_send(cloudwatch: CloudWatchLogs) -> None:
    code = """if True:
        import sys
        events = []
        sys.addaudithook(lambda event, args: events.append(event) if event.startswith("socket.") else None)
        import os, app, settings
        made = app.create_app(settings.Settings.from_environ(os.environ))
        network = {"socket.connect", "socket.getaddrinfo"}
        print(made.extensions["telemetry"]["cloudwatch"], network & set(events))
        made.test_client().get("/api/activities/home")
        made.extensions["telemetry_running"]["cloudwatch"].shut_down(30)
        print("socket.connect" in events)
    """
    assert run_python(code, cloudwatch.environ).stdout == "on set()\nTrue\n"


def run_python(code: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=BACKEND, env=environ, check=True, capture_output=True, text=True
    )


def test_what_the_api_rejects_of_a_batch_is_dropped_and_the_rest_has_arrived(
    make_app: MakeApp, cloudwatch: CloudWatchLogs
) -> None:
    app = make_app(cloudwatch.environ)
    log = logging.getLogger("services.made_up")
    for age in (0, 20 * 86_400, 0):  # seconds; the API takes nothing older than 14 days
        record = log.makeRecord(log.name, logging.INFO, __file__, 1, "made up", (), None)
        record.created -= age
        log.handle(record)
    observability.shut_down(app, PATIENCE)
    report = app.extensions["telemetry_running"]["cloudwatch"].report()
    assert (report["sent"], report["dropped"]) == (2, 1)
    assert len(cloudwatch.inbox.items) == 2

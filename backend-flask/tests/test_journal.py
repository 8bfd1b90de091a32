"""The experiments of the journal that this service comes from, against a server process."""

import http.client
import json
import shutil
from pathlib import Path

import pytest

from evidence import Evidence, evidence
from receivers import PATIENCE, AllVendors
from servers import BACKEND, Serve, Served

HOME = "/api/activities/home"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The service's own files, to be changed."""
    return shutil.copytree(BACKEND, tmp_path / "copy", ignore=shutil.ignore_patterns("tests", "__pycache__"))


def get(server: Served, path: str) -> tuple[int, bytes, str]:
    """Answer the status, the body, and the trace id."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        trace_id = response.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")
        return response.status, response.read(), trace_id
    finally:
        connection.close()


def ask_once(serve: Serve, everything: AllVendors, folder: Path, path: str) -> tuple[int, bytes, Evidence]:
    """Start the service, ask, stop it, and answer what it said and what it left."""
    server = serve("gunicorn", environ={"PORT": "0", **everything.environ}, folder=folder)
    status, body, trace_id = get(server, path)
    assert server.stop() == 0
    return status, body, evidence(everything, trace_id)


def test_a_request_is_a_trace_of_two_spans(serve: Serve, everything: AllVendors) -> None:
    status, body, found = ask_once(serve, everything, BACKEND, HOME)
    assert status == 200
    inner, outer = sorted(found.spans, key=lambda span: span.span.name == f"GET {HOME}")
    assert inner.span.name == "home-activities-mock-data"
    assert inner.span.parent_span_id == outer.span.span_id
    assert outer.span.parent_span_id == b""
    assert inner.attributes["app.result_length"] == len(json.loads(body)) == 3
    assert inner.attributes["app.now"][:4].isdigit()
    assert outer.attributes["http.route"] == HOME


def test_hello_world_is_a_warning(serve: Serve, everything: AllVendors) -> None:
    status, body, found = ask_once(serve, everything, BACKEND, "/rollbar/test")
    assert (status, body) == (200, b"Hello World!")
    (item,) = found.items
    assert (item["level"], item["body"]) == ("warning", {"message": {"body": "Hello World!"}})
    assert len(found.spans) == len(found.lines) == 1


def test_a_deleted_return_is_an_item_with_its_stack(serve: Serve, everything: AllVendors, copy: Path) -> None:
    source = copy / "services" / "home_activities.py"
    text = source.read_text()
    assert text.count("        return activities\n") == 1
    source.write_text(text.replace("        return activities\n", ""))

    status, body, found = ask_once(serve, everything, copy, HOME)
    assert (status, json.loads(body)) == (500, ["internal_server_error"])

    (item,) = found.items
    trace = item["body"]["trace"]
    assert trace["exception"]["class"] == "TypeError"
    assert "'activities.home' did not return a valid response" in trace["exception"]["message"]
    assert [frame["method"] for frame in trace["frames"]][-2:] == ["finalize_request", "make_response"]
    assert (item["level"], item["context"], item["environment"]) == ("error", HOME, "testing")
    assert item["server"]["root"] == str(copy)

    # The other vendors tell the same story under the same id.
    server_span = next(span for span in found.spans if span.span.name == f"GET {HOME}")
    assert server_span.attributes["http.response.status_code"] == 500
    (event,) = server_span.span.events
    assert event.name == "exception"
    exception, request = (line.fields for line in found.lines if line.fields["level"] == "ERROR")
    assert exception["traceback"].splitlines()[-1].startswith("TypeError: The view function")
    assert (request["path"], request["status"]) == (HOME, 500)

"""What a running stack shows of itself: where it says it is, and the traces that requests leave there."""

import contextlib
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

#: seconds until an answer, or until what a service reports has arrived
_PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def browse(url: str) -> Answer:
    """Open a URL as its workspace forwards it: to the port on this machine, under the name in the URL."""
    parts = urlsplit(url)
    port = parts.port or int(parts.netloc.partition("-")[0])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
        response = connection.getresponse()
        return Answer(response.status, response.read())


class Traces:
    """The collector's API, at the address that was printed."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def of(cls, collector: Mapping[str, str]) -> Self:
        """The one that `up --json` names."""
        return cls(f"{collector['url']}/api/traces?token={collector['token']}")

    def latest(self) -> list[dict[str, Any]]:
        """What there is with spans or segments, newest first; a health check leaves only a line."""
        answer = browse(self.url)
        assert answer.status == 200, answer
        traces: list[dict[str, Any]] = answer.json()["traces"]
        return [each for each in traces if each["span_count"] or each["segment_count"]]

    def caused_by(self, url: str) -> "Caused":
        """Open `url`, and wait for one trace and one segment that were not there before."""
        before = {trace["trace_id"] for trace in self.latest()}
        answer = browse(url)
        assert answer.status == 200, answer
        deadline = time.monotonic() + _PATIENCE
        while not (arrived := self._arrived(before)).complete() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert arrived.complete(), arrived
        return Caused(arrived.traces[0]["spans"], arrived.segments[0]["segments"][0])

    def _arrived(self, before: set[str]) -> "_Arrived":
        new = [trace for trace in self.latest() if trace["trace_id"] not in before]
        return _Arrived(
            [self.read(trace["trace_id"]) for trace in new if trace["span_count"]],
            [self.read(trace["trace_id"]) for trace in new if trace["segment_count"]],
        )

    def read(self, trace_id: str) -> dict[str, Any]:
        """One trace whole."""
        parts = urlsplit(self.url)
        answer = browse(parts._replace(path=f"{parts.path}/{trace_id}").geturl())
        assert answer.status == 200, answer
        trace: dict[str, Any] = answer.json()
        return trace


@dataclass(frozen=True)
class _Arrived:
    """Traces with spans, and traces with segments, since some moment."""

    traces: list[dict[str, Any]]
    segments: list[dict[str, Any]]

    def complete(self) -> bool:
        """One of each; a span without a parent is the last of its trace to end."""
        return (len(self.traces), len(self.segments)) == (1, 1) and any(
            span["parent_span_id"] is None for span in self.traces[0]["spans"]
        )


@dataclass(frozen=True)
class Caused:
    """What one request left at the collector: the spans of its trace, and its X-Ray segment."""

    spans: list[dict[str, Any]]
    segment: dict[str, Any]


@dataclass(frozen=True)
class Running:
    """Where everything is."""

    backend: str
    traces: Traces

    def check_home(self) -> None:
        """Home leaves a trace of two spans, with both attributes on the inner one."""
        spans = self.traces.caused_by(f"{self.backend}/api/activities/home").spans
        assert [span["service"] for span in spans] == ["backend-flask"] * 2, spans
        outer, inner = sorted(spans, key=lambda span: span["parent_span_id"] is not None)
        assert outer["name"] == "GET /api/activities/home", spans
        assert inner["name"] == "home-activities-mock-data", spans
        assert inner["parent_span_id"] == outer["span_id"], spans
        assert inner["attributes"]["app.result_length"] == 3, spans
        assert re.match(r"\d{4}-\d\d-\d\dT", inner["attributes"]["app.now"]), spans


def where_it_runs(announced: str) -> Running:
    """Read what `up` prints once everything is healthy."""
    backend = re.search(r"backend-flask +(http\S+)/api/health-check", announced)
    dashboard = re.search(r"dashboard +(http\S+)", announced)
    assert backend, announced
    assert dashboard, announced
    return Running(backend[1], Traces(dashboard[1].replace("/?", "/api/traces?")))

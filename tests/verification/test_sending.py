"""The marked requests: what a service is sent, and how its answers are taken."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.project import Service
from bootstrap.verification.sending import send
from tests.stand_ins.server import Fixed, Request, Response, StandIn

if TYPE_CHECKING:
    from bootstrap.verification.interface import Probe

KEY = "k" * 64


class Echo(StandIn):
    """Names the trace of each request as X-Ray's middleware does."""

    def answer(self, request: Request) -> Response:
        root = request.headers["X-Amzn-Trace-Id"].partition(";")[0]
        return Response(
            404 if request.path == "/nope" else 200, b"x", {"X-Amzn-Trace-Id": f"{root};Sampled=1"}
        )


def probe(server: StandIn, *paths: str) -> Probe:
    port = int(server.url.rpartition(":")[2])
    service = Service(name="web", otel_service_name="posts", port=port, probe=paths or ("/",))
    return send(service, KEY)


def test_every_request_is_marked_for_both_kinds_of_tracing_and_proven() -> None:
    with Echo() as server:
        sent = probe(server, "/a?b=c", "/nope")
    assert [request.path for request in server.requests] == ["/a?b=c", "/nope"]
    assert re.fullmatch("[0-9a-f]{32}", sent.trace_id)
    assert abs(int(sent.trace_id[:8], 16) - time.time()) < 5
    for request in server.requests:
        assert request.headers["traceparent"] == f"00-{sent.trace_id}-{sent.span_id}-01"
        root = f"Root={sent.xray_id};Parent={sent.span_id};Sampled=1"
        assert request.headers["X-Amzn-Trace-Id"] == root
        proof = hmac.new(KEY.encode(), sent.trace_id.encode(), hashlib.sha256).hexdigest()
        assert request.headers["X-Trace-Proof"] == proof
    assert [reply.status for reply in sent.replies] == [200, 404]
    assert (sent.answered, sent.took_another) == (2, False)


def test_two_probes_share_no_id() -> None:
    with Echo() as server:
        first, second = probe(server), probe(server)
    assert first.trace_id != second.trace_id
    assert first.span_id != second.span_id


@pytest.mark.parametrize(
    ("header", "another"),
    [
        ("Root=1-00000000-000000000000000000000000", True),
        ("Root=1-6b0b2ca4-487d88daa112a3ad0862bcdf;Sampled=0", True),
        ("Self=1-6b0b2ca4-487d88daa112a3ad0862bcdf", False),
        ("", False),
    ],
)
def test_a_service_that_names_another_trace_did_not_take_ours(header: str, *, another: bool) -> None:
    with Fixed(Response(200, b"", {"X-Amzn-Trace-Id": header} if header else {})) as server:
        sent = probe(server)
    assert (sent.answered, sent.took_another) == (1, another)


def test_a_service_that_is_not_there_is_a_reply() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    sent = send(Service(name="web", otel_service_name="web", port=port), KEY)
    assert (sent.answered, sent.took_another) == (0, False)
    assert "no connection" in sent.replies[0].problem

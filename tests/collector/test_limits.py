"""Few bytes never become many objects: what is refused, that nothing usual is, and what it costs."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # types-protobuf is not among the tools
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bootstrap.collector.receiving.bodies import MAX_BODY
from bootstrap.collector.telemetry.limits import MAX_SPANS, TooMuchError, check_json, check_protobuf

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Made, Starter

PROTOBUF = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
JSON = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def field(number: int, content: bytes) -> bytes:
    """A message inside a message, as protobuf has it."""
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def nested(content: bytes, *path: int) -> bytes:
    for number in reversed(path):
        content = field(number, content)
    return content


EMPTY = MAX_BODY // 2 - 16
SPAN_IDS = field(1, bytes(range(16))) + field(2, bytes(range(8)))
BOMBS: dict[str, tuple[dict[str, str], bytes]] = {
    "spans": (PROTOBUF, nested(field(2, b"") * EMPTY, 1, 2)),
    "spans in groups of fields": (PROTOBUF, nested(b"\x0b\x0c" * 9 + field(2, b"") * (EMPTY - 9), 1, 2)),
    "scopes": (PROTOBUF, nested(field(2, b"") * EMPTY, 1)),
    "resources": (PROTOBUF, field(1, b"") * EMPTY),
    "attributes": (PROTOBUF, nested(SPAN_IDS + field(9, b"") * (EMPTY - 32), 1, 2, 2)),
    "events": (PROTOBUF, nested(SPAN_IDS + field(11, b"") * (EMPTY - 32), 1, 2, 2)),
    "values": (PROTOBUF, nested(SPAN_IDS + nested(field(1, b"") * (EMPTY - 32), 9, 2, 5), 1, 2, 2)),
    "attributes of a resource": (PROTOBUF, nested(field(1, b"") * EMPTY, 1, 1)),
    "a few spans too many": (PROTOBUF, nested(field(2, SPAN_IDS) * (MAX_SPANS + 1), 1, 2)),
    "larger than a body": (PROTOBUF, nested(field(2, b"") * 10_000_000, 1, 2)),
    "spans in JSON": (
        JSON,
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 2_600_000 + b"{}]}]}]}",
    ),
    "lists in JSON": (JSON, b'{"resourceSpans":[' + b"[]," * 2_600_000 + b"[]]}"),
}


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    return {name: gzip.compress(body, 9) for name, (_, body) in BOMBS.items()}


def resident(collector: Collector) -> int:
    """The most memory that the collector has had, in MiB."""
    status = Path(f"/proc/{collector.process.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells what another process takes")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_request_stays_small(start_collector: Starter, packed: dict[str, bytes], name: str) -> None:
    collector = start_collector()
    assert len(packed[name]) < 500_000
    start = time.monotonic()
    answer = collector.request("POST", "/v1/traces", packed[name], BOMBS[name][0])
    took = time.monotonic() - start
    assert (answer.status, answer.headers["content-type"]) == (413, BOMBS[name][0]["Content-Type"])
    assert resident(collector) < 600
    # At most three seconds on an idle machine.
    assert took < 25


def test_as_much_as_is_allowed_is_stored(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    trace_id = bytes.fromhex(made.trace_id())
    spans = [field(2, field(1, trace_id) + field(2, n.to_bytes(8))) for n in range(1, MAX_SPANS + 1)]
    resource = field(1, nested(b"x" * 1_000_000, 1, 1))
    body = field(1, resource + field(2, b"".join(spans)))
    answer = collector.request("POST", "/v1/traces", gzip.compress(body), PROTOBUF)
    assert (answer.status, answer.body) == (200, b"")
    assert collector.received("otlp", "stored") == MAX_SPANS
    assert sum(path.stat().st_size for path in collector.database.parent.iterdir()) < 100_000_000
    trace = collector.read(f"/api/traces/{trace_id.hex()}")
    assert trace.json()["truncated"]
    assert len(trace.body) < 40_000_000


def test_many_unusable_spans_are_counted_and_told_by_the_first(collector: Collector) -> None:
    answer = collector.post_json(
        {"resourceSpans": [{"scopeSpans": [{"spans": [{}, {"traceId": "00" * 16}] * 10_000}]}]}
    )
    assert answer.json() == {
        "partialSuccess": {"rejectedSpans": "20000", "errorMessage": "trace_id has 0 bytes instead of 16"}
    }


def test_what_does_not_fit_is_refused_for_good(start_collector: Starter, made: Made) -> None:
    collector = start_collector(store_bytes=1024 * 1024)

    def send(size: int) -> int:
        attributes = [{"key": "a", "value": {"stringValue": "x" * size}}]
        return collector.post_json(made.export(made.span(made.trace_id(), attributes=attributes))).status

    assert [send(50_000) for _ in range(40)] == [200] * 40
    assert [send(2_000_000) for _ in range(3)] == [507] * 3
    assert send(50_000) == 200
    assert 1 < len(collector.read("/api/traces").json()["traces"]) < 20
    assert collector.received("otlp", "lost") == 3
    complaint = collector.stop()[1]
    assert complaint.startswith(f"collector: no room for more in the telemetry store {collector.database}")
    assert complaint.count("\n") == 1


@given(st.binary(max_size=300))
def test_any_bytes_pass_or_are_too_many(body: bytes) -> None:
    check_protobuf(body)
    check_protobuf(field(1, body))
    check_protobuf(nested(body, 1, 2))


PIECES = [
    b"\x0b",
    b"\x0c",
    b"\x08\x01",
    b"\x0d1234",
    b"\x0912345678",
    field(1, b""),
    field(2, b""),
    field(3, b"a"),
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=2)), st.sampled_from([(), (1,), (1, 2)]))
def test_whatever_the_parser_makes_is_counted(pieces: list[bytes], path: tuple[int, ...]) -> None:
    body = nested(b"".join(pieces), *path)
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    made = len(request.resource_spans) + len(scopes) + sum(len(scope.spans) for scope in scopes)
    if made:
        with pytest.raises(TooMuchError):
            check_protobuf(body, items=made - 1)


def test_a_usual_batch_passes(made: Made) -> None:
    attributes = [{"key": f"key-{n}", "value": {"stringValue": "{}"}} for n in range(30)]
    spans = [made.span(made.trace_id(), attributes=attributes) for _ in range(512)]
    check_json(json.dumps(made.export(*spans)).encode())

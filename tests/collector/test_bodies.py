"""Bodies that are too large, too slow, or not what they say, at everything that reads one."""

from __future__ import annotations

import gzip
import select
import socket
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bootstrap.collector.receiving.bodies import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.collector.conftest import Collector

MEBIBYTE = 1024 * 1024


class Receiver(NamedTuple):
    path: str
    media_type: str
    on_the_daemons_port: bool = False


RECEIVERS = {
    "OTLP": Receiver("/v1/traces", "application/x-protobuf"),
    "OTLP in JSON": Receiver("/v1/traces", "application/json"),
    "CloudWatch Logs": Receiver("/", "application/x-amz-json-1.1"),
    "Rollbar": Receiver("/api/1/item/", "application/json"),
    "X-Ray": Receiver("/TraceSegments", "application/json"),
    "X-Ray's telemetry": Receiver("/TelemetryRecords", "application/json"),
    "X-Ray's sampling": Receiver("/SamplingTargets", "application/json"),
    "the daemon's sampling": Receiver("/SamplingTargets", "application/json", on_the_daemons_port=True),
}


every_receiver = pytest.mark.parametrize("receiver", RECEIVERS.values(), ids=RECEIVERS.keys())


def port(collector: Collector, receiver: Receiver) -> int:
    return collector.daemon_port if receiver.on_the_daemons_port else collector.port


def headers(receiver: Receiver, **more: str) -> dict[str, str]:
    return {
        "Content-Type": receiver.media_type,
        "X-Amz-Target": "Logs_20140328.PutLogEvents",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """64 MiB of nothing, in 64 kB."""
    return gzip.compress(bytes(64 * MEBIBYTE))


@every_receiver
def test_what_is_not_what_it_says(collector: Collector, receiver: Receiver, bomb: bytes) -> None:
    whole = gzip.compress(b"a" * 1_000)
    refused = {
        "a bomb": (bomb, "gzip", 413),
        "a bomb in a bomb": (gzip.compress(bomb), "gzip", 400),
        "parts without end": (gzip.compress(b"") * 200_000, "gzip", 413),
        "cut off": (whole[:-9], "gzip", 400),
        "not packed": (b"{}", "gzip", 400),
        "packed otherwise": (zlib.compress(b"{}"), "deflate", 415),
        "packed twice": (gzip.compress(whole), "gzip, gzip", 415),
    }
    statuses = {
        name: collector.request(
            "POST",
            receiver.path,
            body,
            headers(receiver, Content_Encoding=encoding),
            port=port(collector, receiver),
        ).status
        for name, (body, encoding, _) in refused.items()
    }
    assert statuses == {name: status for name, (*_, status) in refused.items()}


@every_receiver
@pytest.mark.parametrize("chunked", [False, True], ids=["by length", "chunked"])
def test_a_hundred_megabytes(collector: Collector, receiver: Receiver, *, chunked: bool) -> None:
    """The sender hears why, although it sends all of it before it listens."""

    def body() -> Iterator[bytes]:
        part = b"[" * MEBIBYTE
        yield from (part for _ in range(100))

    length = {} if chunked else {"Content_Length": str(100 * MEBIBYTE)}
    answer = collector.request(
        "POST",
        receiver.path,
        body(),
        headers(receiver, **length),
        port=port(collector, receiver),
    )
    assert answer.status == 413
    if (status := Path(f"/proc/{collector.process.pid}/status")).exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        assert int(line.split()[1]) < 600 * 1024


@pytest.mark.parametrize("line", ["GET /healthz", "GET /", "GET /api/traces", "POST /GetSamplingRules"])
def test_a_body_that_nobody_asked_for_is_not_kept(collector: Collector, line: str) -> None:
    method, path = line.split()
    with_token = {"Authorization": f"Bearer {collector.token}"}
    assert collector.request(method, path, b"x" * 20 * MEBIBYTE, with_token).status == 200


def test_one_slow_sender_does_not_take_all_the_room(collector: Collector) -> None:
    item = {"access_token": "a" * 32, "data": {"environment": "test", "body": {"message": {"body": "a"}}}}
    head = f"POST /api/1/item/ HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\nContent-Length: {MAX_BODY}\r\n"
    with socket.create_connection(("127.0.0.1", collector.port)) as slow:
        slow.sendall(head.encode() + b"\r\n" + b"[" * (MAX_BODY - 1))
        # It has a second; who comes in that time is to try again.
        while not select.select([slow], [], [], 0.02)[0]:
            assert collector.item(item).status in {200, 429}
        assert collector.item(item).status == 200
        answer = b""
        while part := slow.recv(4096):
            answer += part
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"there was no room for it" in answer

"""The receivers with the real clients, and with their faults."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.sampling.connector import ServiceConnector
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from calls import good_call, segment
from receivers import (
    BLACK_HOLE,
    BROKEN,
    HEALTHY,
    PATIENCE,
    REFUSED,
    THROTTLED,
    UNAUTHORIZED,
    AllVendors,
    CloudWatchLogs,
    Fault,
    HttpReceiver,
    OtlpSink,
    RollbarApi,
    XRayDaemon,
    sampling_rule,
    slow,
)

VENDORS = ("honeycomb", "xray", "cloudwatch", "rollbar")
REPORT = """
import rollbar
rollbar.init({token!r}, "testing", endpoint={endpoint!r}, handler="blocking")
rollbar.report_message("Hello World!", "warning")
try:
    1 / 0
except ZeroDivisionError:
    rollbar.report_exc_info()
"""


@pytest.fixture(params=VENDORS)
def receiver(request: pytest.FixtureRequest, everything: AllVendors) -> HttpReceiver:
    return everything.by_name[request.param]


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_otlp_exporter_delivers(compression: Compression) -> None:
    with OtlpSink(key="made-up") as sink:
        headers = {"x-honeycomb-team": "made-up"}
        exporter = OTLPSpanExporter(f"{sink.url}/v1/traces", headers=headers, compression=compression)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("home", attributes={"app.result_length": 3}):
            pass
        provider.shutdown()
    (span,) = sink.inbox.items
    assert span.attributes == {"app.result_length": 3}
    assert sink.counts() == {"spans": 1, "traces": 1}


def test_the_xray_sdk_delivers(xray: XRayDaemon) -> None:
    emitter = UDPEmitter(f"127.0.0.1:{xray.port}")
    sent = Segment("backend-flask")
    sent.put_annotation("url", "/")
    sent.close()
    emitter.send_entity(sent)
    emitter._socket.close()
    (arrived,) = xray.inbox.wait_for(1)
    assert arrived["trace_id"] == sent.trace_id
    assert not xray.inbox.refusals


def test_the_xray_sdks_sampler_gets_rules_and_reports(xray: XRayDaemon) -> None:
    connector = ServiceConnector()
    connector.setup_xray_client("127.0.0.1", xray.port, None)
    assert [rule.name for rule in connector.fetch_sampling_rules()] == ["Default"]
    xray.rules = [sampling_rule("posts", reservoir=7, rate=0.5, service="posts")]
    (rule,) = connector.fetch_sampling_rules()
    rule.increment_request_count()
    rule.increment_request_count()
    rule.increment_sampled_count()
    targets, changed = connector.fetch_sampling_target([rule])
    assert targets["posts"]["quota"] == 7
    assert targets["posts"]["TTL"] > time.time()
    assert changed > time.time() - PATIENCE
    connector._xray_client.close()
    statistics = xray.statistics
    assert (statistics.requests, statistics.sampled, statistics.borrowed) == (2, 1, 0)
    assert [document["RuleName"] for document in statistics.documents] == ["posts"]


def test_boto3_delivers_log_lines(cloudwatch: CloudWatchLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloudwatch.environ.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("logs")  # all it needs is in the environment
    where = {"logGroupName": cloudwatch.group, "logStreamName": "backend/1"}
    client.create_log_stream(**where)
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps({"path": "/ä"})}
    assert "rejectedLogEventsInfo" not in client.put_log_events(**where, logEvents=[event])
    client.close()
    (line,) = cloudwatch.inbox.items
    assert (line.group, line.stream, line.fields) == (cloudwatch.group, "backend/1", {"path": "/ä"})
    assert cloudwatch.calls == {"CreateLogStream": 1, "PutLogEvents": 1}
    assert not cloudwatch.inbox.refusals


def test_pyrollbar_delivers(rollbar_api: RollbarApi) -> None:
    environ = rollbar_api.environ
    code = REPORT.format(token=environ["ROLLBAR_ACCESS_TOKEN"], endpoint=environ["ROLLBAR_ENDPOINT"])
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
    message, trace = rollbar_api.inbox.items
    assert message["body"]["message"]["body"] == "Hello World!"
    assert trace["body"]["trace"]["exception"]["class"] == "ZeroDivisionError"
    assert not rollbar_api.inbox.refusals


def test_refused_means_that_nobody_listens_and_the_port_is_kept(receiver: HttpReceiver) -> None:
    idle = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=PATIENCE)
    idle.request("GET", "/")
    idle.getresponse().read()
    port = receiver.port
    for _ in range(3):
        receiver.fault = REFUSED
        with pytest.raises(ConnectionRefusedError):
            good_call(receiver).send(receiver.port)
        receiver.fault = HEALTHY
        assert receiver.port == port
        assert good_call(receiver).send(receiver.port).status == 200
    assert idle.sock.recv(1) == b""
    idle.close()


def test_a_black_hole_swallows_until_it_is_closed(receiver: HttpReceiver) -> None:
    receiver.fault = BLACK_HOLE
    with pytest.raises(TimeoutError):
        good_call(receiver).send(receiver.port, timeout=0.2)
    with _waiting(receiver) as outcome:
        receiver.fault = HEALTHY
    assert isinstance(outcome[0], ConnectionError)
    assert (receiver.requests, receiver.inbox.count) == (0, 0)
    assert good_call(receiver).send(receiver.port).status == 200


def test_slow_is_late_but_right(receiver: HttpReceiver) -> None:
    receiver.fault = slow(0.3)
    before = time.monotonic()
    assert good_call(receiver).send(receiver.port).status == 200
    assert time.monotonic() - before >= 0.3
    receiver.fault = slow()
    with _waiting(receiver) as outcome:
        receiver.fault = HEALTHY
    assert outcome == [200]
    assert receiver.requests == 2


@pytest.mark.parametrize("fault", [BLACK_HOLE, slow(600)], ids=str)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_fault_does_not_keep_a_receiver_from_ending(vendor: str, fault: Fault) -> None:
    with contextlib.ExitStack() as cleanup:
        receiver = cleanup.enter_context(AllVendors()).by_name[vendor]
        receiver.fault = fault
        with _waiting(receiver) as outcome:
            cleanup.close()
    assert isinstance(outcome[0], ConnectionError)


@contextlib.contextmanager
def _waiting(receiver: HttpReceiver) -> Iterator[list[Any]]:
    """A client that waits for its answer while the block runs; afterwards, what came of it."""
    outcome: list[Any] = []

    def wait() -> None:
        try:
            outcome.append(good_call(receiver).send(receiver.port).status)
        except OSError as error:
            outcome.append(error)

    waiting = threading.Thread(target=wait)
    spoilt = receiver.spoilt.count
    waiting.start()
    receiver.spoilt.wait_for(spoilt + 1)
    yield outcome
    waiting.join(PATIENCE)


FAILURES: dict[tuple[str, Fault], tuple[int, str]] = {
    ("honeycomb", THROTTLED): (429, "rate limiting"),
    ("honeycomb", BROKEN): (500, "internal error"),
    ("honeycomb", UNAUTHORIZED): (401, "unknown API key"),
    ("xray", THROTTLED): (429, "Rate exceeded"),
    ("xray", BROKEN): (500, "Internal failure"),
    ("xray", UNAUTHORIZED): (403, "security token"),
    ("cloudwatch", THROTTLED): (400, '"ThrottlingException"'),
    ("cloudwatch", BROKEN): (500, '"InternalFailure"'),
    ("cloudwatch", UNAUTHORIZED): (400, '"UnrecognizedClientException"'),
    ("rollbar", THROTTLED): (429, '{"err": 1, "message": "Over rate limit.'),
    ("rollbar", BROKEN): (500, '{"err": 1, '),
    ("rollbar", UNAUTHORIZED): (403, '{"err": 1, "message": "access token not found'),
}


@pytest.mark.parametrize(("vendor", "fault"), FAILURES, ids=str)
def test_each_vendor_fails_in_its_own_words(everything: AllVendors, vendor: str, fault: Fault) -> None:
    receiver = everything.by_name[vendor]
    receiver.fault = fault
    answer = good_call(receiver).send(receiver.port)
    status, text = FAILURES[vendor, fault]
    assert answer.status == status
    assert text in answer.body.decode()
    assert ("Retry-After" in answer.headers) == ((vendor, fault) == ("honeycomb", THROTTLED))
    assert (receiver.requests, receiver.inbox.count, receiver.inbox.refusals) == (0, 0, {})


def test_segments_fall_into_a_black_hole_and_are_refused_by_a_closed_port(xray: XRayDaemon) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", xray.port))
        for fault, name in ((BLACK_HOLE, "lost"), (THROTTLED, "kept"), (HEALTHY, "kept too")):
            xray.fault = fault
            client.send(b'{"format": "json", "version": 1}\n' + json.dumps(segment(name=name)).encode())
        assert [arrived["name"] for arrived in xray.inbox.wait_for(2)] == ["kept", "kept too"]
        xray.fault = REFUSED
        client.send(b"first")
        with pytest.raises(ConnectionRefusedError):
            client.send(b"second")

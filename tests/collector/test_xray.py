from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.conftest import Collector, Made, Starter

HEADER = b'{"format":"json","version":1}\n'

CLIENT = """
import json, sys, time
from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(service="backend-flask", daemon_address=sys.argv[1], sampling=True)
sampler = xray_recorder.sampler
sampler.start()
deadline = time.monotonic() + 30
while not sampler._cache.last_updated:
    assert time.monotonic() < deadline, "no sampling rules came"
    time.sleep(0.01)

trace_ids = []
for number in range(50):
    segment = xray_recorder.begin_segment("backend-flask")
    trace_ids.append(segment.trace_id)
    with xray_recorder.in_subsegment("user_activities") as outer:
        with xray_recorder.in_subsegment("mock-data") as inner:
            inner.put_annotation("result_size", number)
            inner.put_metadata("now", {"at": "2026-01-02"}, "user_activities")
    xray_recorder.end_segment()

targets, changed = sampler._connector.fetch_sampling_target(sampler._cache.rules)

long = xray_recorder.begin_segment("backend-flask")
for number in range(60):
    xray_recorder.begin_subsegment(f"part-{number}")
    xray_recorder.end_subsegment()
xray_recorder.end_segment()
print(json.dumps({"trace_ids": trace_ids, "targets": targets, "changed": changed, "long": long.trace_id}))
"""


@pytest.fixture(scope="module")
def sent(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the real SDK says that it has sent, in a process of its own: its recorder is global."""
    home: Path = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, collector.daemon],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_our_rule_makes_the_real_sdk_sample_every_request(collector: Collector, sent: Any) -> None:
    for trace_id in sent["trace_ids"]:
        [segment] = collector.trace(trace_id, segments=1)["segments"]
        assert segment["aws"]["xray"]["sampling_rule_name"] == "Default"


def test_the_real_sdks_subsegments_annotations_and_metadata(collector: Collector, sent: Any) -> None:
    trace = collector.trace(sent["trace_ids"][7], segments=1)
    assert trace["xray_trace_id"] == sent["trace_ids"][7]
    [segment] = trace["segments"]
    [outer] = segment["subsegments"]
    [inner] = outer["subsegments"]
    assert (segment["name"], outer["name"], inner["name"]) == (
        "backend-flask",
        "user_activities",
        "mock-data",
    )
    assert inner["annotations"] == {"result_size": 7}
    assert inner["metadata"] == {"user_activities": {"now": {"at": "2026-01-02"}}}


def test_the_real_sdk_reads_our_targets(sent: Any) -> None:
    assert sent["targets"] == {"Default": {"rate": 1.0, "quota": None, "TTL": None, "interval": 10}}
    assert sent["changed"] == 0


def test_subsegments_that_the_real_sdk_streams_find_their_segment(collector: Collector, sent: Any) -> None:
    def whole() -> bool:
        trace = collector.trace(sent["long"], segments=1)
        names = {part["name"] for part in trace["segments"][0].get("subsegments", [])}
        return names == {f"part-{number}" for number in range(60)} and len(trace["segments"]) == 1

    collector.eventually(whole)


def test_a_running_segment_is_replaced_by_the_finished_one(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    finished = made.segment(trace_id, http={"response": {"status": 200}})
    running = {key: value for key, value in finished.items() if key != "end_time"} | {"in_progress": True}
    collector.send_segment(running)
    assert collector.trace(trace_id, segments=1)["segments"][0]["in_progress"]
    collector.send_segment(finished)
    collector.eventually(lambda: collector.trace(trace_id, segments=1)["segments"] == [finished])


def test_the_header_is_judged_as_the_daemon_does(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    document = json.dumps(made.segment(trace_id)).encode()
    collector.send(b'{"version": 1, "format": "JSON", "more": null}\n' + document)
    assert collector.trace(trace_id, segments=1)["segments"]


def test_numbers_of_any_size_are_kept(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    numbers = {"numbers": [2**63, -(2**63), 2**64, 10**300, 0.1]}
    collector.send_segment(made.segment(trace_id, metadata=numbers))
    assert collector.trace(trace_id, segments=1)["segments"][0]["metadata"] == numbers


def test_spans_and_segments_of_one_request_are_one_trace(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    collector.post_json(made.export(made.span(trace_id)))
    collector.send_segment(made.segment(trace_id, name="billing"))
    collector.trace(trace_id, spans=1, segments=1)
    [summary] = [one for one in collector.read("/api/traces").json()["traces"] if one["trace_id"] == trace_id]
    assert summary["services"] == ["backend-flask", "billing"]
    assert (summary["span_count"], summary["segment_count"]) == (1, 1)


SEGMENT = b'{"name":"a","id":"aaaaaaaaaaaaaaaa","trace_id":"1-11111111-111111111111111111111111",%s}'
DEEP = b"[" * 300 + b"]" * 300
MALFORMED = {
    "nothing": b"",
    "no header": b'{"name": "a"}',
    "only a header": HEADER,
    "another format": b'{"format":"xml","version":1}\n{}',
    "another version": b'{"format":"json","version":2}\n{}',
    "header as a list": b"[]\n{}",
    "header nested without end": b"[" * 60_000 + b"\n{}",
    "no segment": HEADER + b"{}",
    "cut off": HEADER + b'{"name": "a", "id"',
    "not UTF-8": HEADER + b"\xff\xfe",
    "nested without end": HEADER + b'{"a":' * 9_000,
    "a number that no clock shows": HEADER + SEGMENT % b'"start_time":1e308',
    "metadata nested too deep": HEADER
    + SEGMENT % (b'"start_time":1,"end_time":2,"metadata":{"a":%s}' % DEEP),
    "the largest datagram": HEADER + b" " * (65_507 - len(HEADER)),
}


@pytest.mark.parametrize("datagram", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_datagram_is_counted_and_dropped(collector: Collector, datagram: bytes) -> None:
    before = collector.received("xray", "invalid")
    collector.send(datagram)
    collector.eventually(lambda: collector.received("xray", "invalid") == before + 1)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200) | st.binary(max_size=200).map(HEADER.__add__), max_size=10))
def test_any_datagrams_leave_the_inlet_working(collector: Collector, datagrams: list[bytes]) -> None:
    before = collector.received("xray", "invalid")
    collector.send(*datagrams)
    collector.eventually(lambda: collector.received("xray", "invalid") == before + len(datagrams))


def test_many_segments_are_stored_whole(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    for sent in range(100, 1_001, 100):
        for _ in range(50):
            collector.send_segment(made.segment(trace_id, metadata={"default": {"text": "x" * 500}}))
            collector.send_segment(made.segment(trace_id))
        # No more at once than a small kernel buffer holds, however late the collector gets its turn.
        collector.trace(trace_id, segments=sent)
    assert len(collector.trace(trace_id, segments=1_000)["segments"]) == 1_000


def statistics(rule: str) -> dict[str, Any]:
    """What a sampler did with a rule."""
    times = {"Timestamp": 1_700_000_000, "RequestCount": 1, "SampledCount": 1}
    return {"RuleName": rule, "ClientID": "a" * 24, **times}


TARGETS = {
    "not JSON": (b"{", 400),
    "not UTF-8": (b"\xff", 400),
    "nothing": (b"", 400),
    "a list": (b"[]", 400),
    "no documents": (b"{}", 400),
    "documents as text": (b'{"SamplingStatisticsDocuments": "a"}', 400),
    "no rule name": (b'{"SamplingStatisticsDocuments": [{}]}', 400),
    "a rule name alone": (b'{"SamplingStatisticsDocuments": [{"RuleName": "Default"}]}', 400),
    "too many": (json.dumps({"SamplingStatisticsDocuments": [statistics("Default")] * 26}).encode(), 400),
    "a long name": (json.dumps({"SamplingStatisticsDocuments": [statistics("n" * 33)]}).encode(), 400),
    "as many as may be": (
        json.dumps({"SamplingStatisticsDocuments": [statistics("n" * 32)] * 25}).encode(),
        200,
    ),
    "nothing to report": (b'{"SamplingStatisticsDocuments": []}', 200),
}


@pytest.mark.parametrize(("body", "status"), TARGETS.values(), ids=TARGETS.keys())
def test_sampling_targets_asked_wrongly(collector: Collector, body: bytes, status: int) -> None:
    answer = collector.request("POST", "/SamplingTargets", body, port=collector.daemon_port)
    assert answer.status == status


def test_an_unknown_rule_gets_no_target(collector: Collector) -> None:
    documents = [statistics("Other"), statistics("Default")]
    body = json.dumps({"SamplingStatisticsDocuments": documents}).encode()
    answer = collector.request("POST", "/SamplingTargets", body, port=collector.daemon_port).json()
    assert [target["RuleName"] for target in answer["SamplingTargetDocuments"]] == ["Default"]
    assert [unknown["RuleName"] for unknown in answer["UnprocessedStatistics"]] == ["Other"]


def test_the_daemons_port_reads_nothing_back(collector: Collector) -> None:
    path = f"/api/traces?token={collector.token}"
    assert collector.request("GET", path, port=collector.daemon_port).status == 404


def test_a_flood_is_bounded_counted_and_does_not_hold_up_the_end(
    start_collector: Starter, made: Made
) -> None:
    collector = start_collector()
    large = made.segment(made.trace_id(), metadata={"a": {str(n): {"b": [n]} for n in range(2_500)}})
    datagram = HEADER + json.dumps(large).encode()
    assert 40_000 < len(datagram) < 65_000

    def dropped() -> bool:
        collector.send(*[datagram] * 500)
        return collector.received("xray", "dropped") > 0

    collector.eventually(dropped)
    start = time.monotonic()
    output, complaint = collector.stop()
    # Under two seconds on an idle machine; a queue of this size takes many times as long.
    assert time.monotonic() - start < 15
    assert output == "returned\n"
    assert "X-Ray segments that had arrived are lost" in complaint
    assert complaint.count("\n") == 1

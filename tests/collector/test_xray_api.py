"""The X-Ray API that the daemon delivers to, as AWS's own client sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Made


@pytest.fixture(scope="module")
def xray(collector: Collector) -> Any:
    return boto3.client(
        "xray",
        endpoint_url=collector.url,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_segments_are_stored_as_those_of_the_inlet(collector: Collector, xray: Any, made: Made) -> None:
    trace_id = made.trace_id()
    documents = [made.segment(trace_id, annotations={"n": number}) for number in range(50)]
    before = collector.received("xray", "stored")
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(one) for one in documents])
    assert answer["UnprocessedTraceSegments"] == []
    # They are there at once: the answer comes after the commit.
    segments = collector.read(f"/api/traces/{trace_id}").json()["segments"]
    assert sorted(segments, key=lambda one: one["annotations"]["n"]) == documents
    assert collector.received("xray", "stored") == before + 50


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": None}, "MissingId"),
    "a bad id": ({"id": "g" * 16}, "InvalidId"),
    "no name": ({"name": ""}, "MissingName"),
    "a long name": ({"name": "n" * 201}, "InvalidName"),
    "a name with other signs": ({"name": "SELECT *"}, "InvalidName"),
    "too large": ({"metadata": {"a": "x" * 65_536}}, "ParseError"),
    "no trace id": ({"trace_id": None}, "MissingTraceId"),
    "a bad trace id": ({"trace_id": "1-2-3"}, "InvalidTraceId"),
    "W3C's trace id": ({"trace_id": "a" * 32}, "InvalidTraceId"),
    "no start": ({"start_time": None}, "ParseError"),
    "no end": ({"end_time": None}, "ParseError"),
}


@pytest.mark.parametrize(("change", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_document_is_named_and_costs_no_other(
    collector: Collector, xray: Any, made: Made, change: dict[str, Any], code: str
) -> None:
    trace_id = made.trace_id()
    good, bad = made.segment(trace_id), {**made.segment(trace_id), **change}
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(bad), json.dumps(good)])
    [unprocessed] = answer["UnprocessedTraceSegments"]
    assert unprocessed["ErrorCode"] == code
    assert unprocessed["Message"] == f"Invalid segment. ErrorCode: {code}"
    assert unprocessed.get("Id") == (bad["id"] if "id" not in change else None)
    assert collector.read(f"/api/traces/{trace_id}").json()["segments"] == [good]


@pytest.mark.parametrize("document", ["", "{", "[]", "7", "\x00", '{"a":' * 9_000, "[" * 9_000])
def test_a_document_that_is_none(xray: Any, document: str) -> None:
    answer = xray.put_trace_segments(TraceSegmentDocuments=[document])
    assert answer["UnprocessedTraceSegments"] == [
        {"ErrorCode": "ParseError", "Message": "Invalid segment. ErrorCode: ParseError"}
    ]


def test_a_subsegment_is_called_one(xray: Any, made: Made) -> None:
    bad = made.segment(made.trace_id(), type="subsegment", parent_id="a" * 16, name="")
    [unprocessed] = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(bad)])[
        "UnprocessedTraceSegments"
    ]
    assert unprocessed["Message"] == "Invalid subsegment. ErrorCode: MissingName"


def test_a_bad_subsegment_costs_its_segment(xray: Any, made: Made) -> None:
    inner = {"id": "b" * 16, "name": "a?", "start_time": 1.0, "end_time": 2.0}
    bad = made.segment(made.trace_id(), subsegments=[{**inner, "name": "a", "subsegments": [inner]}])
    [unprocessed] = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(bad)])[
        "UnprocessedTraceSegments"
    ]
    assert unprocessed == {
        "Id": "b" * 16,
        "ErrorCode": "InvalidName",
        "Message": "Invalid subsegment. ErrorCode: InvalidName",
    }


def test_so_many_segments_at_once_and_no_more(xray: Any, made: Made) -> None:
    documents = [json.dumps(made.segment(made.trace_id())) for _ in range(50)]
    assert xray.put_trace_segments(TraceSegmentDocuments=documents)["UnprocessedTraceSegments"] == []
    with pytest.raises(ClientError, match="maximum segment count: 50") as caught:
        xray.put_trace_segments(TraceSegmentDocuments=[*documents, documents[0]])
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_telemetry_records_are_taken(xray: Any) -> None:
    xray.put_telemetry_records(
        TelemetryRecords=[
            {
                "Timestamp": 1_700_000_000,
                "SegmentsReceivedCount": 7,
                "BackendConnectionErrors": {"OtherCount": 0},
            }
        ],
        Hostname="made-up",
    )


def test_rules_and_targets_are_those_of_the_inlet(xray: Any) -> None:
    [record] = xray.get_sampling_rules()["SamplingRuleRecords"]
    assert record["SamplingRule"]["FixedRate"] == 1.0
    statistics = {
        "RuleName": "Default",
        "ClientID": "a" * 24,
        "Timestamp": 1_700_000_000,
        "RequestCount": 1,
        "SampledCount": 1,
    }
    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[statistics])
    assert answer["SamplingTargetDocuments"][0]["FixedRate"] == 1.0


@pytest.mark.parametrize("path", ["/TraceSegments", "/TelemetryRecords", "/SamplingTargets"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"TraceSegmentDocuments": [1]}'])
def test_a_wrong_call(collector: Collector, path: str, body: bytes) -> None:
    answer = collector.request("POST", path, body)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestException")
    assert answer.json()["Message"]


def test_the_daemons_port_takes_segments_over_udp_alone(collector: Collector) -> None:
    answer = collector.request("POST", "/TraceSegments", b"{}", port=collector.daemon_port)
    assert answer.status == 404

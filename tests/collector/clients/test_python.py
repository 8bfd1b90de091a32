"""What six SDKs for Python send of one request, each told where to by its documented setting alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Made

SEND = """
import json, logging, os, sys, time

import boto3, rollbar, watchtower
from aws_xray_sdk.core import xray_recorder
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

trace_id = sys.argv[1]
root = f"1-{trace_id[:8]}-{trace_id[8:]}"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
caller = trace.SpanContext(int(trace_id, 16), 7, is_remote=True, trace_flags=trace.TraceFlags(1))
parent = trace.set_span_in_context(trace.NonRecordingSpan(caller))
with provider.get_tracer("clients").start_as_current_span("by OpenTelemetry", parent):
    pass
provider.shutdown()

xray_recorder.configure(service="python-web", sampling=True)
segment = xray_recorder.begin_segment("python-web", traceid=root, sampling=1)
segment.put_annotation("user", 7)
with xray_recorder.in_subsegment("by X-Ray"):
    pass
xray_recorder.end_segment()

now = time.time()
document = {"name": "python-batch", "id": "00f067aa0ba902b7", "trace_id": root}
document |= {"start_time": now, "end_time": now}
answer = boto3.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
assert answer["UnprocessedTraceSegments"] == []

fields = {"trace_id": trace_id, "service": "python-web"}
logs = boto3.client("logs")
logs.create_log_stream(logGroupName="cruddur", logStreamName=trace_id)
event = {"timestamp": int(now * 1000), "message": json.dumps({"message": "by boto3", **fields})}
logs.put_log_events(logGroupName="cruddur", logStreamName=trace_id, logEvents=[event])

logger = logging.getLogger("clients")
logger.setLevel(logging.INFO)
logger.propagate = False
handler = watchtower.CloudWatchLogHandler(
    log_group_name="cruddur", log_stream_name=f"w-{trace_id}", create_log_group=False, boto3_client=logs
)
logger.addHandler(handler)
logger.info({"message": "by watchtower", **fields})
handler.close()

rollbar.init("0" * 32, "test", endpoint=os.environ["ROLLBAR_ENDPOINT"], handler="blocking")
try:
    raise LookupError("by pyrollbar")
except LookupError:
    rollbar.report_exc_info(extra_data=fields)
rollbar.wait()
"""


def test_one_request_by_six_sdks_is_one_trace(collector: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "python-web",
        "AWS_XRAY_DAEMON_ADDRESS": collector.daemon,
        "AWS_ENDPOINT_URL_XRAY": collector.url,
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": collector.url,
        "ROLLBAR_ENDPOINT": f"{collector.url}/api/1/",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    done = subprocess.run(
        [sys.executable, "-c", SEND, trace_id],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    trace = collector.trace(trace_id, spans=1, segments=2, logs=2, items=1)
    assert [span["name"] for span in trace["spans"]] == ["by OpenTelemetry"]
    segments = {segment["name"]: segment for segment in trace["segments"]}
    assert segments.keys() == {"python-web", "python-batch"}
    assert segments["python-web"]["annotations"] == {"user": 7}
    assert [part["name"] for part in segments["python-web"]["subsegments"]] == ["by X-Ray"]
    assert sorted(line["fields"]["message"] for line in trace["logs"]) == ["by boto3", "by watchtower"]
    assert [item["title"] for item in trace["items"]] == ["LookupError: by pyrollbar"]
    [summary] = collector.read(f"/api/traces?q={trace_id}").json()["traces"]
    assert summary["services"] == ["python-batch", "python-web"]
    assert "0" * 32 not in json.dumps(trace["items"])

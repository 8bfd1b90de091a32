"""One text in every field that senders can fill, through every receiver."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

if TYPE_CHECKING:
    from tests.collector.conftest import Collector, Made

ROLLBAR_TOKEN = "made-up-token-of-rollbar"


def send_everywhere(collector: Collector, made: Made, text: str) -> str:
    """Send it, and wait until all is stored; the id of the trace that it belongs to.

    Half a surrogate pair goes only where it is taken: into log lines and items.
    """
    trace_id, given = made.trace_id(), text
    text = given.encode(errors="replace").decode()
    assert collector.post_json(_export(made, trace_id, text)).status == 200
    protobuf = {"Content-Type": "application/x-protobuf"}
    assert collector.request("POST", "/v1/traces", _protobuf(trace_id, text), protobuf).status == 200
    segment = _segment(made, trace_id, text)
    collector.send_segment(segment)
    documents = {"TraceSegmentDocuments": [json.dumps({**segment, "id": "a" * 16}), text]}
    answer = collector.request("POST", "/TraceSegments", json.dumps(documents).encode())
    assert len(answer.json()["UnprocessedTraceSegments"]) == 1
    _log(collector, trace_id, given)
    item = {"access_token": ROLLBAR_TOKEN, "data": _item(trace_id, given)}
    assert collector.item(item, X_Rollbar_Access_Token=text_of_a_header(text)).status == 200
    collector.trace(trace_id, spans=2, segments=2, logs=1, items=1)
    return trace_id


def text_of_a_header(text: str) -> str:
    """As much of it as HTTP lets through."""
    return re.sub(r"[^\x21-\x7e]", "", text) or "a"


def _value(text: str) -> dict[str, Any]:
    return {"stringValue": text}


def _attributes(text: str) -> list[dict[str, Any]]:
    pairs = [{"key": text, "value": _value(text)}]
    nested = [_value(text), {"kvlistValue": {"values": pairs}}]
    return [
        *pairs,
        {"key": "list", "value": {"arrayValue": {"values": nested}}},
        {"key": "bytes", "value": {"bytesValue": base64.b64encode(text.encode()).decode()}},
        {"key": "http.request.header.authorization", "value": _value(text)},
        {"key": "url.full", "value": _value(f"https://shop.example.test/?q={text}")},
    ]


def _export(made: Made, trace_id: str, text: str) -> dict[str, Any]:
    attributes = _attributes(text)
    raised = {"exception.type": text, "exception.message": text, "exception.stacktrace": text}
    exception = [{"key": name, "value": _value(each)} for name, each in raised.items()]
    events = [
        {"name": text, "timeUnixNano": str(time.time_ns()), "attributes": attributes},
        {"name": "exception", "timeUnixNano": str(time.time_ns()), "attributes": exception},
    ]
    span = made.span(trace_id, name=text, traceState=text, attributes=attributes, events=events)
    span["links"] = [{"traceId": trace_id, "spanId": "a" * 16, "traceState": text, "attributes": attributes}]
    span["status"] = {"code": 2, "message": text}
    scope = {"name": text, "version": text, "attributes": attributes}
    resource = {"attributes": [{"key": "service.name", "value": _value(text)}, *attributes]}
    scopes = [{"scope": scope, "schemaUrl": text, "spans": [span]}]
    return {"resourceSpans": [{"resource": resource, "schemaUrl": text, "scopeSpans": scopes}]}


def _protobuf(trace_id: str, text: str) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attribute = KeyValue(key=text, value=AnyValue(string_value=text))
    resource.resource.attributes.append(attribute)
    span = resource.scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex(trace_id), b"\x01" * 8
    span.name = span.trace_state = text
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    span.attributes.append(attribute)
    body: bytes = request.SerializeToString()
    return body


def _segment(made: Made, trace_id: str, text: str) -> dict[str, Any]:
    # All that X-Ray takes in a name.
    name = re.sub(r"[^\w\s.:/%&#=+\\\-@]", "", text)[:200] or "a"
    stack = [{"path": text, "line": 1, "label": text}]
    exception = {"id": "b" * 16, "type": text, "message": text, "stack": stack}
    cause = {"working_directory": text, "paths": [text], "exceptions": [exception]}
    now = time.time()
    inner = {"id": "c" * 16, "name": name, "start_time": now - 0.005, "end_time": now, "namespace": text}
    return made.segment(
        trace_id,
        name=name,
        user=text,
        origin=text,
        annotations={text: text},
        metadata={text: {text: [text]}},
        http={"request": {"method": text, "url": text, "user_agent": text, "client_ip": text}},
        aws={text: text},
        service={"version": text},
        fault=True,
        cause=cause,
        subsegments=[{**inner, "sql": {"url": text, "sanitized_query": text}, "cause": cause}],
    )


def _log(collector: Collector, trace_id: str, text: str) -> None:
    group = re.sub(r"[^.\-_/#A-Za-z0-9]", "", text)[:512] or "a"
    stream = re.sub(r"[:*]", "", text)[:512] or "a"
    collector.logs("CreateLogGroup", {"logGroupName": group})
    collector.logs("CreateLogStream", {"logGroupName": group, "logStreamName": stream})
    fields = {text: [text, {text: text}], "message": text, "level": text, "service": text, "logger": text}
    messages = [text, json.dumps({**fields, "trace_id": trace_id, "span_id": text})]
    events = [{"timestamp": time.time_ns() // 1_000_000, "message": each} for each in messages]
    body = {"logGroupName": group, "logStreamName": stream, "logEvents": events}
    assert collector.logs("PutLogEvents", body).status == 200


def _item(trace_id: str, text: str) -> dict[str, Any]:
    frame = {
        "filename": text,
        "lineno": 3,
        "method": text,
        "code": text,
        "context": {"pre": [text], "post": [text]},
        "locals": {text: text},
        "args": [text],
    }
    request = {"url": text, "method": text, "headers": {text: text}, "GET": {text: text}, "body": text}
    exception = {"class": text, "message": text, "description": text}
    return {
        "environment": text[:255],
        "uuid": text[:36],
        "title": text,
        "code_version": text,
        "context": text,
        "fingerprint": text,
        "framework": text,
        "language": text,
        text: text,
        "person": {"id": text, "email": text},
        "server": {"host": text, "root": text},
        "custom": {"service": text, "trace_id": trace_id, text: text},
        "request": {**request, "headers": {text: text, "Authorization": text}},
        "body": {"trace": {"frames": [frame], "exception": exception}},
    }

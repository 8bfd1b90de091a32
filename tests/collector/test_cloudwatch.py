"""The CloudWatch Logs API as its real clients see it, and what it refuses."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.collector.receiving.log_events import MAX_BATCH, MAX_EVENTS, OVERHEAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.conftest import Collector, Made, Starter

GROUP = "cruddur"
DAY = 86_400_000
OPERATIONS = [
    *("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"),
    *("PutRetentionPolicy", "DeleteRetentionPolicy", "PutLogEvents", "FilterLogEvents", "GetLogEvents"),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["logGroupName", "logStreamName", "logEvents", "limit", "nextToken", "message"]),
            inner,
        )
    ),
    max_leaves=9,
)


def aws_client(service: str, collector: Collector) -> Any:
    return boto3.client(
        service,
        endpoint_url=collector.url,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        aws_session_token=collector.token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def logs(collector: Collector) -> Any:
    return aws_client("logs", collector)


@pytest.fixture
def stream(logs: Any) -> str:
    """A new stream of the group that was there from the start."""
    name = f"backend-flask/{secrets.token_hex(4)}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
    return name


def now() -> int:
    return int(time.time() * 1000)


def put(logs: Any, stream: str, *messages: str, at: int | None = None, group: str = GROUP) -> Any:
    events = [{"timestamp": at or now(), "message": message} for message in messages]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def found(logs: Any, stream: str, pattern: str = "", **more: Any) -> list[str]:
    paginator = logs.get_paginator("filter_log_events")
    pages = paginator.paginate(logGroupName=GROUP, logStreamNames=[stream], filterPattern=pattern, **more)
    return [event["message"] for page in pages for event in page["events"]]


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["Error"]["Message"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_lines_are_joined_with_their_trace(collector: Collector, logs: Any, stream: str, made: Made) -> None:
    trace_id = made.trace_id()
    line = {"level": "INFO", "message": "home", "service": "backend-flask", "trace_id": trace_id}
    at = now()
    assert "rejectedLogEventsInfo" not in put(logs, stream, json.dumps(line), at=at)
    collector.post_json(made.export(made.span(trace_id)))
    trace = collector.read(f"/api/traces/{trace_id}").json()
    assert len(trace["spans"]) == 1
    [kept] = trace["logs"]
    assert kept.pop("timestamp").startswith(time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(at / 1000)))
    assert kept == {
        "trace_id": trace_id,
        "group": GROUP,
        "stream": stream,
        "service": "backend-flask",
        "message": json.dumps(line),
        "fields": line,
    }


@pytest.mark.parametrize("name", ["trace_id", "traceId", "otelTraceID"])
def test_a_trace_that_only_a_line_knows_is_found(
    collector: Collector, logs: Any, stream: str, made: Made, name: str
) -> None:
    trace_id = made.trace_id()
    put(logs, stream, json.dumps({name: trace_id}))
    for form in (trace_id, f"1-{trace_id[:8]}-{trace_id[8:]}"):
        trace = collector.read(f"/api/traces/{form}").json()
        assert (trace["spans"], trace["segments"], len(trace["logs"])) == ([], [], 1)
    listed = {each["trace_id"]: each for each in collector.read("/api/traces?limit=1000").json()["traces"]}
    assert (listed[trace_id]["name"], listed[trace_id]["duration_ms"]) == (json.dumps({name: trace_id}), None)


TEXTS = {
    "plain": "GET /api 200",
    "not an object": '["trace_id"]',
    "cut off": '{"trace_id": ',
    "no trace id": '{"trace_id": 7, "service": ["a"]}',
    "control characters": "\x00\x1b[2J\r\n\u2028<script>",
    "half a surrogate pair": '{"a": "\\ud800"}',
    "not JSON's numbers": '{"a": NaN}',
    "beyond the basic plane": "\N{GRINNING FACE}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_any_text_is_kept_as_it_is(collector: Collector, logs: Any, stream: str, text: str) -> None:
    put(logs, stream, text)
    assert found(logs, stream) == [text]
    kept = next(line for line in collector.read("/api/logs").json()["logs"] if line["stream"] == stream)
    assert (kept["message"], kept["trace_id"], kept["service"]) == (text, None, None)


def test_half_a_surrogate_pair_costs_no_trace_id(
    collector: Collector, logs: Any, stream: str, made: Made
) -> None:
    trace_id = made.trace_id()
    put(logs, stream, json.dumps({"odd": "a\ud800b", "trace_id": trace_id}))
    [line] = collector.read(f"/api/traces/{trace_id}").json()["logs"]
    assert line["fields"]["odd"] == "a?b"


def test_half_a_surrogate_pair_in_a_message_is_taken(collector: Collector, logs: Any, stream: str) -> None:
    events = [{"timestamp": now(), "message": "a\ud800b"}]
    body = {"logGroupName": GROUP, "logStreamName": stream, "logEvents": events}
    assert collector.logs("PutLogEvents", body).status == 200
    assert found(logs, stream) == ["a?b"]


def test_the_latest_lines_of_one_service_and_trace(
    collector: Collector, logs: Any, stream: str, made: Made
) -> None:
    trace_id, service, at = made.trace_id(), secrets.token_hex(4), now()
    for number in range(3):
        line = {"n": number, "service": service, "trace_id": trace_id}
        put(logs, stream, json.dumps(line), at=at - number)
    put(logs, stream, json.dumps({"n": 9, "service": "other", "trace_id": trace_id}))

    def numbers(query: str) -> list[int]:
        return [line["fields"]["n"] for line in collector.read(f"/api/logs?{query}").json()["logs"]]

    assert numbers(f"service={service}") == [0, 1, 2]
    assert numbers(f"service={service}&limit=2") == [0, 1]
    assert sorted(numbers(f"trace_id={trace_id}")) == [0, 1, 2, 9]
    assert numbers(f"trace_id={trace_id}&service={service}&limit=1") == [0]
    assert numbers("service=nobody") == []
    for bad in ("limit=0", "trace_id=nonsense"):
        assert collector.read(f"/api/logs?{bad}").status == 400
    assert collector.request("GET", "/api/logs").status == 401


def test_groups_and_streams_are_made_once(logs: Any) -> None:
    group = f"made/{secrets.token_hex(4)}"
    assert refused(logs.create_log_stream, logGroupName=group, logStreamName="a") == (
        "ResourceNotFoundException",
        400,
    )
    logs.create_log_group(logGroupName=group)
    exists = ("ResourceAlreadyExistsException", 400)
    assert refused(logs.create_log_group, logGroupName=group) == exists
    logs.create_log_stream(logGroupName=group, logStreamName="b")
    assert refused(logs.create_log_stream, logGroupName=group, logStreamName="b") == exists
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        put(logs, "missing", "text", group=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        put(logs, "missing", "text", group="nowhere")

    logs.create_log_stream(logGroupName=group, logStreamName="a")
    at = now()
    put(logs, "b", "text", at=at, group=group)
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["a", "b"]
    assert (streams[1]["firstEventTimestamp"], streams[1]["lastEventTimestamp"]) == (at, at)
    assert "lastEventTimestamp" not in streams[0]
    latest = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
    assert [stream["logStreamName"] for stream in latest["logStreams"]] == ["b"]


def test_lists_come_in_pages(logs: Any) -> None:
    prefix = f"pages/{secrets.token_hex(4)}"
    names = [f"{prefix}/{number}" for number in range(5)]
    for name in names:
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName=names[0], logStreamName=name)
    groups = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 2}
    )
    assert [group["logGroupName"] for page in groups for group in page["logGroups"]] == names
    streams = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=names[0], logStreamNamePrefix=prefix, PaginationConfig={"PageSize": 2}
    )
    assert [stream["logStreamName"] for page in streams for stream in page["logStreams"]] == names
    by_part = logs.describe_log_groups(logGroupNamePattern=prefix[6:])["logGroups"]
    assert len(by_part) == 5
    assert refused(logs.describe_log_groups, nextToken="made-up")[0] == "InvalidParameterException"


def test_retention_is_kept_and_counts(logs: Any) -> None:
    group = f"kept/{secrets.token_hex(4)}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="a")
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    [described] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7
    events = [{"timestamp": now() - 8 * DAY, "message": "old"}, {"timestamp": now(), "message": "new"}]
    answer = logs.put_log_events(logGroupName=group, logStreamName="a", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert refused(logs.put_retention_policy, logGroupName=group, retentionInDays=8)[0] == (
        "InvalidParameterException"
    )
    assert refused(logs.put_retention_policy, logGroupName="nowhere", retentionInDays=7)[0] == (
        "ResourceNotFoundException"
    )


def test_what_is_too_old_or_too_new_is_rejected_and_the_rest_kept(logs: Any, stream: str) -> None:
    times = [now() - 15 * DAY, now() - 1_000, now(), now() + DAY, now() * 1_000_000]
    events = [{"timestamp": at, "message": str(number)} for number, at in enumerate(times)]
    answer = logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3}
    assert found(logs, stream) == ["1", "2"]


def events(*times: int, message: str = "text") -> list[dict[str, Any]]:
    return [{"timestamp": at, "message": message} for at in times]


BATCHES: dict[str, Any] = {
    "not in order": lambda: events(now(), now() - 1),
    "over more than a day": lambda: events(now() - DAY - 60_000, now()),
    "an event too large": lambda: events(now(), message="x" * (MAX_BATCH - OVERHEAD + 1)),
    "too large together": lambda: events(now(), now(), message="x" * (MAX_BATCH // 2)),
    "too large in UTF-8": lambda: events(now(), message="\xe4" * (MAX_BATCH // 2)),
    "too many": lambda: events(*[now()] * (MAX_EVENTS + 1)),
    "none": list,
    "empty": lambda: events(now(), message=""),
    "no message": lambda: [{"timestamp": now()}],
    "a negative time": lambda: events(-1),
    "a time as text": lambda: [{"timestamp": "now", "message": "text"}],
    "not a list": dict,
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES.keys())
def test_a_batch_that_the_service_refuses(collector: Collector, logs: Any, stream: str, batch: Any) -> None:
    answer = collector.logs(
        "PutLogEvents", {"logGroupName": GROUP, "logStreamName": stream, "logEvents": batch()}
    )
    assert (answer.status, answer.json()["__type"]) == (400, "InvalidParameterException")
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert found(logs, stream) == []


def test_the_largest_event_is_taken(logs: Any, stream: str) -> None:
    largest = "x" * (MAX_BATCH - OVERHEAD)
    put(logs, stream, largest)
    put(logs, stream, *["y"] * MAX_EVENTS)
    lines = found(logs, stream)
    assert (len(lines), lines[0] == largest) == (MAX_EVENTS + 1, True)


PATTERNS = {
    "": [0, 1, 2, 3],
    "home": [0, 1],
    "home INFO": [0],
    "home -INFO": [1],
    "?served ?search": [2, 3],
    '"GET /api"': [2],
    "{ $.status = 500 }": [2],
    "{ $.status != 500 }": [0],
    '{ $.http.path = "/api/*" && $.status = 200 }': [0],
    '{ $.level = "INFO" }': [0],
    '{ $.http.path = "/API/*" }': [],
    '{ $.missing = "*" }': [],
}


def test_patterns_find_lines(logs: Any, stream: str) -> None:
    lines = [
        json.dumps({"level": "INFO", "message": "home", "status": 200, "http": {"path": "/api/home"}}),
        "WARN home",
        json.dumps({"message": "GET /api served", "status": 500}),
        "search",
    ]
    put(logs, stream, *lines)
    for pattern, numbers in PATTERNS.items():
        assert (pattern, found(logs, stream, pattern)) == (pattern, [lines[number] for number in numbers])
    for bad in ("{ $.a > ", '"open', "[a, b]", "{ a = 1 }", "%(re)%"):
        code, _ = refused(logs.filter_log_events, logGroupName=GROUP, filterPattern=bad)
        assert (bad, code) == (bad, "InvalidParameterException")


def test_events_are_found_by_time_and_in_pages(logs: Any, stream: str) -> None:
    at = now() - 1_000
    for number in range(5):
        put(logs, stream, str(number), at=at + number)
    assert found(logs, stream, startTime=at + 1, endTime=at + 3) == ["1", "2", "3"]
    assert found(logs, stream, PaginationConfig={"PageSize": 2}) == ["0", "1", "2", "3", "4"]
    arn = f"arn:aws:logs:eu-central-1:000000000000:log-group:{GROUP}"
    by_arn = logs.filter_log_events(logGroupIdentifier=arn, logStreamNamePrefix=stream, limit=1)
    assert by_arn["events"][0]["message"] == "0"
    assert refused(logs.filter_log_events, logGroupName="nowhere")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("place", [[2**63, 0], [0, -1], [1], "a", 7, {}])
def test_a_token_that_is_nobodys(logs: Any, place: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    for call in (logs.filter_log_events, logs.describe_log_streams):
        if (call, place) != (logs.describe_log_streams, 7):
            assert refused(call, logGroupName=GROUP, nextToken=token)[0] == "InvalidParameterException"


@settings(deadline=None, max_examples=50)
@given(
    st.binary(max_size=50) | st.builds(json.dumps, json_values).map(str.encode), st.sampled_from(OPERATIONS)
)
def test_any_body_is_answered_or_refused(collector: Collector, body: bytes, operation: str) -> None:
    assert collector.logs(operation, body).status in {200, 400}


WRONG: dict[str, tuple[str, object, dict[str, str], str]] = {
    "an unknown operation": ("DeleteLogGroup", {}, {}, "UnknownOperationException"),
    "another service": (
        "",
        {},
        {"X_Amz_Target": "DynamoDB_20120810.ListTables"},
        "UnknownOperationException",
    ),
    "no target": ("", {}, {"X_Amz_Target": ""}, "UnknownOperationException"),
    "another type": ("PutLogEvents", {}, {"Content_Type": "text/plain"}, "UnknownOperationException"),
    "not JSON": ("PutLogEvents", b"{", {}, "SerializationException"),
    "not UTF-8": ("PutLogEvents", b"\xff", {}, "SerializationException"),
    "nothing": ("PutLogEvents", b"", {}, "SerializationException"),
    "nested without end": ("PutLogEvents", b'{"a":' * 100_000, {}, "SerializationException"),
    "a list": ("PutLogEvents", [], {}, "InvalidParameterException"),
    "no names": ("CreateLogStream", {}, {}, "InvalidParameterException"),
    "a bad group": ("CreateLogGroup", {"logGroupName": "a b"}, {}, "InvalidParameterException"),
    "a group with a line end": ("CreateLogGroup", {"logGroupName": "a\n"}, {}, "InvalidParameterException"),
    "a long group": ("CreateLogGroup", {"logGroupName": "a" * 513}, {}, "InvalidParameterException"),
    "a bad stream": (
        "CreateLogStream",
        {"logGroupName": GROUP, "logStreamName": "a:b"},
        {},
        "InvalidParameterException",
    ),
    "no group": ("FilterLogEvents", {}, {}, "InvalidParameterException"),
    "a bad limit": ("DescribeLogGroups", {"limit": 51}, {}, "InvalidParameterException"),
}


@pytest.mark.parametrize(("operation", "body", "headers", "kind"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call(
    collector: Collector, operation: str, body: object, headers: dict[str, str], kind: str
) -> None:
    answer = collector.logs(operation, body, **headers)
    assert (answer.status, answer.json()["__type"]) == (400, kind)
    assert answer.json()["message"]


def test_a_page_of_somebody_else_sends_nothing(collector: Collector) -> None:
    assert collector.logs("DescribeLogGroups", {}, Origin="http://localhost:1").status == 403
    assert collector.logs("DescribeLogGroups", {}, Sec_Fetch_Site="cross-site").status == 403


CLIENT = """
import json, logging, sys
import boto3, watchtower

logger = logging.getLogger("shop")
logger.setLevel(logging.INFO)
handler = watchtower.CloudWatchLogHandler(
    log_group_name=sys.argv[1], log_stream_name="web", log_group_retention_days=7, send_interval=1,
    boto3_client=boto3.client("logs"),
)
logger.addHandler(handler)
for number in range(300):
    logger.info({"number": number, "trace_id": sys.argv[2]})
handler.flush()
handler.close()
"""


def environment(collector: Collector, home: Path) -> dict[str, str]:
    """What a service reports with; the SDK asks nothing else where to go."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": collector.url,
    }


def test_watchtower_makes_its_group_and_its_stream(
    collector: Collector, logs: Any, made: Made, tmp_path: Path
) -> None:
    group, trace_id = f"watchtower/{secrets.token_hex(4)}", made.trace_id()
    subprocess.run(
        [sys.executable, "-W", "error", "-c", CLIENT, group, trace_id],
        env=environment(collector, tmp_path),
        check=True,
        timeout=60,
    )
    lines = collector.trace(trace_id, logs=300)["logs"]
    assert sorted(line["fields"]["number"] for line in lines) == list(range(300))
    assert {(line["group"], line["stream"]) for line in lines} == {(group, "web")}
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7


def test_lines_are_for_those_alone_who_know_the_token(collector: Collector, stream: str, logs: Any) -> None:
    """Every service on the network reaches this address, and none shall read the others' lines."""
    put(logs, stream, "for the person at the terminal")
    for token in (None, "x", "", collector.token + "x"):
        stranger = boto3.client(
            "logs",
            endpoint_url=collector.url,
            region_name="eu-central-1",
            aws_access_key_id=collector.token,
            aws_secret_access_key="local",
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )
        put(stranger, stream, "whoever sends needs none")
        assert refused(stranger.filter_log_events, logGroupName=GROUP)[0] == "AccessDeniedException"
    assert len(logs.filter_log_events(logGroupName=GROUP, logStreamNames=[stream])["events"]) == 5


def test_secrets_are_masked_in_lines_and_names(start_collector: Starter, made: Made) -> None:
    secret, number = "made-up-hidden-value", "4242424242"
    collector = start_collector(hidden=(secret, number))
    logs = aws_client("logs", collector)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=f"web/{secret}")
    trace_id = made.trace_id()
    line = {
        "trace_id": trace_id,
        "service": secret,
        "pin": int(number),
        "headers": {"Authorization": "Basic x"},
    }
    put(logs, f"web/{secret}", json.dumps(line), f"plain {secret}", '{"a": ' + number)
    deep = json.dumps({"trace_id": trace_id, "a": [secret]})
    put(logs, f"web/{secret}", deep[:-1] + ', "b": ' + "[" * 200 + "]" * 200 + "}")
    [first, second] = collector.read(f"/api/traces/{trace_id}").json()["logs"]
    assert first["fields"] == {
        "trace_id": trace_id,
        "service": "[masked]",
        "pin": "[masked]",
        "headers": {"Authorization": "[masked]"},
    }
    assert (first["service"], first["stream"]) == ("[masked]", "web/[masked]")
    assert json.loads(first["message"]) == first["fields"]
    assert second["fields"] is None
    assert '"a": ["[masked]"]' in second["message"]
    messages = [event["message"] for event in logs.filter_log_events(logGroupName=GROUP)["events"]]
    assert "plain [masked]" in messages
    assert refused(logs.create_log_stream, logGroupName=GROUP, logStreamName=f"web/{secret}")[0] == (
        "ResourceAlreadyExistsException"
    )
    collector.stop()
    stored = b"".join(path.read_bytes() for path in collector.database.parent.iterdir())
    for hidden in (secret, number, "Basic x"):
        assert hidden.encode() not in stored


def test_lines_groups_and_streams_outlive_the_collector(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    logs = aws_client("logs", collector)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="a")
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    trace_id = made.trace_id()
    put(logs, "a", json.dumps({"trace_id": trace_id}))
    collector.stop()
    again = start_collector(database=collector.database)
    logs = aws_client("logs", again)
    put(logs, "a", json.dumps({"trace_id": trace_id}))
    assert len(again.read(f"/api/traces/{trace_id}").json()["logs"]) == 2
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 3


def test_two_who_make_one_stream_at_once(collector: Collector) -> None:
    body = {"logGroupName": GROUP, "logStreamName": secrets.token_hex(4)}
    with ThreadPoolExecutor(8) as at_once:
        answers = list(at_once.map(lambda _: collector.logs("CreateLogStream", body).status, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_a_full_store_is_said_once_and_finally(start_collector: Starter) -> None:
    collector = start_collector(store_bytes=500_000)
    logs = aws_client("logs", collector)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="a")
    assert refused(
        logs.put_log_events,
        logGroupName=GROUP,
        logStreamName="a",
        logEvents=events(now(), message="x" * 900_000),
    ) == ("LimitExceededException", 400)
    put(logs, "a", "small")
    assert collector.stop()[1].count("\n") == 1

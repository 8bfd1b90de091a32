"""CloudWatch Logs: what AWS refuses and moto forgives, and what has to be allowed for each call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.stand_ins.aws.errors import invalid, refusal
from tests.stand_ins.server import Response

if TYPE_CHECKING:
    from moto.logs.models import LogsBackend

Arguments = dict[str, Any]
#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
#: bytes of one PutLogEvents, with 26 more for each event
BATCH_LIMIT, EVENT_OVERHEAD = 1048576, 26
_TAGGING = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


def needed(prefix: str, operation: str, arguments: Arguments) -> list[tuple[str, str]]:
    """The actions and resources that a call needs; `prefix` is "arn:aws:logs:REGION:ACCOUNT".

    Calls about tags name a log group without `:*`, all others with it: a policy on the bare ARN does not help
    them (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html).
    """
    group = arguments.get("logGroupName", "")
    stream = arguments.get("logStreamName", "")
    bare = arguments.get("resourceArn") or f"{prefix}:log-group:{group}"
    if operation in _TAGGING:
        return [(f"logs:{operation}", bare)]
    actions = [(f"logs:{operation}", f"{prefix}:log-group:{group}:log-stream:{stream}")]
    if arguments.get("tags"):
        actions.append(("logs:TagResource", bare))
    return actions


def check(backend: LogsBackend, prefix: str, operation: str, arguments: Arguments) -> None:
    """Refuse what moto would take."""
    _tags(arguments.get("tags", {}))
    if operation == "CreateLogGroup" and arguments["logGroupName"].startswith("aws/"):
        invalid("logs", "Log group names cannot start with the string aws/")
    if operation == "PutRetentionPolicy" and arguments["retentionInDays"] not in RETENTIONS:
        invalid("logs", f"Invalid retention: {arguments['retentionInDays']}")
    if operation in _TAGGING:
        names = {f"{prefix}:log-group:{name}" for name in backend.groups}
        if arguments["resourceArn"] not in names:
            raise refusal("missing", "logs", "The specified log group does not exist.")
    if operation == "PutLogEvents":
        _events(arguments["logEvents"])
    if operation == "DeleteLogGroup":
        # moto would give the tags to the next group of that name.
        arn = f"{prefix}:log-group:{arguments['logGroupName']}"
        if arguments["logGroupName"] in backend.groups and backend.tagger.has_tags(arn):
            backend.tagger.delete_all_tags_for_resource(arn)


def amended(operation: str, response: Response) -> Response:
    """Say that no bytes are stored: AWS counts them once in a while, so that a fresh event does not show."""
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if operation not in ("DescribeLogGroups", "DescribeLogStreams") or response.status != 200:
        return Response(response.status, response.body or b"{}", headers)
    document = json.loads(response.body)
    for each in document.get("logGroups", []) + document.get("logStreams", []):
        each["storedBytes"] = 0
    return Response(200, json.dumps(document).encode(), headers)


def _tags(tags: dict[str, str]) -> None:
    for key in tags:
        if key.lower().startswith("aws:"):
            invalid("logs", "aws: prefixed tag key names are not allowed for external use.")


def _events(events: list[dict[str, Any]]) -> None:
    if sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in events) > BATCH_LIMIT:
        invalid("logs", f"Upload too large: the batch exceeds limit of {BATCH_LIMIT} bytes")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        invalid("logs", "Log events in a single PutLogEvents request must be in chronological order.")

"""Reads traces from X-Ray and lines from CloudWatch Logs, with keys that were given."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec import Struct

from bootstrap.system.aws import DENIED, AwsRefusedError, Keys, Profile, client, translated

#: how many pages of one question are read
_PAGES = 50


class Retrieved(Struct, frozen=True):
    """What a retrieval has brought: `status` is RUNNING, COMPLETE and so on, as the API has it."""

    status: str
    documents: list[dict[str, Any]]


class _Reader:
    """One service of AWS in one region.

    Methods raise AwsRefusedError, whose hint names what to allow where a policy denies it,
    AwsUnreachableError or NotConfiguredError.
    """

    _service = ""

    def __init__(self, *, region: str, credentials: Keys | Profile, environ: Mapping[str, str]) -> None:
        self._region = region
        self._credentials = credentials
        self._environ = environ

    @cached_property
    def _client(self) -> Any:
        return client(
            self._service,
            region=self._region,
            credentials=self._credentials,
            environ=self._environ,
            attempts=2,
        )

    @contextmanager
    def _doing(self, action: str, resource: str) -> Iterator[None]:
        try:
            with translated(f"{self._service}:{action}", self._credentials):
                yield
        except AwsRefusedError as error:
            hint = f"Allow {self._service}:{action} on {resource}" if error.code in DENIED else error.hint
            raise AwsRefusedError(error.message, hint, code=error.code, clock=error.clock) from None


class Traces(_Reader):
    """X-Ray's traces: https://docs.aws.amazon.com/xray/latest/api/API_Operations.html."""

    _service = "xray"

    def searched(self) -> bool:
        """Whether Transaction Search is on: traces are in CloudWatch Logs then, and `documents` has none."""
        with self._doing("GetTraceSegmentDestination", "*"):
            return bool(self._client.get_trace_segment_destination().get("Destination") == "CloudWatchLogs")

    def documents(self, xray_id: str) -> list[dict[str, Any]]:
        """Every segment document of one trace; none while X-Ray knows of none."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        with self._doing("BatchGetTraces", "*"):
            for _ in range(_PAGES):
                answer = self._client.batch_get_traces(TraceIds=[xray_id], **more)
                found += _parsed(answer.get("Traces", []), "Segments")
                if not answer.get("NextToken"):
                    break
                more = {"NextToken": answer["NextToken"]}
        return found

    def retrieve(self, xray_id: str, start: datetime, end: datetime) -> str:
        """Start to look for a trace in what Transaction Search keeps; returns the token of `retrieved`."""
        with self._doing("StartTraceRetrieval", "*"):
            answer = self._client.start_trace_retrieval(TraceIds=[xray_id], StartTime=start, EndTime=end)
            return str(answer["RetrievalToken"])

    def retrieved(self, token: str) -> Retrieved:
        """What a retrieval has found until now."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        status = ""
        with self._doing("ListRetrievedTraces", "*"):
            for _ in range(_PAGES):
                answer = self._client.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", **more)
                status = str(answer.get("RetrievalStatus", ""))
                found += _parsed(answer.get("Traces", []), "Spans")
                if not answer.get("NextToken"):
                    break
                more = {"NextToken": answer["NextToken"]}
        return Retrieved(status, found)


class LogLines(_Reader):
    """The lines of one log group."""

    _service = "logs"

    def __init__(
        self, group: str, *, region: str, credentials: Keys | Profile, environ: Mapping[str, str]
    ) -> None:
        super().__init__(region=region, credentials=credentials, environ=environ)
        self._group = group

    def holding(self, word: str, since: float) -> list[str]:
        """The lines with `word` (letters and digits) in them, not older than `since` (seconds since 1970).

        A page without lines is not the last one: CloudWatch says how far it has looked, line or no line.
        """
        found: list[str] = []
        more: dict[str, str] = {}
        with self._doing("FilterLogEvents", f"arn:aws:logs:{self._region}:*:log-group:{self._group}:*"):
            for _ in range(_PAGES):
                answer = self._client.filter_log_events(
                    logGroupName=self._group,
                    filterPattern=f'"{word}"',
                    startTime=max(0, int(since * 1000)),
                    **more,
                )
                found += [str(event.get("message", "")) for event in answer.get("events", [])]
                if not answer.get("nextToken"):
                    break
                more = {"nextToken": answer["nextToken"]}
        return found


def _parsed(traces: list[Any], parts: str) -> list[dict[str, Any]]:
    """Decode the documents, which are JSON in a string; what is none is left out."""
    found = []
    for part in (part for trace in traces for part in trace.get(parts, [])):
        try:
            document = json.loads(part.get("Document", ""))
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found

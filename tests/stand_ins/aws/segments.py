"""X-Ray's segments, as far as somebody writes them and looks at them."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.stand_ins.aws.errors import invalid, refusal

Arguments = dict[str, Any]


class Segments:
    """What was sent; each operation is a method of its name."""

    def __init__(self) -> None:
        #: trace id -> segment documents
        self.traces: dict[str, list[dict[str, Any]]] = {}
        #: whether Transaction Search is on
        self.searched = False
        self._retrievals: dict[str, list[str]] = {}

    def PutTraceSegments(self, arguments: Arguments) -> Any:  # noqa: N802
        for text in arguments["TraceSegmentDocuments"]:
            segment = json.loads(text)
            self.traces.setdefault(segment["trace_id"], []).append(segment)
        return {"UnprocessedTraceSegments": []}

    def PutTelemetryRecords(self, _: Arguments) -> Any:  # noqa: N802
        return {}

    def BatchGetTraces(self, arguments: Arguments) -> Any:  # noqa: N802
        """With Transaction Search it finds nothing, and says so in no way."""
        found = {} if self.searched else self.traces
        traces = [_trace(name, "Segments", found[name]) for name in arguments["TraceIds"] if name in found]
        return {"Traces": traces, "UnprocessedTraceIds": []}

    def GetTraceSegmentDestination(self, _: Arguments) -> Any:  # noqa: N802
        return {"Destination": "CloudWatchLogs" if self.searched else "XRay", "Status": "ACTIVE"}

    def StartTraceRetrieval(self, arguments: Arguments) -> Any:  # noqa: N802
        if not self.searched:
            invalid("xray", "Transaction Search is not enabled")
        token = secrets.token_hex(16)
        self._retrievals[token] = arguments["TraceIds"]
        return {"RetrievalToken": token}

    def ListRetrievedTraces(self, arguments: Arguments) -> Any:  # noqa: N802
        wanted = self._retrievals.get(arguments["RetrievalToken"])
        if wanted is None:
            raise refusal("missing", "xray", "no such retrieval")
        traces = [_trace(name, "Spans", self.traces[name]) for name in wanted if name in self.traces]
        return {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": traces}


def _trace(name: str, parts: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Id": name,
        parts: [{"Id": each["id"], "Document": json.dumps(each)} for each in documents],
    }

"""Segments: in X-Ray, in what Transaction Search keeps, and in the collector."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bootstrap.model.errors import BootstrapError
from bootstrap.system.aws import DENIED, AwsRefusedError
from bootstrap.system.aws_evidence import Traces
from bootstrap.vendors.evidence import aws
from bootstrap.vendors.evidence.daemon import quoted
from bootstrap.vendors.evidence.texts import counted, evidence, listed, table, tables
from bootstrap.verification.interface import Arrival, Asking, Look, Reading, waiting

#: around the probe, in what Transaction Search keeps
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(minutes=10)
_OVER = frozenset({"COMPLETE", "FAILED", "CANCELLED", "TIMEOUT"})


def found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    """Find the segments in a trace of the collector's."""
    return quoted(_judged(asking, tables(trace.get("segments")), asking.page), asking)


def read(asking: Asking) -> Look:
    """Look for the segments in X-Ray."""
    keys, region = aws.keys(asking.values), asking.project.region
    if keys is None:
        return lambda: quoted(aws.without_keys(), asking)
    source = _Source(Traces(region=region, credentials=keys, environ=asking.environ), asking)
    link = f"{aws.console(region)}#xray:traces/{asking.probe.xray_id}"

    def look() -> Reading:
        try:
            reading = source.explained(_judged(asking, source.documents(), link))
        except BootstrapError as error:
            reading = aws.refused(error, region, link)
        return quoted(reading, asking)

    return look


class _Source:
    """Where X-Ray keeps segments, which Transaction Search decides."""

    def __init__(self, traces: Traces, asking: Asking) -> None:
        self._traces = traces
        self._probe = asking.probe
        #: None until it is known
        self._searched: bool | None = None
        self._unsure = ""
        self._token: str | None = None
        #: what the last retrieval has found, while the next one runs
        self._known: list[dict[str, Any]] = []

    def documents(self) -> list[dict[str, Any]]:
        """What there is of the trace until now."""
        if self._searched is None:
            self._searched = self._is_searched()
        return self._retrieved() if self._searched else self._traces.documents(self._probe.xray_id)

    def explained(self, reading: Reading) -> Reading:
        """Say of what is not there that it may only be elsewhere."""
        if reading.state is Arrival.ARRIVED or not self._unsure:
            return reading
        return replace(
            reading,
            detail=f"{reading.detail}; if Transaction Search is on, BatchGetTraces never shows it",
            hint=self._unsure,
        )

    def _is_searched(self) -> bool:
        try:
            return self._traces.searched()
        except AwsRefusedError as error:
            if error.code not in DENIED:
                raise
            self._unsure = error.hint
            return False

    def _retrieved(self) -> list[dict[str, Any]]:
        """Ask for what one retrieval has found; one that is over is followed by another."""
        if self._token is None:
            sent = datetime.fromtimestamp(self._probe.sent_at, UTC)
            self._token = self._traces.retrieve(self._probe.xray_id, sent - _BEFORE, sent + _AFTER)
        result = self._traces.retrieved(self._token)
        if result.status in _OVER:
            self._token = None
        self._known = max(self._known, result.documents, key=len)
        return self._known


def _judged(asking: Asking, documents: Sequence[Mapping[str, Any]], link: str) -> Reading:
    """Take the service's own segments; others mean that it reports under another name."""
    name = asking.probe.otel_name
    own = [part for part in documents if part.get("name") == name and part.get("type") != "subsegment"]
    if own:
        return Reading(
            Arrival.ARRIVED,
            _described(own),
            link,
            evidence=evidence(_annotations(own)),
            settled=len(own) >= asking.probe.answered,
        )
    if documents:
        names = listed(str(part.get("name")) for part in documents)
        return waiting(
            f"the trace is there, and no segment of it is called {name!r}, but: {names}",
            "Let the recorder's service be OTEL_SERVICE_NAME, and set no dynamic naming.",
            link,
        )
    return waiting(
        f"no segment under {asking.probe.xray_id}",
        f"Read what it says about X-Ray: bootstrap logs {asking.service.name}",
        link,
    )


def _described(segments: Sequence[Mapping[str, Any]]) -> str:
    below = [str(part.get("name")) for segment in segments for part in _below(segment)]
    words = counted(len(segments), "segment")
    return f"{words}, {counted(len(below), 'subsegment')}: {listed(below)}" if below else words


def _below(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every subsegment, however deep; without recursion, as nobody has promised that it ends."""
    waiting_parts = tables(part.get("subsegments"))
    while waiting_parts:
        below = waiting_parts.pop(0)
        yield below
        waiting_parts += tables(below.get("subsegments"))


def _annotations(segments: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    for segment in segments:
        for part in (segment, *_below(segment)):
            yield from table(part.get("annotations")).items()

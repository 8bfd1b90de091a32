"""Spans: at Honeycomb, as far as each kind of key shows them, and in the collector."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Mark
from bootstrap.system import http
from bootstrap.system.endpoints import override
from bootstrap.vendors.evidence.texts import counted, evidence, listed, table, tables
from bootstrap.vendors.keys import honeycomb as keys
from bootstrap.vendors.keys.honeycomb import CONFIGURATION, HERE, MANAGES, SENDS
from bootstrap.vendors.keys.remarks import FORBIDDEN, OK, UNAUTHORIZED
from bootstrap.verification.interface import Arrival, Asking, Look, Reading, waiting

#: https://docs.honeycomb.io/investigate/collaborate/share-trace/
_PAGES = {"us": "https://ui.honeycomb.io", "eu": "https://ui.eu1.honeycomb.io"}
#: where spans go that name no service
_NAMELESS = "unknown_service"
_CREATED = 201
#: seconds of difference between clocks from which on spans stand at the wrong time
_SKEW = 60
#: seconds between two results of a query: Honeycomb makes ten a minute
_BETWEEN_RESULTS = 8.0
#: seconds of data that a query looks at
_RANGE = 1200
#: what the conventions of OpenTelemetry and the SDKs say by themselves; anything else is the project's own
_CONVENTIONAL = re.compile(
    r"(http|url|server|client|network|net|user_agent|error|exception|otel|telemetry|code|thread|service"
    r"|process|host|os|db|rpc|messaging|peer)(\.|$)",
    re.ASCII,
)
_NEEDS = f"Make a configuration key (Environment > API keys), then: bootstrap secrets set {MANAGES}"


def found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    """Find the spans in a trace of the collector's."""
    name = asking.probe.otel_name
    spans = tables(trace.get("spans"))
    own = [span for span in spans if span.get("service") == name]
    if own:
        detail = f"{counted(len(own), 'span')}: {listed(str(span.get('name')) for span in own)}"
        served = sum(span.get("parent_span_id") == asking.probe.span_id for span in own)
        return Reading(
            Arrival.ARRIVED,
            detail,
            asking.page,
            evidence=evidence(_attributes(own)),
            settled=served >= asking.probe.answered,
        )
    if spans:
        names = listed(str(span.get("service")) for span in spans)
        return waiting(
            f"the trace is there, and no span of it is of {name!r}, but of: {names}",
            "Let the tracer provider's resource take OTEL_SERVICE_NAME.",
            asking.page,
        )
    return waiting(
        f"no span under {asking.probe.trace_id}",
        f"Read what it says about OpenTelemetry: bootstrap logs {asking.service.name}",
        asking.page,
    )


def _attributes(spans: list[Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    for span in spans:
        for name, value in table(span.get("attributes")).items():
            if not _CONVENTIONAL.match(name):
                yield name, value


def read(asking: Asking, endpoints: Mapping[str, str]) -> Look:
    """Look at Honeycomb, with the configuration key if there is one."""
    if not asking.values.get(SENDS):
        missing = Reading(
            Arrival.MISSING,
            f"{SENDS} is not set here: nothing is sent",
            hint=f"bootstrap secrets set {SENDS}",
        )
        return lambda: missing
    seeing = _Seeing(asking, endpoints)

    def look() -> Reading:
        try:
            return seeing.look()
        except BootstrapError as error:
            return waiting(error.message, error.hint)

    return look


class _Place(Struct, frozen=True):
    """Where a key belongs."""

    team: str
    environment: str


class _RefusedError(Exception):
    """Honeycomb's answer settles it."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading.detail)
        self.reading = reading


class _Seeing:
    """One probe at Honeycomb, and what is known by now. Methods raise BootstrapError where nobody answers."""

    def __init__(self, asking: Asking, endpoints: Mapping[str, str]) -> None:
        self._asking = asking
        self._probe = asking.probe
        self._endpoints = endpoints
        self._region = asking.project.telemetry["honeycomb"].region
        self._ahead = 0.0
        #: what there is to know about the key that sends; None until it was asked about
        self._note: str | None = None
        self._query = _Query(self._call, asking)

    def look(self) -> Reading:
        """Look once."""
        try:
            self._check_key()
            return self._datasets() if self._reader else self._sent()
        except _RefusedError as refused:
            return refused.reading

    @cached_property
    def _reader(self) -> str:
        """The key that may read; empty where there is none."""
        sends = self._asking.values[SENDS]
        return self._asking.values.get(MANAGES) or (sends if keys.kind_of(sends) is CONFIGURATION else "")

    def _check_key(self) -> None:
        """See once whether Honeycomb knows the key that services send with, and in which region."""
        if self._note is not None:
            return
        note, values = "", {SENDS: self._asking.values[SENDS]}
        for remark in keys.ask(self._endpoints, self._region, values, self._asking.environ):
            if remark.mark is Mark.PROBLEM:
                raise _RefusedError(Reading(Arrival.MISSING, f"{SENDS} {remark.text}", hint=remark.hint))
            if remark.mark is Mark.UNKNOWN:
                raise BootstrapError(remark.text, remark.hint)
            note = f"{SENDS} {remark.text}" if remark.mark is Mark.NOTE else ""
        self._note = note

    def _place(self, key: str) -> _Place:
        answer = self._call(key, "/1/auth")
        if answer.status not in (OK, UNAUTHORIZED):
            raise BootstrapError(f"Honeycomb did not say whose key it is (HTTP {answer.status})")
        document = table(answer.document)
        return _Place(
            str(table(document.get("team")).get("slug") or ""),
            str(table(document.get("environment")).get("slug") or ""),
        )

    @cached_property
    def _home(self) -> _Place:
        """Where services send to."""
        return self._place(self._asking.values[SENDS])

    @cached_property
    def _there(self) -> _Place:
        """Where the key belongs that reads."""
        return self._place(self._reader)

    def _call(self, key: str, path: str, document: Any = None) -> http.Answer:
        base = override(self._asking.environ, HERE) or self._endpoints[self._region]
        headers = {"X-Honeycomb-Team": key}
        url = f"{base}{path}"
        answer = http.get(url, headers) if document is None else http.post(url, headers, document)
        self._ahead = answer.ahead
        return answer

    def _sent(self) -> Reading:
        """With a key that only sends: send the caller's own span of this trace, once, and see it taken."""
        key = self._asking.values[SENDS]
        link = self._link(_slug(self._probe.otel_name))
        answer = self._call(key, "/v1/traces", _callers_span(self._probe.otel_name, self._asking))
        if answer.status == OK:
            return Reading(
                Arrival.ACCEPTED,
                "Honeycomb has taken a span of this trace from here; this key shows nothing back",
                link,
                _NEEDS,
            )
        if answer.status in (UNAUTHORIZED, FORBIDDEN):
            return Reading(
                Arrival.MISSING,
                f"Honeycomb knows {SENDS}, and refuses its spans (HTTP {answer.status})",
                link,
                "Allow Send Events, and Create Datasets, at Environment > API keys.",
            )
        return waiting(f"Honeycomb has not taken a span (HTTP {answer.status})", link=link)

    def _datasets(self) -> Reading:
        """With a key that reads: see whether the service's dataset was written since."""
        self._check_environment()
        answer = self._call(self._reader, "/1/datasets")
        if answer.status in (UNAUTHORIZED, FORBIDDEN):
            return Reading(
                Arrival.ACCEPTED,
                "Honeycomb knows the key that sends; the one that reads may not list the datasets",
                self._link(_slug(self._probe.otel_name)),
                f"Allow Create Datasets and Manage Queries and Columns for {MANAGES}.",
            )
        if answer.status != OK or not isinstance(answer.document, list):
            return waiting(f"Honeycomb did not list its datasets (HTTP {answer.status})")
        datasets = {str(item.get("name")): item for item in tables(answer.document)}
        slug = _slug(self._probe.otel_name)
        by_slug = {str(item.get("slug")): item for item in datasets.values()}
        own = datasets.get(self._probe.otel_name) or by_slug.get(slug)
        if own is None:
            return self._no_dataset(datasets)
        slug = str(own.get("slug") or slug)
        if not self._is_newer(own):
            return self._stale(own, slug)
        return self._query.look(self._reader, slug, self._link(slug), str(own.get("last_written_at")))

    def _check_environment(self) -> None:
        """See whether both keys belong to one environment."""
        there = self._there
        if not there.environment:
            text, hint = f"{MANAGES} shows nothing: Honeycomb does not know it", _NEEDS
        elif there != self._home:
            text = f"{MANAGES} reads the environment {there.environment!r} of {there.team!r}, and services "
            text += f"send to {self._home.environment!r} of {self._home.team!r}"
            hint = _NEEDS
        else:
            return
        raise _RefusedError(Reading(Arrival.ACCEPTED, text, self._link(_slug(self._probe.otel_name)), hint))

    def _is_newer(self, dataset: Mapping[str, Any]) -> bool:
        """Whether a dataset was written since the probe, by Honeycomb's clock, which says whole seconds."""
        try:
            written = datetime.fromisoformat(str(dataset.get("last_written_at"))).timestamp()
        except ValueError:
            return False
        return written >= int(self._probe.sent_at + self._ahead)

    def _no_dataset(self, datasets: Mapping[str, Mapping[str, Any]]) -> Reading:
        name = self._probe.otel_name
        for other, dataset in datasets.items():
            if other.startswith(_NAMELESS) and self._is_newer(dataset):
                return waiting(
                    f"spans arrive in the dataset {other!r}: who sends them does not say its name",
                    f"Let the tracer provider's resource take OTEL_SERVICE_NAME ({name}).",
                    self._link(_slug(other)),
                )
        note = f"; {self._note}" if self._note else ""
        return waiting(
            f"{self._home.environment!r} has no dataset {name!r}{note}",
            f"Read what it says about OpenTelemetry: bootstrap logs {self._asking.service.name}",
        )

    def _stale(self, dataset: Mapping[str, Any], slug: str) -> Reading:
        detail = (
            f"the dataset {slug!r} was last written at {dataset.get('last_written_at')}, before the probe"
        )
        hint = f"Read what it says about OpenTelemetry: bootstrap logs {self._asking.service.name}"
        if abs(self._ahead) > _SKEW:
            detail += f"; this machine's clock is {abs(self._ahead):.0f} s "
            detail += "behind" if self._ahead > 0 else "ahead"
            hint = "Set the clock right: Honeycomb files spans under the time that they say."
        return waiting(detail, hint, self._link(slug))

    def _link(self, slug: str) -> str:
        """The trace's own page, which asks for the time to look at."""
        place, sent = self._home, int(self._probe.sent_at)
        query = {"trace_id": self._probe.trace_id, "trace_start_ts": sent - 60, "trace_end_ts": sent + 600}
        path = f"{place.team}/environments/{place.environment}/datasets/{slug}/trace?{urlencode(query)}"
        return f"{_PAGES[self._region]}/{path}"


Call = Callable[..., http.Answer]


class _Query:
    """Counts the trace's own spans, where the team's plan has the Query Data API."""

    def __init__(self, call: Call, asking: Asking) -> None:
        self._call = call
        self._probe = asking.probe
        #: None: not made yet; empty: cannot be
        self._id: str | None = None
        self._result: str | None = None
        #: how many spans there were at last; None until that is known
        self._spans: int | None = None
        self._asked_at = -_BETWEEN_RESULTS
        self._why_not = ""

    def look(self, key: str, slug: str, link: str, written: str) -> Reading:
        """Say how many spans of the trace there are, or at least that the dataset was written."""
        if self._id is None:
            self._id = self._make(key, slug)
        if self._id and (count := self._count(key, slug)) is not None:
            self._spans = count
        if self._why_not:
            detail = (
                f"the dataset {slug!r} was written at {written}, after the probe; "
                f"which trace that was, only the Query Data API shows ({self._why_not})"
            )
            return Reading(Arrival.ARRIVED, detail, link)
        if self._spans:
            detail = f"{counted(self._spans, 'span')} of the trace in the dataset {slug!r}"
            return Reading(Arrival.ARRIVED, detail, link)
        detail = f"the dataset {slug!r} was written at {written}, after the probe"
        if self._spans is None:
            detail += "; the Query Data API has not said by which trace"
            return Reading(Arrival.ARRIVED, detail, link, settled=False)
        return waiting(f"{detail}, and by no span of this trace", link=link)

    def _make(self, key: str, slug: str) -> str | None:
        """Store the query, which runs nothing."""
        specification = {
            "calculations": [{"op": "COUNT"}],
            "breakdowns": [],
            "filters": [{"column": "trace.trace_id", "op": "=", "value": self._probe.trace_id}],
            "time_range": _RANGE,
        }
        answer = self._call(key, f"/1/queries/{slug}", specification)
        if answer.status == OK:
            return str(table(answer.document).get("id") or "")
        return self._give_up(answer.status, "the key may not make queries")

    def _count(self, key: str, slug: str) -> int | None:
        """Run the query, or see whether it has run; None while nobody knows."""
        path = f"/1/query_results/{slug}"
        if self._result is None:
            if time.monotonic() < self._asked_at + _BETWEEN_RESULTS:
                return None
            self._asked_at = time.monotonic()
            answer = self._call(key, path, {"query_id": self._id, "disable_series": True})
            if answer.status not in (OK, _CREATED):
                self._give_up(answer.status, "it comes with the plan Enterprise")
                return None
            self._result = str(table(answer.document).get("id") or "")
        document = table(self._call(key, f"{path}/{self._result}").document)
        if not document.get("complete"):
            return None
        self._result = None
        rows = tables(table(document.get("data")).get("results"))
        counts = [table(row.get("data")).get("COUNT") for row in rows]
        return sum(int(count) for count in counts if isinstance(count, int | float))

    def _give_up(self, status: int, why: str) -> str | None:
        """Remember that it cannot be asked; an answer that may change is no reason."""
        if status in (UNAUTHORIZED, _PAYMENT, FORBIDDEN):
            self._why_not = why
            return ""
        return None


_PAYMENT = 402


def _slug(name: str) -> str:
    """What Honeycomb makes of a dataset's name."""
    return re.sub(r"[^a-z0-9_.~-]", "-", name.lower())


def _callers_span(name: str, asking: Asking) -> dict[str, Any]:
    """The span that the service names as its parent, in OTLP's JSON: the trace would have no root without."""
    probe = asking.probe

    def said(key: str, value: str) -> dict[str, Any]:
        return {"key": key, "value": {"stringValue": value}}

    span = {
        "traceId": probe.trace_id,
        "spanId": probe.span_id,
        "name": "bootstrap verify",
        "kind": 3,  # CLIENT
        "startTimeUnixNano": str(int(probe.sent_at * 1e9)),
        "endTimeUnixNano": str(int(time.time() * 1e9)),
        "attributes": [said("app.probe", " ".join(reply.path for reply in probe.replies))],
    }
    scope = {"scope": {"name": "bootstrap.verify"}, "spans": [span]}
    return {
        "resourceSpans": [
            {"resource": {"attributes": [said("service.name", name)]}, "scopeSpans": [scope]},
        ]
    }

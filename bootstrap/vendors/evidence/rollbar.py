"""Items: at Rollbar, as far as each token shows them, and in the collector."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Mark
from bootstrap.system import http
from bootstrap.system.endpoints import override
from bootstrap.vendors.evidence.texts import counted, evidence, short, table, tables
from bootstrap.vendors.keys import rollbar as keys
from bootstrap.vendors.keys.remarks import FORBIDDEN, OK, UNAUTHORIZED
from bootstrap.vendors.keys.rollbar import ENDPOINT, POSTS, READS
from bootstrap.verification.interface import Arrival, Asking, Look, Reading, waiting

_BASE = "https://api.rollbar.com"
_OCCURRENCE = "https://rollbar.com/occurrence/uuid/?uuid="
#: pages of twenty occurrences each, the newest first, and the bytes of one: an item has up to 128 KiB
_PAGES, _PAGE_BYTES = 10, 20 * (128 << 10) + (1 << 20)
#: seconds by which an occurrence's own time may be before the probe's, as clocks differ
_SLACK = 60
_HINT = (
    f"Make a token with the scope read (Project > Settings > Project Access Tokens), then: "
    f"bootstrap secrets set {READS}"
)


def found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    """Find the items in a trace of the collector's."""
    name = asking.probe.otel_name
    own = [item for item in tables(trace.get("items")) if item.get("service") in (name, None, "")]
    if not own:
        return _nothing(asking, asking.page)
    detail = f"{counted(len(own), 'item')}: {short(own[0].get('title') or own[0].get('uuid') or '')}"
    shown = ((key, own[0].get(key)) for key in ("level", "environment", "uuid") if own[0].get(key))
    return Reading(Arrival.ARRIVED, detail, asking.page, evidence=evidence(shown))


def read(asking: Asking) -> Look:
    """Look at Rollbar, with the token that reads if there is one."""
    if not asking.values.get(POSTS):
        missing = Reading(
            Arrival.MISSING,
            f"{POSTS} is not set here: nothing is sent",
            hint=f"bootstrap secrets set {POSTS}",
        )
        return lambda: missing
    checked: list[Reading | None] = []

    def look() -> Reading:
        try:
            if not checked:
                checked.append(_wrong_token(asking))
            if checked[0] is not None:
                return checked[0]
            return _occurrences(asking) if asking.values.get(READS) else _posted(asking)
        except BootstrapError as error:
            return waiting(error.message, error.hint)

    return look


def _wrong_token(asking: Asking) -> Reading | None:
    """Ask Rollbar what its tokens may do: one that posts nothing, or reads nothing, is the cause."""
    for remark in keys.ask(asking.values, asking.environ):
        if remark.mark is Mark.UNKNOWN:
            raise BootstrapError(remark.text, remark.hint)
        if remark.mark is Mark.PROBLEM:
            state = Arrival.MISSING if remark.subject == POSTS else Arrival.ACCEPTED
            return Reading(state, f"{remark.subject} {remark.text}", hint=remark.hint)
    return None


def _base(asking: Asking) -> str:
    return override(asking.environ, ENDPOINT) or _BASE


def _posted(asking: Asking) -> Reading:
    """Without a token that reads: post an item of ours in the same trace, and see it taken."""
    probe = asking.probe
    identifier = str(uuid.uuid4())
    data = {
        "uuid": identifier,
        "environment": asking.project.telemetry["rollbar"].environment,
        "level": "debug",
        "timestamp": int(probe.sent_at),
        "fingerprint": "bootstrap verify",
        "title": "bootstrap verify",
        "body": {"message": {"body": f"bootstrap verify: {probe.otel_name}"}},
        "custom": {"trace_id": probe.trace_id},
        "notifier": {"name": "bootstrap"},
    }
    token = asking.values[POSTS]
    answer = http.post(f"{_base(asking)}/api/1/item/", {"X-Rollbar-Access-Token": token}, {"data": data})
    link = _OCCURRENCE + identifier
    if answer.status == OK:
        text = "Rollbar has taken an item of this trace from here; this token shows nothing back"
        return Reading(Arrival.ACCEPTED, text, link, _HINT)
    if answer.status in (UNAUTHORIZED, FORBIDDEN):
        text = f"Rollbar refuses items with {POSTS} (HTTP {answer.status})"
        return Reading(Arrival.MISSING, text, hint=f"bootstrap secrets set {POSTS}")
    return waiting(f"Rollbar has not taken an item (HTTP {answer.status})")


def _occurrences(asking: Asking) -> Reading:
    """Look through what has come in since the probe."""
    for occurrence in _since(asking):
        data = table(occurrence.get("data"))
        if table(data.get("custom")).get("trace_id") == asking.probe.trace_id:
            identifier = str(data.get("uuid") or "")
            shown = ((key, data[key]) for key in ("level", "environment", "uuid") if data.get(key))
            detail = f"an item: {short(_title(data))}"
            return Reading(Arrival.ARRIVED, detail, _OCCURRENCE + identifier, evidence=evidence(shown))
    return _nothing(asking, "")


def _since(asking: Asking) -> Iterator[Mapping[str, Any]]:
    """The occurrences from the newest to the probe: https://docs.rollbar.com/reference/list-all-occurrences.

    Raises BootstrapError where Rollbar does not list them.
    """
    headers = {"X-Rollbar-Access-Token": asking.values[READS]}
    for page in range(1, _PAGES + 1):
        answer = http.get(f"{_base(asking)}/api/1/instances/?page={page}", headers, limit=_PAGE_BYTES)
        if answer.status != OK:
            raise BootstrapError(f"Rollbar did not list its occurrences (HTTP {answer.status})")
        listed = tables(table(table(answer.document).get("result")).get("instances"))
        oldest = asking.probe.sent_at + min(answer.ahead, 0) - _SLACK
        for occurrence in listed:
            moment = occurrence.get("timestamp")
            if isinstance(moment, int | float) and moment < oldest:
                return
            yield occurrence
        if not listed:
            return


def _title(data: Mapping[str, Any]) -> str:
    """What the item says: its own title, its message, or its exception."""
    body = table(data.get("body"))
    exception = table(table(body.get("trace")).get("exception"))
    said = (data.get("title"), table(body.get("message")).get("body"), exception.get("message"))
    return next((str(text) for text in said if text), "(without words)")


def _nothing(asking: Asking, link: str) -> Reading:
    return waiting(
        "no item with this trace id",
        f"Does a path of services.{asking.service.name}.probe report one? "
        f"Read what it says about Rollbar: bootstrap logs {asking.service.name}",
        link,
    )

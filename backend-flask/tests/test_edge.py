"""Which trace headers count, and what they can and cannot do."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence import ALWAYS_SAMPLED, learn_rules, settle, trace_of
from receivers import AllVendors
from servers import MakeApp
from trace_headers import TRUSTED, new_trace_id, proven, root, sampled, traceparent

KEY = "made-up-key"
PUBLIC = {"TRACE_PROOF_KEY": KEY}
SPAN, SEGMENT = 16 * "b", 16 * "c"
HOME = "/api/activities/home"  # never sampled, if the daemon is asked


@dataclass(frozen=True)
class Found:
    """What became of one request."""

    trace_id: str
    server_span: Any
    segment: Any


def make(make_app: MakeApp, everything: AllVendors, environ: dict[str, str]) -> Flask:
    app = make_app({**everything.honeycomb.environ, **everything.xray.environ, **environ})
    learn_rules(app, everything)
    return app


def get(app: Flask, everything: AllVendors, headers: dict[str, str], path: str = HOME) -> Found:
    """Ask, and take away what arrives."""
    response = app.test_client().get(path, headers=headers)
    assert response.status_code == 200
    trace_id = trace_of(response)
    app.extensions["tracer_provider"].force_flush()
    settle(everything)
    spans = [received.span for received in everything.honeycomb.inbox.items]
    segments = list(everything.xray.inbox.items)
    everything.honeycomb.inbox.items.clear()
    everything.xray.inbox.items.clear()
    assert {span.trace_id.hex() for span in spans} <= {trace_id}
    assert {segment["trace_id"] for segment in segments} <= {root(trace_id)}
    servers = [span for span in spans if span.kind == span.SPAN_KIND_SERVER]
    assert len(servers) <= 1
    assert len(segments) <= 1
    return Found(trace_id, next(iter(servers), None), next(iter(segments), None))


def both(trace_id: str, xray_id: str | None = None, **fields: str) -> dict[str, str]:
    """What a caller sends whose trace is recorded by both vendors."""
    return {**traceparent(trace_id, SPAN), **sampled(xray_id or trace_id, Parent=SEGMENT, **fields)}


def test_proven_headers_are_adopted_by_both_vendors(make_app: MakeApp, everything: AllVendors) -> None:
    app = make(make_app, everything, PUBLIC)
    for age in (0, 500, -200):
        trace_id = new_trace_id(age)
        found = get(app, everything, both(trace_id) | proven(KEY, trace_id))
        assert found.trace_id == trace_id
        assert found.server_span.parent_span_id.hex() == SPAN
        assert found.segment["parent_id"] == SEGMENT

    trace_id = new_trace_id()
    unsampled = both(trace_id, Sampled="0") | proven(KEY, trace_id)
    found = get(app, everything, unsampled, ALWAYS_SAMPLED)
    assert (found.trace_id, found.segment) == (trace_id, None)

    unrecorded = traceparent(trace_id, flags="00") | sampled(trace_id) | proven(KEY, trace_id)
    found = get(app, everything, unrecorded)
    assert (found.trace_id, found.server_span) == (trace_id, None)
    assert found.segment


def test_trusted_headers_need_no_proof(make_app: MakeApp, everything: AllVendors) -> None:
    app = make(make_app, everything, TRUSTED)
    trace_id = new_trace_id()
    found = get(app, everything, both(trace_id))
    assert (found.trace_id, found.server_span.parent_span_id.hex()) == (trace_id, SPAN)
    assert found.segment["parent_id"] == SEGMENT

    # One header is enough for the id, but speaks for its own vendor only.
    found = get(app, everything, sampled(trace_id))
    assert (found.trace_id, found.server_span.parent_span_id) == (trace_id, b"")
    assert "parent_id" not in found.segment
    found = get(app, everything, traceparent(trace_id, SPAN, flags="03"))
    assert (found.trace_id, found.server_span.parent_span_id.hex()) == (trace_id, SPAN)
    assert found.segment is None
    found = get(app, everything, {"X-Amzn-Trace-Id": f"Root={root(trace_id)}"}, ALWAYS_SAMPLED)
    assert found.segment["trace_id"] == root(trace_id)


ID, OTHER = new_trace_id(), new_trace_id()
MALFORMED = {
    "no hexadecimal": both("x" * 32),
    "upper case": traceparent(ID.upper()) | {"X-Amzn-Trace-Id": f"Root={root(ID).upper()};Sampled=1"},
    "zeros": both("0" * 32),
    "zeros for X-Ray": sampled("0" * 32),
    "no span": traceparent(ID, "0" * 16),
    "more than version 00 has": {"traceparent": f"00-{ID}-{SPAN}-01-more"},
    "version ff": {"traceparent": f"ff-{ID}-{SPAN}-01"},
    "no flags": {"traceparent": f"00-{ID}-{SPAN}"},
    "no digit": {"traceparent": f"00-{ID}-{SPAN}-0\xb2"},
    "twice": {"traceparent": ",".join([f"00-{ID}-{SPAN}-01"] * 2)},
    "8 KB": both(ID * 250),
    "no root": {"X-Amzn-Trace-Id": f"Sampled=1;Parent={SEGMENT}"},
    "an undivided root": {"X-Amzn-Trace-Id": f"Root=1-{ID};Sampled=1"},
    "version 2": {"X-Amzn-Trace-Id": f"Root=2{root(ID)[1:]};Sampled=1"},
    "a good one beside a bad one": traceparent(ID) | {"X-Amzn-Trace-Id": "Root=bad;Sampled=1"},
    "a bad one beside a good one": {"traceparent": "bad", **sampled(ID)},
    "two traces": both(ID, OTHER),
}


def check_not_adopted(app: Flask, everything: AllVendors, headers: dict[str, str]) -> None:
    """Neither the id nor a parent is taken over, and the daemon's rules decide, whatever the headers say."""
    for path in (HOME, ALWAYS_SAMPLED):
        found = get(app, everything, headers, path)
        assert found.trace_id not in str(headers).replace("-", "")
        assert found.server_span.parent_span_id == b""
        assert (found.segment is not None) == (path == ALWAYS_SAMPLED)
        if found.segment:
            assert "parent_id" not in found.segment


def test_malformed_headers_do_not_count_even_when_trusted_or_proven(
    make_app: MakeApp, everything: AllVendors
) -> None:
    trusting = make(make_app, everything, TRUSTED)
    public = make(make_app, everything, {**PUBLIC, "TRACE_HEADERS": ""})
    for headers in MALFORMED.values():
        check_not_adopted(trusting, everything, headers)
        for trace_id in (ID, OTHER, "0" * 32):
            check_not_adopted(public, everything, headers | proven(KEY, trace_id))


def test_what_is_not_proven_does_not_count(make_app: MakeApp, everything: AllVendors) -> None:
    app = make(make_app, everything, PUBLIC)
    now, old, early = new_trace_id(), new_trace_id(age=700), new_trace_id(age=-700)
    ancient = f"00000001{now[8:]}"
    for headers in (
        both(now),
        both(now, Sampled="0"),
        both(now) | proven("another-key", now),
        both(now) | proven(KEY, OTHER),
        both(now) | {"X-Trace-Proof": ""},
        both(now) | {"X-Trace-Proof": KEY},
        both(now) | {"X-Trace-Proof": 10_000 * "a"},
        both(now) | {"X-Trace-Proof": "\xff"},
        *(both(trace_id) | proven(KEY, trace_id) for trace_id in (old, early, ancient)),
    ):
        check_not_adopted(app, everything, headers)


def test_without_a_key_nothing_can_be_proven(make_app: MakeApp, everything: AllVendors) -> None:
    app = make(make_app, everything, {"TRACE_PROOF_KEY": ""})
    for key in ("", KEY):
        check_not_adopted(app, everything, both(ID) | proven(key, ID))


# What a header can hold: Latin-1 without line ends.
ANY = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=200)
IDS = st.sampled_from([ID, ID.upper(), ID[:-1], "0" * 32, root(ID), ""]) | ANY
FIELDS = st.lists(
    st.tuples(st.sampled_from(["Root", "Parent", "Sampled", "Self", "root"]), IDS | st.sampled_from("01?")),
    max_size=6,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "traceparent": ANY | st.tuples(st.sampled_from(["00", "01", "ff"]), IDS, IDS, IDS).map("-".join),
        "X-Amzn-Trace-Id": ANY | FIELDS.map(lambda fields: ";".join(map("=".join, fields))),
        "X-Trace-Proof": ANY | IDS,
        "tracestate": ANY,
        "baggage": ANY,
    },
)


@pytest.fixture
def public(make_app: MakeApp, everything: AllVendors) -> Flask:
    return make(make_app, everything, PUBLIC)


@given(HEADERS)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_no_header_whatever_changes_a_public_services_trace(
    public: Flask, everything: AllVendors, headers: dict[str, str]
) -> None:
    check_not_adopted(public, everything, headers)

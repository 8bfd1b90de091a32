"""What Honeycomb shows of a trace to each kind of key, and the cause where it shows nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.vendors.keys.honeycomb import HERE, MANAGES, SENDS, THERE
from bootstrap.verification.interface import Arrival
from tests.stand_ins.honeycomb import Honeycomb, configuration_key, ingest_key
from tests.stand_ins.server import Fixed, json_response
from tests.vendors.asking import NAME, PAGE, asking, found_in, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.verification.interface import Asking

READS = ("createDatasets", "queries", "columns", "boards")


@pytest.fixture
def honeycomb() -> Iterator[Honeycomb]:
    with Honeycomb() as server:
        yield server


def ingest(honeycomb: Honeycomb) -> Asking:
    key = honeycomb.add(ingest_key(), "createDatasets")
    return asking({SENDS: key}, {HERE: honeycomb.url})


def both(honeycomb: Honeycomb, *permissions: str, **more: Any) -> Asking:
    sends = honeycomb.add(ingest_key(), "createDatasets")
    reads = honeycomb.add(configuration_key(), *(permissions or READS), **more)
    return asking({SENDS: sends, MANAGES: reads}, {HERE: honeycomb.url})


def test_an_ingest_key_shows_that_spans_are_taken_and_no_more(honeycomb: Honeycomb) -> None:
    given = ingest(honeycomb)
    reading = look_at("honeycomb", given)()
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert "bootstrap secrets set HONEYCOMB_CONFIGURATION_KEY" in reading.hint
    base = "https://ui.honeycomb.io/acme-shops/environments/production/datasets/posts/trace?"
    sent = int(given.probe.sent_at)
    assert reading.link == (
        f"{base}trace_id={given.probe.trace_id}&trace_start_ts={sent - 60}&trace_end_ts={sent + 600}"
    )
    (message,) = honeycomb.received
    (spans,) = message.resource_spans
    assert spans.resource.attributes[0].value.string_value == NAME
    (span,) = spans.scope_spans[0].spans
    assert (span.trace_id.hex(), span.span_id.hex()) == (given.probe.trace_id, given.probe.span_id)


def test_a_dataset_that_was_written_since_is_all_that_most_plans_show(honeycomb: Honeycomb) -> None:
    given = both(honeycomb)
    look = look_at("honeycomb", given)
    assert look().detail == "'production' has no dataset 'posts'"
    honeycomb.write(NAME)
    reading = look()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, True)
    assert "after the probe" in reading.detail
    assert "Enterprise" in reading.detail
    # Nothing of ours went there: it would have made the dataset newer.
    assert honeycomb.received == []


def test_a_dataset_that_was_written_before_is_no_evidence(honeycomb: Honeycomb) -> None:
    given = both(honeycomb)
    honeycomb.write(NAME)
    last = honeycomb.datasets[NAME]
    assert last is not None
    honeycomb.datasets[NAME] = last - timedelta(seconds=2)
    reading = look_at("honeycomb", given)()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "before the probe" in reading.detail
    honeycomb.datasets[NAME] = None
    assert look_at("honeycomb", given)().state is Arrival.MISSING


def test_the_query_data_api_counts_the_trace_s_own_spans(honeycomb: Honeycomb) -> None:
    honeycomb.enterprise = True
    given = both(honeycomb)
    honeycomb.write(NAME, given.probe.trace_id, 4)
    reading = look_at("honeycomb", given)()
    assert (reading.state, reading.settled) == (Arrival.ARRIVED, True)
    assert reading.detail == "4 spans of the trace in the dataset 'posts'"


def test_somebody_else_s_spans_are_told_apart(honeycomb: Honeycomb) -> None:
    honeycomb.enterprise = True
    given = both(honeycomb)
    honeycomb.write(NAME, "another trace")
    look = look_at("honeycomb", given)
    for _ in range(3):
        reading = look()
        assert (reading.state, reading.settled) == (Arrival.MISSING, False)
        assert "by no span of this trace" in reading.detail
    runs = [request for request in honeycomb.requests if request.path == "/1/query_results/posts"]
    assert len(runs) == 1  # ten a minute are all that there are


def test_a_key_without_queries_falls_back(honeycomb: Honeycomb) -> None:
    given = both(honeycomb, "createDatasets")
    honeycomb.write(NAME)
    reading = look_at("honeycomb", given)()
    assert reading.state is Arrival.ARRIVED
    assert "the key may not make queries" in reading.detail


def test_a_key_that_may_not_list_datasets_is_named(honeycomb: Honeycomb) -> None:
    reading = look_at("honeycomb", both(honeycomb, "queries"))()
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert "Create Datasets" in reading.hint


def test_a_reading_key_of_another_environment_is_named(honeycomb: Honeycomb) -> None:
    reading = look_at("honeycomb", both(honeycomb, *READS, environment="staging"))()
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert "reads the environment 'staging'" in reading.detail
    assert "send to 'production'" in reading.detail


def test_an_unknown_reading_key_is_named(honeycomb: Honeycomb) -> None:
    given = both(honeycomb)
    wrong = asking({**given.values, MANAGES: configuration_key()}, given.environ)
    reading = look_at("honeycomb", wrong)()
    assert (reading.state, reading.settled) == (Arrival.ACCEPTED, True)
    assert "does not know it" in reading.detail


def test_a_wrong_key_settles_it(honeycomb: Honeycomb) -> None:
    reading = look_at("honeycomb", asking({SENDS: ingest_key()}, {HERE: honeycomb.url}))()
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert "does not know this key" in reading.detail
    assert "bootstrap secrets set HONEYCOMB_API_KEY" in reading.hint


def test_a_key_of_the_other_region_settles_it(honeycomb: Honeycomb) -> None:
    with Honeycomb() as eu:
        values = {SENDS: eu.add(ingest_key(), "createDatasets")}
        reading = look_at("honeycomb", asking(values, {HERE: honeycomb.url, THERE: eu.url}))()
    assert (reading.state, reading.settled) == (Arrival.MISSING, True)
    assert "region 'eu'" in reading.detail
    assert 'region = "eu"' in reading.hint


def test_a_wrong_clock_is_named(honeycomb: Honeycomb) -> None:
    honeycomb.ahead = timedelta(minutes=10)
    given = both(honeycomb)
    honeycomb.write(NAME)
    last = honeycomb.datasets[NAME]
    assert last is not None
    honeycomb.datasets[NAME] = last - timedelta(seconds=30)
    reading = look_at("honeycomb", given)()
    assert reading.state is Arrival.MISSING  # by our own clock it would have been written afterwards
    assert "this machine's clock is 600 s behind" in reading.detail.replace("599", "600")
    assert "clock" in reading.hint
    honeycomb.write(NAME)
    assert look_at("honeycomb", given)().state is Arrival.ARRIVED


def test_spans_without_a_name_are_noticed(honeycomb: Honeycomb) -> None:
    given = both(honeycomb)
    honeycomb.write("unknown_service")
    reading = look_at("honeycomb", given)()
    assert reading.state is Arrival.MISSING
    assert "'unknown_service'" in reading.detail
    assert "OTEL_SERVICE_NAME" in reading.hint


def test_who_does_not_answer_is_asked_again() -> None:
    with Fixed(json_response(503, {"error": "later"})) as server:
        reading = look_at("honeycomb", asking({SENDS: ingest_key()}, {HERE: server.url}))()
    assert (reading.state, reading.settled) == (Arrival.MISSING, False)
    assert "HTTP 503" in reading.detail
    assert look_at("honeycomb", asking({}, {}))().settled


def test_the_collector_s_spans_are_found() -> None:
    given = asking({}, {})
    span = {
        "service": NAME,
        "name": "GET /",
        "parent_span_id": given.probe.span_id,
        "attributes": {"http.route": "/", "url.path": "/", "app.result_length": 3, "team": ["a"]},
    }
    inner = {"service": NAME, "name": "inner", "parent_span_id": "f" * 16, "attributes": {}}
    reading = found_in("honeycomb", given, {"spans": [span, inner]})
    assert (reading.state, reading.settled, reading.link) == (Arrival.ARRIVED, True, PAGE)
    assert reading.detail == "2 spans: GET /, inner"
    assert reading.evidence == (("app.result_length", "3"), ("team", '["a"]'))
    assert not found_in("honeycomb", given, {"spans": [inner]}).settled
    other = found_in("honeycomb", given, {"spans": [{**span, "service": "unknown_service:python"}]})
    assert (other.state, other.settled) == (Arrival.MISSING, False)
    assert "unknown_service:python" in other.detail

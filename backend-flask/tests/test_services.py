"""What the services do where no route leads, and what they tell the log and the trace."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import LISTS, POSTS
from receivers import OtlpSink
from servers import MakeApp
from services import create_activity, create_message, create_reply, messages
from services.errors import InvalidInput
from services.faults import faults_in

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=[])),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_whatever_json_holds_is_a_usable_text_or_has_one_fault(value: object) -> None:
    faults = faults_in("it", value, max_chars=10)
    if isinstance(value, str) and value.strip() and len(value) <= 10 and not any(map(is_surrogate, value)):
        assert faults == []
        value.encode()
    else:
        assert len(faults) == 1
        assert faults[0].startswith("it_")


def is_surrogate(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF


@pytest.mark.parametrize(
    ("run", "faults"),
    [
        (
            lambda: create_activity.run(message="", ttl="", user_handle=""),
            ["ttl_blank", "user_handle_blank", "message_blank"],
        ),
        (
            lambda: create_reply.run(message="", user_handle="", activity_uuid=""),
            ["user_handle_blank", "activity_uuid_blank", "message_blank"],
        ),
        (
            lambda: create_message.run(message="", user_sender_handle="", user_receiver_handle=""),
            ["user_sender_handle_blank", "user_reciever_handle_blank", "message_blank"],
        ),
        (
            lambda: messages.run(user_sender_handle="", user_receiver_handle=""),
            ["user_sender_handle_blank", "user_reciever_handle_blank"],
        ),
    ],
)
def test_a_blank_user_is_a_fault_among_the_others(run: Callable[[], object], faults: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        run()
    assert caught.value.messages == faults


def test_notifications_are_a_trace_of_two_spans(make_app: MakeApp, otlp: OtlpSink) -> None:
    app = make_app(otlp.environ)
    app.test_client().get("/api/activities/notifications")
    app.extensions["tracer_provider"].force_flush()
    inner, outer = otlp.inbox.items
    assert outer.span.name == "GET /api/activities/notifications"
    assert inner.span.name == "notifications-mock-data"
    assert inner.span.parent_span_id == outer.span.span_id
    assert inner.attributes.keys() == {"app.now", "app.result_length"}
    assert inner.attributes["app.result_length"] == 1


@pytest.mark.parametrize(("path", "count"), [entry for entry in LISTS if "made-up" not in entry[0]])
def test_lists_are_logged_by_their_length(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, path: str, count: int
) -> None:
    with caplog.at_level(logging.INFO, "services"):
        make_app({}).test_client().get(path)
    (record,) = caplog.records
    assert record.__dict__["results"] == count


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_what_is_created_is_logged_by_its_id_and_not_by_its_text(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, path: str, body: dict[str, object]
) -> None:
    with caplog.at_level(logging.INFO, "services"):
        response = make_app({}).test_client().post(path, json=body | {"message": "private"})
    created: Any = response.json
    (record,) = caplog.records
    assert created["uuid"] in record.__dict__.values()
    assert "private" not in str(record.__dict__)

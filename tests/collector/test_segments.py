from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.telemetry.segments import MAX_DOCUMENT, InvalidSegmentError, assemble, decode

if TYPE_CHECKING:
    from bootstrap.collector.telemetry.records import Segment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def document(**overrides: Any) -> dict[str, Any]:
    plain = {
        "name": "backend-flask",
        "id": "53995c3f42cd8ad8",
        "trace_id": "1-58406520-a006649127e371903a2de979",
        "start_time": 1.478293361271e9,
        "end_time": 1.478293361449e9,
    }
    return {key: value for key, value in (plain | overrides).items() if value is not ...}


def read(**overrides: Any) -> Segment:
    return decode(json.dumps(document(**overrides)).encode())


def streamed(identity: str, parent: str, **overrides: Any) -> Segment:
    return read(type="subsegment", id=identity * 16, parent_id=parent * 16, **overrides)


def test_a_segment() -> None:
    segment = read(annotations={"user": "andrewbrown"}, fault=True)
    assert segment.trace_id == "58406520a006649127e371903a2de979"
    assert (segment.start_ns, segment.end_ns) == (1478293361271000000, 1478293361449000000)
    assert (segment.is_subsegment, segment.parent_id, segment.error) == (False, None, True)
    assert segment.document == document(annotations={"user": "andrewbrown"}, fault=True)


def test_a_running_segment_has_no_end() -> None:
    assert read(end_time=..., in_progress=True).end_ns is None


def test_a_subsegment_of_its_own() -> None:
    segment = streamed("b", "A")
    assert (segment.is_subsegment, segment.parent_id) == (True, "a" * 16)


@pytest.mark.parametrize("name", ["a_b.c:/%&#=+\\-@ 1", "コーヒー", "n" * 200, "½"])
def test_a_name_of_any_language(name: str) -> None:
    assert read(name=name).name == name


def test_the_largest_document() -> None:
    size = len(json.dumps(document(metadata={"a": ""})))
    assert read(metadata={"a": "x" * (MAX_DOCUMENT - size)}).document["metadata"]


INVALID = {
    "no name": {"name": ...},
    "empty name": {"name": ""},
    "endless name": {"name": "n" * 201},
    "a name with other signs": {"name": "shop?"},
    "a subsegment's name with other signs": {
        "subsegments": [{"id": "53995c3f42cd8ad9", "name": "<b>", "start_time": 1.0, "end_time": 2.0}]
    },
    "too large": {"metadata": {"a": "x" * MAX_DOCUMENT}},
    "no id": {"id": ...},
    "short id": {"id": "53995c3f42cd8ad"},
    "id with a newline": {"id": "53995c3f42cd8ad8\n"},
    "no trace id": {"trace_id": ...},
    "W3C trace id": {"trace_id": "58406520a006649127e371903a2de979"},
    "unsampled trace id": {"trace_id": "1-00000000-000000000000000000000000"},
    "no start": {"start_time": ...},
    "start as text": {"start_time": "now"},
    "start before 1970": {"start_time": -1},
    "start beyond SQLite's integers": {"start_time": 1e300},
    "neither end nor in progress": {"end_time": ...},
    "subsegment without parent": {"type": "subsegment"},
    "unknown type": {"type": "supersegment"},
    "annotations as a list": {"annotations": []},
    "metadata as text": {"metadata": "text"},
    "http as text": {"http": "text"},
    "subsegments as a number": {"subsegments": 3},
    "a nameless subsegment": {"subsegments": [{"id": "53995c3f42cd8ad9", "start_time": 1.0}]},
}


@pytest.mark.parametrize("overrides", INVALID.values(), ids=INVALID.keys())
def test_invalid(overrides: dict[str, Any]) -> None:
    with pytest.raises(InvalidSegmentError):
        read(**overrides)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"name": "\\ud800"}'])
def test_not_a_document(text: bytes) -> None:
    with pytest.raises(InvalidSegmentError):
        decode(text)


@given(st.dictionaries(st.sampled_from([*document(), "type", "parent_id", "subsegments", "metadata"]), JSON))
def test_any_json_is_a_segment_or_invalid(overrides: dict[str, Any]) -> None:
    try:
        assemble([read(**overrides)])
    except InvalidSegmentError:
        return


def test_streamed_subsegments_are_put_below_their_parents() -> None:
    root = read(
        id="a" * 16, subsegments=[{"id": "b" * 16, "name": "mock-data", "start_time": 1.0, "end_time": 2.0}]
    )
    [tree] = assemble([streamed("d", "c"), streamed("c", "b"), root, streamed("e", "a")])
    assert [part["id"][0] for part in tree["subsegments"]] == ["b", "e"]
    assert tree["subsegments"][0]["subsegments"][0]["subsegments"][0]["id"] == "d" * 16


def test_a_finished_subsegment_replaces_what_its_parent_said_while_it_ran() -> None:
    root = read(
        id="a" * 16, subsegments=[{"id": "b" * 16, "name": "running", "start_time": 1.0, "in_progress": True}]
    )
    [tree] = assemble([root, streamed("b", "a", name="finished")])
    assert [part["name"] for part in tree["subsegments"]] == ["finished"]


def test_orphans_and_circles_stay_at_the_top() -> None:
    alone = [streamed("a", "f"), streamed("b", "c"), streamed("c", "b"), streamed("d", "d")]
    assert sorted(part["id"][0] for part in assemble(alone)) == ["a", "b", "c", "d"]


def test_an_endless_chain_can_still_be_written_down() -> None:
    chain = [
        read(type="subsegment", id=f"{number:016x}", parent_id=f"{number - 1:016x}")
        for number in range(1, 3000)
    ]
    trees = assemble([read(id="0" * 16), *chain])
    text = json.dumps(trees)
    assert all(f'"{number:016x}"' in text for number in range(3000))

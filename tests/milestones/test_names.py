"""Names of milestones: read back as they were written, and never taken for another's."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.milestones.names import Names, Place, typed

PREFIXES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,8}\Z")
PLACES = st.builds(Place, st.integers(0, 999_999), st.booleans())
WEEKS = Names()


@given(PREFIXES, PLACES)
def test_a_name_leads_back_to_its_place(prefix: str, place: Place) -> None:
    names = Names(prefix)
    assert names.place(names.of(place)) == place
    assert names.drift(names.of(place)) is None


@given(PREFIXES, st.text())
def test_what_is_read_is_written_the_same(prefix: str, name: str) -> None:
    names = Names(prefix)
    place = names.place(name)
    assert place is None or names.of(place) == name
    drift = names.drift(name)
    assert drift is None or (names.place(drift.meant) is not None and drift.meant != name)


@pytest.mark.parametrize(
    ("name", "meant", "plain"),
    [
        ("Week3", "week3", True),
        ("week03", "week3", True),
        ("week_3", "week3", True),
        ("week-3-start", "week3-start", True),
        ("week3start", "week3-start", True),
        ("week3-begin", "week3-start", True),
        ("week2-end", "week2", True),
        ("week2_finished", "week2", True),
        ("week6-7", "week7", False),
        ("week6-7-start", "week6-start", False),
        ("week8_code", "week8", False),
        ("week2-start-again", "week2-start", False),
    ],
)
def test_what_is_meant(name: str, meant: str, plain: bool) -> None:  # noqa: FBT001 - a column of the table
    drift = WEEKS.drift(name)
    assert drift is not None
    assert (drift.meant, drift.plain) == (meant, plain)


@pytest.mark.parametrize(
    "name", ["weekly", "week", "week2/a", "week1.0", "week٣", "week2\n", "old-week2", "v1.0", ""]
)
def test_what_is_no_milestone(name: str) -> None:
    assert WEEKS.place(name) is None
    assert WEEKS.drift(name) is None


def test_places_are_in_the_order_of_the_weeks() -> None:
    names = ["week10", "week2", "week2-start", "week1", "week10-start"]
    ordered = sorted(names, key=lambda name: WEEKS.place(name) or Place(0, finished=False))
    assert ordered == ["week1", "week2-start", "week2", "week10-start", "week10"]


def test_a_name_is_written_so_that_a_shell_reads_it_and_a_terminal_shows_it() -> None:
    raw = (
        b"week1",
        b"it's $(here)",
        b"-x",
        b"\xff\xfe1'\\",
        "week3\u202etrats".encode(),
        "Übung 🎉".encode(),
    )
    names = [os.fsdecode(name) for name in raw]
    line = typed(*names)
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[1:-1] == list(raw)

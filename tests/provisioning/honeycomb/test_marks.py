"""Our mark, in descriptions and in tags: what is put in comes out, within Honeycomb's limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.model.errors import UsageError
from bootstrap.provisioning.honeycomb.marks import Mark, is_of, join, merged, of_tags, split, tags_of
from bootstrap.provisioning.interface import Owner

OWN = Owner("github.com/acme/cruddur", "hcxlk_01j2abcdefghijklmnopqrstuv")
#: a repository may be the path of a folder, and that any bytes but none
WORDS = (
    st.text(min_size=1, max_size=200)
    .map(lambda text: text.encode("utf-8", "surrogatepass"))
    .map(lambda raw: raw.replace(b"\0", b"0").decode("utf-8", "surrogateescape"))
)
OWNERS = st.builds(Owner, WORDS, WORDS.map(lambda text: text[:60]))
MARKS = st.builds(Mark, OWNERS, st.booleans(), st.from_regex("[0-9a-f]{0,12}", fullmatch=True))


@given(text=st.text(max_size=200), mark=MARKS, own=st.just(OWN) | OWNERS)
def test_a_description_gives_back_text_and_mark(text: str, mark: Mark, own: Owner) -> None:
    whole = join(text, mark, 100_000)
    assert split(whole, own) == (re.sub(r"\s+\Z", "", text, flags=re.ASCII), mark)


@given(mark=MARKS, most=st.sampled_from([255, 1023, 1024]))
def test_a_mark_of_ours_is_read_back_however_little_room_there_is(mark: Mark, most: int) -> None:
    if most < 1023:  # the maker alone could be too long for a column, and no key's id is
        mark = replace(mark, owner=Owner(mark.owner.repository, OWN.maker))
    whole = join("Some text.", mark, most)
    assert len(whole) <= most
    assert split(whole, mark.owner) == ("Some text.", mark)


@given(st.text(max_size=300))
def test_what_people_write_is_no_mark(text: str) -> None:
    assert split(text, OWN) == (text, None)


@pytest.mark.parametrize(
    "text",
    [
        "(bootstrap)",
        "(bootstrap maker=a)",
        "(bootstrap repository=a)",
        "(bootstrap repository=a maker=b) and more",
        "bootstrap repository=a maker=b",
    ],
)
def test_half_a_mark_is_none(text: str) -> None:
    assert split(text, OWN) == (text, None)


@given(mark=MARKS, project=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}", fullmatch=True))
def test_tags_give_back_the_mark_within_their_limits(mark: Mark, project: str) -> None:
    tags = tags_of(mark, project)
    assert all(re.fullmatch("[a-z]{1,32}", key) for key in tags)
    assert all(re.fullmatch("[a-z][a-z0-9/-]{0,127}", value) for value in tags.values())
    assert of_tags(tags, mark.owner) == Mark(mark.owner, mark.adopted)
    assert is_of(tags, project)
    assert not is_of(tags, f"{project}x")


@given(mark=MARKS)
def test_somebody_elses_tags_say_whose_they_are_where_there_is_room(mark: Mark) -> None:
    found = of_tags(tags_of(mark, "cruddur"), OWN)
    assert found is not None
    assert (found.owner == OWN) == (mark.owner == OWN)
    encoded = [
        len(part.encode("utf-8", "surrogateescape")) * 3 for part in (mark.owner.repository, mark.owner.maker)
    ]
    if max(encoded) + 3 <= 128:
        assert found.owner == mark.owner


def test_a_text_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(UsageError, match="too long for our mark"):
        join("x" * 200, Mark(OWN), 255)


def test_a_tag_reads_like_what_it_says() -> None:
    assert tags_of(Mark(OWN), "Cruddur 2") == {
        "bootstraprepository": "in/github-2ecom/acme/cruddur",
        "bootstrapproject": "of/-43ruddur-202",
        "bootstrapmaker": "by/hcxlk-5f01j2abcdefghijklmnopqrstuv",
    }


def test_others_tags_are_kept_as_far_as_there_is_room() -> None:
    ours = tags_of(Mark(OWN), "cruddur")
    others = [{"key": f"k{letter}", "value": "v"} for letter in "abcdefg"]
    stale = [{"key": "bootstrapmaker", "value": "by/other"}]
    assert merged([*others, *stale], ours) == [
        *others,
        *({"key": key, "value": value} for key, value in ours.items()),
    ]
    with pytest.raises(UsageError, match="8 tags"):
        merged([*others, {"key": "kh", "value": "v"}], ours)

"""Tag objects: written as they were read, and different in nothing but what was asked for."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bootstrap.milestones.tag_object import TagObject, id_of
from tests.conftest import Repository

IDS = st.text("0123456789abcdef", min_size=40, max_size=40)
LINES = st.binary(max_size=30).map(lambda data: data.replace(b"\n", b" "))
MORE = st.lists(LINES.filter(bool), max_size=3).map(tuple)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), min_size=1, max_size=20)
OBJECTS = st.builds(
    TagObject, IDS, st.sampled_from(("commit", "tag", "tree", "blob")), NAMES, MORE, st.binary(max_size=200)
)


@given(OBJECTS)
def test_what_is_written_is_read(tag: TagObject) -> None:
    assert TagObject.read(tag.write()) == tag


@given(OBJECTS, NAMES)
def test_another_name_changes_one_line(tag: TagObject, name: str) -> None:
    old, new = tag.write(), replace(tag, name=name).write()
    head, tail = f"object {tag.target}\ntype {tag.kind}\ntag ", tag.name
    assert old.startswith((head + tail + "\n").encode())
    assert new == (head + name).encode() + old.removeprefix((head + tail).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_the_same_or_refused(data: bytes) -> None:
    try:
        tag = TagObject.read(data)
    except ValueError:
        return
    assert tag.write() == data


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_the_id_is_the_one_that_git_gives(repository: Repository, form: str) -> None:
    root = repository.root / form
    subprocess.run(["git", "init", "--quiet", f"--object-format={form}", str(root)], check=True)
    inner = Repository(root)
    inner.commit("First")
    inner.git("tag", "--annotate", "--message", "wörds\n\nand more", "week1")
    one = inner.git("rev-parse", "refs/tags/week1").strip()
    raw = subprocess.run(["git", "cat-file", "tag", one], cwd=root, capture_output=True, check=True).stdout
    tag = TagObject.read(raw)
    assert (tag.write(), id_of(raw, one)) == (raw, one)
    assert (tag.name, tag.who, tag.subject, tag.signed) == ("week1", "A Tester", "wörds", False)


@pytest.mark.parametrize(
    ("more", "message", "signed"),
    [
        ((), b"word\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n", True),
        ((), b"word\n-----BEGIN SSH SIGNATURE-----\nx\n", True),
        ((), b"word\n-----BEGIN PGP MESSAGE-----\nx\n", True),
        ((), b"word\n-----BEGIN SIGNED MESSAGE-----\nx\n", True),
        ((b"gpgsig-sha256 -----BEGIN PGP SIGNATURE-----",), b"word\n", True),
        ((), b"about -----BEGIN PGP SIGNATURE----- in a line\n", False),
        ((), b"word\n", False),
    ],
)
def test_signatures(more: tuple[bytes, ...], message: bytes, signed: bool) -> None:  # noqa: FBT001 - a column
    tag = TagObject("0" * 40, "commit", "week1", more, message)
    assert tag.signed is signed
    assert tag.unsigned_message in (b"word\n", message)

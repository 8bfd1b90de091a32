"""A document: who changes it, what may stand in its place, and that damage is never written over."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.system.document import Document
from bootstrap.system.lock import Lock
from bootstrap.system.private import PrivateFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return Document(PrivateFolder(tmp_path / "kept" / "here"), "things")


@pytest.fixture
def written(document: Document) -> Document:
    with document.change() as data:
        data["old"] = "old-value"
    return document


def state(path: Path) -> tuple[int, ...]:
    """Whatever changes when the file does."""
    status = path.lstat()
    return (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def beside(document: Document) -> set[str]:
    return {path.name for path in document.path.parent.iterdir()} - {document.path.name}


def test_there_is_nothing_before_the_first_change(document: Document) -> None:
    assert document.read() == {}
    assert not document.path.parent.exists()


def test_what_is_written_is_read_by_another(written: Document) -> None:
    assert Document(PrivateFolder(written.path.parent), "things").read() == {"old": "old-value"}
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.path.parent.stat().st_mode) == 0o700


def test_without_a_change_nothing_is_written(written: Document) -> None:
    before = state(written.path)
    with written.change() as data:
        data.update(old="old-value")
    assert state(written.path) == before


def test_a_change_that_fails_changes_nothing(written: Document) -> None:
    with contextlib.suppress(KeyError), written.change() as data:
        data.clear()
        del data["absent"]
    assert written.read() == {"old": "old-value"}
    with written.change() as data:  # and the lock is free
        data["new"] = 1


@pytest.mark.parametrize("remains", [b"", b"{", b"[]", b"null", b'{"old": "\xff"}', b"[" * 200_000, b"{}x"])
def test_what_is_damaged_is_named_and_left_as_it_is(remains: bytes, written: Document) -> None:
    written.path.write_bytes(remains)
    for attempt in (written.read, lambda: written.change().__enter__()):
        with pytest.raises(BootstrapError, match=r"things\.json: is not whole, and is left as it is"):
            attempt()
    assert written.path.read_bytes() == remains
    assert Lock(written.path.with_name(".things.json.lock")).acquire()


def put(kind: str, path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    if kind == "a link":
        path.symlink_to("elsewhere")
    elif kind == "a link to nothing":
        path.symlink_to("nowhere")
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.write_text("{}")
        path.chmod(int(kind, 8))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("a link", "cannot read: too many levels of symbolic links"),
        ("a link to nothing", "cannot read: too many levels of symbolic links"),
        ("a folder", "is not a file of yours"),
        ("a pipe", "is not a file of yours"),
        ("644", r"others may read it \(mode 0644\)"),
        ("640", r"others may read it \(mode 0640\)"),
        ("602", r"others may read it \(mode 0602\)"),
    ],
)
def test_what_is_not_ours_alone_is_neither_read_nor_replaced(
    kind: str, words: str, written: Document
) -> None:
    put(kind, written.path)
    before = state(written.path)
    for attempt in (written.read, lambda: written.change().__enter__()):
        with pytest.raises(BootstrapError, match=words) as refused:
            attempt()
        assert "things.json" in refused.value.message
        assert refused.value.hint
    assert state(written.path) == before
    assert json.loads(written.path.with_name("elsewhere").read_text()) == {"old": "old-value"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_read(written: Document) -> None:
    os.chown(written.path, 65534, -1)
    with pytest.raises(BootstrapError, match="is not a file of yours"):
        written.read()


def test_the_next_change_removes_what_a_killed_writer_has_left(written: Document) -> None:
    folder = written.path.parent
    (folder / ".things.json.0123456789ab.tmp").write_text("old-value")
    (folder / ".others.json.0123456789ab.tmp").write_text("not ours")
    with written.change():
        pass  # even where it changes nothing
    assert beside(written) == {".things.json.lock", ".others.json.0123456789ab.tmp"}

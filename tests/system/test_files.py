"""Files are written whole or not at all, and never through a symbolic link."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def files(tmp_path: Path) -> ProjectFiles:
    (tmp_path / "project").mkdir()
    return ProjectFiles(tmp_path / "project")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read_back(files: ProjectFiles) -> None:
    for data in (b"", b"one\n", b"\0\xff\r\n", b"x" * 1_000_000):
        files.write("a/b/c.txt", data)
        assert files.read("a/b/c.txt") == data
    assert [path.name for path in (files.root / "a/b").iterdir()] == ["c.txt"]


def test_what_is_not_there_is_none(files: ProjectFiles) -> None:
    assert files.read("a") is None
    assert files.read("a/b/c") is None
    assert files.mode("a/b/c") is None
    files.remove("a/b/c")


def test_a_reader_keeps_the_old_file_whole(files: ProjectFiles) -> None:
    files.write("a", b"old" * 1000)
    with (files.root / "a").open("rb") as reader:
        files.write("a", b"new")
        assert reader.read() == b"old" * 1000
    assert files.read("a") == b"new"


@pytest.mark.parametrize(
    ("before", "wanted", "umask", "after"),
    [
        (None, None, 0o022, 0o644),
        (None, None, 0o077, 0o600),
        (None, 0o600, 0o000, 0o600),
        (None, 0o755, 0o077, 0o755),
        (0o640, None, 0o022, 0o640),
        (0o644, 0o600, 0o022, 0o600),
        (0o755, None, 0o077, 0o755),
    ],
)
def test_modes(before: int | None, wanted: int | None, umask: int, after: int, files: ProjectFiles) -> None:
    if before is not None:
        files.write("a", b"old", mode=before)
    held = os.umask(umask)
    try:
        files.write("a", b"new", mode=wanted)
    finally:
        os.umask(held)
    assert files.mode("a") == mode(files.root / "a") == after


LINKS = {
    "the file": ("a/b/c.txt", "a/b/c.txt", "../../../outside/c.txt"),
    "the file, to nowhere": ("a/b/new.txt", "a/b/new.txt", "nowhere"),
    "its folder": ("a/b/c.txt", "a/b", "../../outside"),
    "a folder above": ("a/b/c.txt", "a", "../outside"),
    "a folder inside the project": ("a/b/c.txt", "a/b", "../real"),
}


@pytest.mark.parametrize("case", LINKS)
def test_no_link_is_followed(case: str, files: ProjectFiles) -> None:
    path, link, target = LINKS[case]
    outside = files.root.parent / "outside"
    for folder in (outside, outside / "b", files.root / "real"):
        folder.mkdir()
        (folder / "c.txt").write_text("precious")
    (files.root / link).parent.mkdir(parents=True, exist_ok=True)
    (files.root / link).symlink_to(target)
    acts: list[Callable[[], object]] = [lambda: files.read(path), lambda: files.write(path, b"x")]
    for act in acts:
        with pytest.raises(BootstrapError, match=f"^{path}: cannot ") as caught:
            act()
        assert "symbolic link" in caught.value.hint
    assert {found.read_text() for found in files.root.parent.rglob("c.txt")} == {"precious"}
    assert not list(files.root.parent.rglob("nowhere"))


def test_removing_removes_the_link_and_not_what_it_leads_to(files: ProjectFiles) -> None:
    target = files.root.parent / "precious"
    target.write_text("x")
    (files.root / "a").symlink_to(target)
    (files.root / "b").symlink_to(files.root.parent)
    files.remove("a")
    assert target.exists()
    with pytest.raises(BootstrapError, match=r"^b/precious: cannot remove"):
        files.remove("b/precious")
    assert target.exists()


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../../b", "a/..", ".."])
def test_a_path_out_of_the_project_is_refused(path: str, files: ProjectFiles) -> None:
    acts: list[Callable[[], object]] = [
        lambda: files.read(path),
        lambda: files.write(path, b"x"),
        lambda: files.remove(path),
    ]
    for act in acts:
        with pytest.raises(BootstrapError, match="is not a path inside the project"):
            act()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_taken_for_one(kind: str, files: ProjectFiles) -> None:
    path = files.root / "a"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(BootstrapError, match=r"^a: (is not a regular file|cannot read: is a directory)"):
        files.read("a")
    if kind == "folder":
        with pytest.raises(BootstrapError, match=r"^a: cannot write: is a directory"):
            files.write("a", b"x")


def test_a_failure_leaves_nothing_beside_the_target(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_many_writes_leak_no_handle(files: ProjectFiles) -> None:
    files.write("a/b", b"x")
    before = len(list(Path("/dev/fd").iterdir()))
    for number in range(50):
        files.write("a/b", str(number).encode())
        files.read("a/b")
        files.mode("a/nothing/b")
        with pytest.raises(BootstrapError):
            files.read("a/b/c")
    assert len(list(Path("/dev/fd").iterdir())) == before

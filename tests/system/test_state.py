"""What this machine remembers about a project: private, outside of it, and no loss when it is gone."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.system.state import State

if TYPE_CHECKING:
    from pathlib import Path


def state(tmp_path: Path, project: str = "project") -> State:
    (tmp_path / project).mkdir(exist_ok=True)
    return State(tmp_path / project, {"XDG_STATE_HOME": str(tmp_path / "state")})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    one = state(tmp_path)
    assert one.read("run") is None
    one.write("run", {"pid": 1, "url": "é"})
    assert state(tmp_path).read("run") == {"pid": 1, "url": "é"}
    one.forget("run")
    one.forget("run")
    assert one.read("run") is None


def test_it_is_private(tmp_path: Path) -> None:
    one = state(tmp_path)
    held = os.umask(0)
    try:
        one.write("run", {"token": "plainly-fake"})
    finally:
        os.umask(held)
    assert stat.S_IMODE(one.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((one.directory / "run.json").stat().st_mode) == 0o600
    one.directory.chmod(0o755)
    assert stat.S_IMODE(one.directory.stat().st_mode) == 0o700


def test_two_projects_never_share_one(tmp_path: Path) -> None:
    one, other = state(tmp_path, "one"), state(tmp_path, "other")
    one.write("run", {"a": 1})
    assert other.read("run") is None
    (tmp_path / "link").symlink_to("one")
    same = State(tmp_path / "link", {"XDG_STATE_HOME": str(tmp_path / "state")})
    assert same.read("run") == {"a": 1}


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff", b"null"])
def test_what_is_damaged_counts_as_none(damage: bytes, tmp_path: Path) -> None:
    one = state(tmp_path)
    one.write("run", {})
    (one.directory / "run.json").write_bytes(damage)
    assert one.read("run") is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "{}/s", "HOME": "{}/h"}, "s/bootstrap"),
        ({"XDG_STATE_HOME": "", "HOME": "{}/h"}, "h/.local/state/bootstrap"),
        ({"XDG_STATE_HOME": "relative", "HOME": "{}/h"}, "h/.local/state/bootstrap"),
        ({"HOME": "{}/h"}, "h/.local/state/bootstrap"),
    ],
)
def test_where_it_is(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    given = {name: value.format(tmp_path) for name, value in environ.items()}
    assert State(tmp_path, given).directory.parent == tmp_path / expected


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_it_says_what_to_set(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match="HOME is not set") as caught:
        State(tmp_path, environ)
    assert "XDG_STATE_HOME" in caught.value.hint


@pytest.mark.parametrize("kind", ["file", "link", "stranger"])
def test_a_place_that_is_not_ours_alone_is_refused(kind: str, tmp_path: Path) -> None:
    one = state(tmp_path)
    place = one.directory
    place.rmdir()
    if kind == "file":
        place.write_text("")
    elif kind == "link":
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    elif os.geteuid() == 0:
        place.mkdir()
        os.chown(place, 54321, 54321)
    else:
        pytest.skip("only root can give a folder to another user")
    with pytest.raises(BootstrapError) as caught:
        one.write("run", {})
    assert str(place) in caught.value.message
    assert not list((tmp_path / "elsewhere").glob("*")) or kind != "link"

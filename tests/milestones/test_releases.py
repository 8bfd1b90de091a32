"""A release on GitHub hangs on its tag: `gh` is asked before the tag goes, and what it cannot say is said."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.milestones.command import Answer, Tool
from tests.milestones.repositories import Clone, Remote
from tests.secrets.stand_ins.machine import StandIns

ADDRESS = "https://github.com/acme/journal.git"
RENAME = ("rename", "week2", "week2-start", "--push")
DELETE = ("delete", "week2", "--yes")


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    """The folder with `gh`."""
    return StandIns(tmp_path / "stand-ins")


@pytest.fixture
def published(clone: Clone, remote: Remote) -> Clone:
    """A clone of a repository that its configuration says is on GitHub."""
    clone.tag("week2")
    clone.publish("week2")
    clone.git("remote", "set-url", "origin", ADDRESS)
    clone.config(f"url.{remote.url}.insteadOf", ADDRESS)
    return clone


def releases(programs: StandIns, found: Mapping[str, object], **more: object) -> None:
    """Let acme/journal have these releases."""
    with programs.change("gh") as state:
        state.update(releases={"acme/journal": found}, **more)


def ask(tool: Tool, clone: Clone, programs: StandIns, *arguments: str) -> Answer:
    """Run it where there is a `gh`."""
    return tool(*arguments, cwd=clone.root, env={"PATH": f"{programs.programs}:{os.environ['PATH']}"})


@pytest.mark.parametrize("arguments", [RENAME, DELETE])
@pytest.mark.parametrize("old", [False, True])
def test_a_tag_under_a_release_stays(
    published: Clone, remote: Remote, tool: Tool, programs: StandIns, arguments: tuple[str, ...], *, old: bool
) -> None:
    releases(programs, {"week2": {"draft": False}}, old=old)
    before = published.refs(), remote.refs()
    done = ask(tool, published, programs, *arguments)
    assert done.code not in (0, 2), done
    assert "release" in done.err
    assert "gh release" in done.err
    assert (published.refs(), remote.refs()) == before
    releases(programs, {"week1": {}}, old=old)
    ask(tool, published, programs, *arguments).check(0)
    assert "week2" not in remote.tags()


def test_an_immutable_release_is_said_to_be_one(
    published: Clone, remote: Remote, tool: Tool, programs: StandIns
) -> None:
    releases(programs, {"week2": {"immutable": True}})
    for arguments in (RENAME, DELETE, (*RENAME, "--dry-run")):
        done = ask(tool, published, programs, *arguments)
        assert done.code not in (0, 2), done
        assert "immutable" in done.err
    assert set(remote.tags()) == {"week2"}


def test_the_mending_of_a_tag_under_a_release_says_so(
    published: Clone, remote: Remote, tool: Tool, programs: StandIns
) -> None:
    """It stays under its name, but an immutable release takes no other object for it."""
    published.tag_inside("week3", "week2", "of week 3\n")
    published.git("push", "--quiet", remote.url, "refs/tags/week3", "main")
    releases(programs, {"week3": {"immutable": True}})
    before = published.tags(), remote.tags()
    done = ask(tool, published, programs, "check", "--fix", "--yes")
    assert done.code != 0, done
    assert "immutable" in done.said
    assert (published.tags(), remote.tags()) == before
    releases(programs, {"week3": {}})
    ask(tool, published, programs, "check", "--fix", "--yes").check(0)


@pytest.mark.parametrize("trouble", ["not logged in", "nobody's", "fails"])
def test_what_gh_cannot_say_is_said(
    published: Clone, remote: Remote, tool: Tool, programs: StandIns, trouble: str
) -> None:
    with programs.change("gh") as state:
        if trouble == "not logged in":
            state["login"] = False
        elif trouble == "fails":
            (programs.programs / "gh").write_text("#!/bin/sh\necho 'connection reset' >&2\nexit 1\n")
    done = ask(tool, published, programs, *RENAME).check(0)
    assert "release" in done.err
    assert "gh" in done.err
    assert set(remote.tags()) == {"week2-start"}


def test_without_gh_it_says_that_nobody_was_asked(published: Clone, tool: Tool, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("git", "sh"):
        (few / name).symlink_to(shutil.which(name) or "")
    done = tool(*RENAME, cwd=published.root, env={"PATH": str(few)}).check(0)
    assert "release" in done.err
    assert "gh" in done.err


def test_other_hosts_are_not_asked_about_releases(
    published: Clone, remote: Remote, tool: Tool, programs: StandIns
) -> None:
    published.git("remote", "set-url", "origin", remote.url)
    releases(programs, {"week2": {}})
    done = ask(tool, published, programs, *RENAME).check(0)
    assert "release" not in done.err
    assert programs.calls("gh") == []

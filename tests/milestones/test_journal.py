"""The journal's history: its flaw has a name, and is mended here and on the remote."""

from pathlib import Path

import pytest

from tests.milestones.command import Tool
from tests.milestones.http_remote import Host
from tests.milestones.journal import MESSAGE, mended, write_journal
from tests.milestones.promises import Ledger
from tests.milestones.repositories import Clone, Remote

REACHED = ["file", "http", "not atomic"]


@pytest.fixture(params=REACHED)
def origin(request: pytest.FixtureRequest, clone: Clone, remote: Remote, host: Host) -> str:
    """How the remote is reached."""
    way: str = request.param
    if way == "http":
        clone.git("remote", "set-url", "origin", host.url("remote.git"))
    if way == "not atomic":
        remote.without_atomic()
    return way


@pytest.mark.usefixtures("origin")
def test_check_names_the_flaw_and_fix_mends_both_sides(clone: Clone, remote: Remote, tool: Tool) -> None:
    journal = write_journal(clone)
    ledger = Ledger(clone, remote)
    found = tool("check", cwd=clone.root).check(5, "week2-start")
    assert remote.tags() == clone.tags() == {"week2": journal.finish, "week2-start": journal.start}
    named = [line.replace("week2-start", "") for line in found.out.split("\n") if "week2-start" in line]
    assert any("week2" in line for line in named), found
    tool("check", "--fix", cwd=clone.root).check(0)
    for side in (clone, remote):
        assert side.raw("refs/tags/week2-start") == mended(commit=journal.commit)
        assert side.tags()["week2"] == journal.finish
    assert clone.refs("refs/bootstrap/replaced/") == {
        f"refs/bootstrap/replaced/week2-start/{journal.start}": journal.start
    }
    assert ledger.settle() == []
    tool("check", cwd=clone.root).check(0)
    assert "externally known" not in clone.run("describe", journal.commit).stderr.decode()


def test_a_dry_run_of_the_mending_shows_it_and_changes_nothing(
    clone: Clone, remote: Remote, tool: Tool
) -> None:
    write_journal(clone)
    before = clone.refs(), remote.refs()
    done = tool("check", "--fix", "--dry-run", cwd=clone.root)
    assert done.code == 5
    assert "week2-start" in done.said
    assert (clone.refs(), remote.refs()) == before


def test_the_journal_done_right_is_one_rename(clone: Clone, remote: Remote, tool: Tool) -> None:
    """What the journal wanted: the tag that came too early becomes the start."""
    clone.write("journal/week2.md", "# Week 2\n")
    commit = clone.commit("Write about week 2")
    clone.tag("week2", MESSAGE)
    clone.publish("week2")
    early = clone.raw("refs/tags/week2")
    tool("rename", "week2", "week2-start", "--push", cwd=clone.root).check(0)
    for side in (clone, remote):
        assert side.raw("refs/tags/week2-start") == early.replace(b"\ntag week2\n", b"\ntag week2-start\n")
        assert set(side.tags()) == {"week2-start"}
    clone.commit("Finish week 2")
    tool("finish", "2", "-m", "finished week2 work", "--push", cwd=clone.root).check(0)
    assert clone.tags() == remote.tags()
    assert set(remote.tags()) == {"week2-start", "week2"}
    assert clone.git("rev-parse", "week2-start^{commit}") == commit
    tool("check", cwd=clone.root).check(0)


def test_a_peer_that_pushes_the_old_name_back_is_found(
    clone: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    clone.tag("week2")
    clone.publish("week2")
    peer = Clone(tmp_path / "peer", remote)
    peer.git("fetch", "--quiet", "--tags")
    done = tool("rename", "week2", "week2-start", "--push", cwd=clone.root).check(0)
    assert "--prune-tags" in done.said or "tag sync" in done.said
    peer.git("push", "--quiet", "--tags", "origin")
    assert set(remote.tags()) == {"week2", "week2-start"}
    found = tool("check", cwd=clone.root).check(5)
    assert any("week2" in line.replace("week2-start", "") for line in found.out.split("\n"))

"""`sync` takes what the remote has, names what it would drop, and drops nothing that exists only here."""

import json
from pathlib import Path

import pytest

from tests.milestones.command import Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote


@pytest.fixture
def peer(clone: Clone, remote: Remote, tmp_path: Path) -> Clone:
    """Another clone, which knows `week1` and `week2`."""
    clone.tag("week1")
    clone.commit("Work on week 2")
    clone.tag("week2")
    clone.git("push", "--quiet", "origin", "main")
    clone.publish("week1", "week2")
    made = Clone(tmp_path / "peer", remote)
    made.git("fetch", "--quiet", "--tags")
    return made


def test_a_renamed_tag_is_taken_and_the_old_name_dropped_by_name(
    clone: Clone, remote: Remote, peer: Clone, tool: Tool
) -> None:
    tool("rename", "week2", "week2-start", "--push", cwd=clone.root).check(0)
    before, ledger = peer.refs(), Ledger(peer, remote)
    planned = tool("sync", "--dry-run", cwd=peer.root)
    assert "week2" in planned.err
    assert peer.refs() == before
    done = tool("sync", "--yes", cwd=peer.root).check(0)
    assert "week2" in done.err
    assert "week2-start" in peer.tags()
    assert ledger.settle(renamed={"week2": "week2-start"}) == []
    if unequal(peer, remote):
        tool("check", cwd=peer.root).check(5, "week2")
    else:
        tool("check", cwd=peer.root).check(0)


def test_what_exists_only_here_survives(clone: Clone, remote: Remote, peer: Clone, tool: Tool) -> None:
    mine = peer.tag("week3", "not published yet\n"), peer.lightweight("v1"), peer.tag("notes")
    clone.tag("week4")
    clone.publish("week4")
    ledger = Ledger(peer, remote)
    tool("sync", "--yes", cwd=peer.root)
    assert (peer.tags()["week3"], peer.tags()["v1"], peer.tags()["notes"]) == mine
    assert peer.tags()["week4"] == remote.tags()["week4"]
    assert ledger.settle() == []


def test_a_tag_that_differs_is_not_taken_over_in_silence(
    clone: Clone, remote: Remote, peer: Clone, tool: Tool
) -> None:
    clone.tag("week2", "moved\n")
    clone.git("push", "--quiet", "--force", "origin", "refs/tags/week2")
    ledger = Ledger(peer, remote)
    done = tool("sync", "--yes", cwd=peer.root)
    assert "week2" in done.said
    assert ledger.settle() == []
    if unequal(peer, remote):
        assert done.code == 5
        tool("check", cwd=peer.root).check(5, "week2")


def test_a_deletion_there_is_named_before_it_happens_here(clone: Clone, peer: Clone, tool: Tool) -> None:
    clone.git("push", "--quiet", "origin", ":refs/tags/week1")
    old = peer.tags()["week1"]
    done = tool("sync", cwd=peer.root)
    assert "week1" in done.err
    assert old in peer.refs().values()
    tool("sync", "--yes", cwd=peer.root)
    assert old in peer.refs().values()


def test_oddities_come_as_they_are(clone: Clone, remote: Remote, peer: Clone, tool: Tool) -> None:
    clone.tag_inside("week5", "week4", "inner\n")
    clone.lightweight("week6")
    clone.tag("outer", target="refs/tags/week5")
    clone.publish("week5", "week6", "outer")
    remote.git("update-ref", "refs/tags/-f", "refs/tags/week1")
    tool("sync", "--yes", cwd=peer.root)
    for name in ("week5", "week6"):
        assert peer.tags()[name] == remote.tags()[name]
    answer = tool("check", "--json", cwd=peer.root).check(5)
    assert "week5" in json.dumps(json.loads(answer.out))


def test_a_remote_that_is_empty_or_gone_drops_nothing(
    clone: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    clone.tag("week1")
    clone.publish("week1")
    empty = Remote(tmp_path / "empty.git")
    clone.git("remote", "set-url", "origin", empty.url)
    tool("sync", "--yes", cwd=clone.root)
    names = clone.refs()
    assert remote.tags()["week1"] in names.values()
    clone.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    tool("sync", "--yes", cwd=clone.root).check(4)
    assert clone.refs() == names


def test_two_milestones_of_one_second_are_not_taken_for_one_that_was_renamed(
    clone: Clone, remote: Remote, tool: Tool
) -> None:
    moment = {"GIT_COMMITTER_DATE": "1767225600 +0100"}
    tool("finish", "2", "-m", "Done", cwd=clone.root, env=moment).check(0)
    tool("start", "3", "-m", "Done", "--push", cwd=clone.root, env=moment).check(0)
    assert b"1767225600 +0100" in clone.raw("refs/tags/week2")
    assert b"1767225601 +0100" in clone.raw("refs/tags/week3-start")
    tool("sync", "--yes", cwd=clone.root).check(0)
    tool("check", "--fix", cwd=clone.root).check(0)
    assert set(clone.tags()) == set(remote.tags()) == {"week2", "week3-start"}

"""What remotes do to a rename: they take it whole, refuse it, answer nothing, or take it piece by piece."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.milestones.command import Tool
from tests.milestones.http_remote import Host
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote

Rename = tuple[str, ...]
RENAME: Rename = ("rename", "week2", "week2-start", "--push")


@pytest.fixture
def published(clone: Clone) -> Clone:
    """A clone whose `week2` is on the remote as well."""
    clone.tag("week2")
    clone.publish("week2")
    return clone


def test_a_rename_moves_here_and_there_and_keeps_what_it_replaces(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    old, text = published.tags()["week2"], published.raw("refs/tags/week2")
    done = tool(*RENAME, cwd=published.root).check(0)
    assert done.out == "" or "week2-start" in done.out
    assert unequal(published, remote) == []
    assert remote.raw("refs/tags/week2-start") == text.replace(b"\ntag week2\n", b"\ntag week2-start\n")
    assert "week2" not in remote.tags()
    assert published.refs("refs/bootstrap/replaced/") == {f"refs/bootstrap/replaced/week2/{old}": old}
    assert remote.refs("refs/bootstrap/") == {}
    tool("check", cwd=published.root).check(0)


def test_over_http(published: Clone, remote: Remote, tool: Tool, host: Host) -> None:
    published.git("remote", "set-url", "origin", host.url("remote.git"))
    tool(*RENAME, cwd=published.root).check(0)
    assert set(remote.tags()) == {"week2-start"}
    assert unequal(published, remote) == []
    tool("delete", "week2-start", "--yes", cwd=published.root).check(0)
    assert remote.tags() == published.tags() == {}


def test_a_remote_without_atomic_pushes_is_told_and_loses_nothing_in_between(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    """The order is safe: when the old name goes, the new one is there."""
    remote.without_atomic()
    remote.hook(
        "update",
        '#!/bin/sh\ngit for-each-ref --format="%(refname)" refs/tags >>seen\necho "- $1" >>seen\nexit 0\n',
    )
    done = tool(*RENAME, cwd=published.root).check(0)
    assert "atomic" in done.err
    assert set(remote.tags()) == {"week2-start"}
    assert unequal(published, remote) == []
    seen = (remote.root / "seen").read_text().split("\n")
    order = [line for line in seen if line.startswith("- ")]
    assert order == ["- refs/tags/week2-start", "- refs/tags/week2"]
    assert "refs/tags/week2-start" in seen[seen.index("- refs/tags/week2-start") + 1 :]


def test_without_atomic_pushes_a_refused_second_step_is_said_and_found(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    remote.without_atomic().keep_everything()
    ledger = Ledger(published, remote)
    done = tool(*RENAME, cwd=published.root)
    assert done.code == 4, done
    assert ledger.settle(renamed={"week2": "week2-start"}) == []
    if unequal(published, remote) or len(remote.tags()) > 1:
        tool("check", cwd=published.root).check(5, "week2")
    remote.allow()
    tool(*RENAME, cwd=published.root)
    tool("check", "--fix", "--yes", cwd=published.root)
    tool("check", cwd=published.root).check(0)
    assert ledger.settle(renamed={"week2": "week2-start"}) == []


def _protect_old(remote: Remote) -> None:
    remote.protect("refs/tags/week2")


def _protect_new(remote: Remote) -> None:
    remote.protect("refs/tags/week2-*")


def _keep(remote: Remote) -> None:
    remote.keep_everything()


def _refuse(remote: Remote) -> None:
    remote.refuse()


def _no_deletions(remote: Remote) -> None:
    remote.config("receive.denyDeletes", "true")
    remote.refuse("deletion prohibited")


@pytest.fixture(params=["file", "http"])
def reached(request: pytest.FixtureRequest, published: Clone, host: Host) -> Clone:
    """The clone, reaching its remote in one of two ways."""
    if request.param == "http":
        published.git("remote", "set-url", "origin", host.url("remote.git"))
    return published


@pytest.mark.parametrize("refusal", [_protect_old, _protect_new, _keep, _refuse, _no_deletions])
def test_a_remote_that_refuses_changes_nothing_on_either_side(
    reached: Clone, remote: Remote, tool: Tool, refusal: Callable[[Remote], None]
) -> None:
    published = reached
    refusal(remote)
    before = published.tags(), remote.tags()
    for arguments in (RENAME, ("delete", "week2", "--yes")):
        if refusal is _protect_new and arguments[0] == "delete":
            continue
        done = tool(*arguments, cwd=published.root)
        assert done.code == 4, done
        assert len(done.err.rstrip("\n").split("\n")) >= 2, done.err
        assert (published.tags(), remote.tags()) == before
        assert published.locks() == remote.locks() == []


@pytest.mark.parametrize("trouble", ["password", "read only", "gone", "dropped"])
def test_a_host_that_does_not_let_us_changes_nothing(
    published: Clone, remote: Remote, tool: Tool, host: Host, trouble: str
) -> None:
    url = host.url("remote.git")
    published.git("remote", "set-url", "origin", url)
    if trouble == "password":
        host.password = "made-up"
    elif trouble == "read only":
        host.forbid_pushes = True
    elif trouble == "gone":
        published.git("remote", "set-url", "origin", host.url("nowhere.git"))
    else:
        host.drop = "git-receive-pack"
    before = published.refs(), remote.refs()
    done = tool(*RENAME, cwd=published.root)
    assert done.code == 4, done
    assert (published.tags(), remote.refs()) == (published.tags(), before[1])
    assert "week2" in published.tags()
    assert "week2-start" not in published.tags()
    assert "made-up" not in done.said


@pytest.mark.parametrize("command", ["rename", "start", "delete"])
def test_a_lost_answer_is_found_out_by_asking_again(
    published: Clone, remote: Remote, tool: Tool, host: Host, command: str
) -> None:
    """The remote did it, and the connection broke before it could say so."""
    published.git("remote", "set-url", "origin", host.url("remote.git"))
    ledger = Ledger(published, remote)
    arguments = {
        "rename": RENAME,
        "start": ("start", "3", "-m", "x", "--push"),
        "delete": ("delete", "week2", "--yes"),
    }[command]
    host.lose_answer = "git-receive-pack"
    done = tool(*arguments, cwd=published.root)
    host.lose_answer = ""
    gone = ["week2"] if command == "delete" else []
    assert ledger.settle(renamed={"week2": "week2-start"}, deleted=gone) == []
    if unequal(published, remote):
        assert done.code != 0
        tool("check", cwd=published.root).check(5)
        tool("check", "--fix", "--yes", cwd=published.root).check(0)
    tool("check", cwd=published.root).check(0)
    assert unequal(published, remote) == []
    assert ledger.settle(renamed={"week2": "week2-start"}, deleted=gone) == []


def test_a_tag_that_moved_on_the_remote_is_left_alone(
    published: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    peer = Clone(tmp_path / "peer", remote)
    peer.commit("Of the peer")
    moved = peer.tag("week2", "moved\n")
    peer.git("push", "--quiet", "--force", "origin", "refs/tags/week2")
    before = published.tags()
    for arguments in (RENAME, ("delete", "week2", "--yes")):
        done = tool(*arguments, cwd=published.root)
        assert done.code not in (0, 2), done
        assert remote.tags() == {"week2": moved}
        assert published.tags() == before
    tool("check", cwd=published.root).check(5, "week2")
    listed = tool("list", cwd=published.root).check(0)
    assert "differ" in listed.said


def test_a_new_name_that_only_the_remote_has_is_not_overwritten(
    published: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    peer = Clone(tmp_path / "peer", remote)
    peer.commit("Of the peer")
    theirs = peer.tag("week2-start", "of the peer\n")
    peer.publish("week2-start")
    before = published.tags()
    done = tool(*RENAME, cwd=published.root)
    assert done.code not in (0, 2), done
    assert remote.tags() == {**before, "week2-start": theirs}
    assert published.tags() == before
    done = tool("start", "2", "-m", "mine", "--push", cwd=published.root)
    assert done.code not in (0, 2), done
    assert remote.tags() == {**before, "week2-start": theirs}


def test_a_tag_that_only_the_remote_has_can_be_renamed_or_says_how(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    published.git("update-ref", "-d", "refs/tags/week2")
    ledger = Ledger(published, remote)
    done = tool(*RENAME, cwd=published.root)
    assert ledger.settle(renamed={"week2": "week2-start"}) == []
    if done.code == 0:
        assert set(remote.tags()) == {"week2-start"}
        assert unequal(published, remote) == []
    else:
        assert set(remote.tags()) == {"week2"}
        assert "sync" in done.err or "fetch" in done.err


def test_one_of_several_remotes_has_to_be_named(
    published: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    other = Remote(tmp_path / "other.git")
    published.git("remote", "rename", "origin", "here")
    published.git("remote", "add", "there", other.url)
    published.git("push", "--quiet", "there", "main", "refs/tags/week2")
    published.git("branch", "--unset-upstream")
    before = published.tags()
    done = tool(*RENAME, cwd=published.root)
    assert done.code in (2, 3), done
    assert "--remote" in done.err
    assert "here" in done.err
    assert "there" in done.err
    assert published.tags() == remote.tags() == other.tags() == before
    tool(*RENAME, "--remote", "there", cwd=published.root).check(0)
    assert set(other.tags()) == {"week2-start"}
    assert set(remote.tags()) == {"week2"}
    tool("check", "--remote", "there", cwd=published.root).check(0)
    tool("check", "--remote", "here", cwd=published.root).check(5)
    assert tool("check", "--remote", "nowhere", cwd=published.root).code in (2, 3)


def test_without_a_remote_everything_is_here_and_a_push_says_so(tmp_path: Path, tool: Tool) -> None:
    alone = Clone(tmp_path / "alone")
    tool("start", "1", "-m", "x", cwd=alone.root).check(0)
    before = alone.tags()
    alone.commit("More")
    done = tool("finish", "1", "-m", "x", "--push", cwd=alone.root)
    assert done.code == 3, done
    assert "git remote add" in done.err
    assert alone.tags() == before
    tool("finish", "1", "-m", "x", cwd=alone.root).check(0)
    tool("rename", "week1", "week7", cwd=alone.root).check(0)
    assert set(alone.tags()) == {"week1-start", "week7"}
    listed = tool("list", cwd=alone.root).check(0)
    assert "week7" in listed.out


def test_rehearsing_looks_at_the_leases_and_changes_nothing(
    published: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    before = published.refs(), remote.refs()
    done = tool(*RENAME, "--dry-run", cwd=published.root).check(0)
    assert "week2-start" in done.err
    for arguments in (
        ("start", "3", "-m", "x", "--push", "--dry-run"),
        ("finish", "3", "-m", "x", "--push", "--dry-run"),
        ("delete", "week2", "--dry-run"),
        ("sync", "--dry-run"),
    ):
        tool(*arguments, cwd=published.root).check(0)
    assert (published.refs(), remote.refs()) == before
    peer = Clone(tmp_path / "peer", remote)
    peer.tag("week2", "moved\n")
    peer.git("push", "--quiet", "--force", "origin", "refs/tags/week2")
    done = tool(*RENAME, "--dry-run", cwd=published.root)
    assert done.code not in (0, 2), done


def test_a_hook_of_the_clone_s_own_may_refuse(published: Clone, remote: Remote, tool: Tool) -> None:
    published.hook("pre-push", '#!/bin/sh\necho "not before the tests are green" >&2\nexit 1\n')
    before = published.tags(), remote.tags()
    done = tool(*RENAME, cwd=published.root)
    assert done.code not in (0, 2), done
    assert "pre-push" in done.err or "green" in done.err
    assert (published.tags(), remote.tags()) == before


@pytest.mark.parametrize("command", ["rename", "delete", "start"])
def test_a_server_that_dies_before_it_reports_is_not_said_to_have_refused(
    published: Clone, remote: Remote, tool: Tool, command: str
) -> None:
    """It has done what was asked; git then knows only that the remote failed to report its status."""
    arguments = {
        "rename": RENAME,
        "delete": ("delete", "week2", "--yes"),
        "start": ("start", "3", "-m", "x", "--push"),
    }[command]
    remote.hook("reference-transaction", '#!/bin/sh\n[ "$1" = committed ] && kill -9 $PPID\nexit 0\n')
    ledger = Ledger(published, remote)
    before = remote.tags()
    done = tool(*arguments, cwd=published.root)
    remote.allow()
    changed = remote.tags() != before
    assert changed
    assert "othing was changed" not in done.err
    gone = ["week2"] if command == "delete" else []
    assert ledger.settle(renamed={"week2": "week2-start"}, deleted=gone) == []
    if unequal(published, remote):
        assert done.code not in (0, 2), done
        tool("check", cwd=published.root).check(5)
        tool("check", "--fix", "--yes", cwd=published.root).check(0)
    assert unequal(published, remote) == []
    tool("check", cwd=published.root).check(0)

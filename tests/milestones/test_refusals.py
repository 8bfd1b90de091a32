"""What cannot be done is refused before anything changes, and the refusal says the way out."""

import subprocess
from pathlib import Path

import pytest

from tests.milestones.command import Answer, Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote


def refused(answer: Answer, *words: str) -> Answer:
    """Hold an answer to one line of what, one line of what next, and no traceback."""
    assert answer.code not in (0, 130), answer
    assert answer.code > 0, answer
    lines = answer.err.rstrip("\n").split("\n")
    assert lines[-2].startswith("bootstrap: "), answer.err
    assert lines[-1].startswith("  "), answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err, f"no {word!r} in {answer.err}"
    return answer


@pytest.fixture
def published(clone: Clone) -> Clone:
    """A clone whose `week2` is on the remote as well."""
    clone.tag("week2")
    clone.publish("week2")
    return clone


def test_an_existing_name_is_not_used_again(published: Clone, remote: Remote, tool: Tool) -> None:
    published.commit("More")
    published.tag("week3")
    before = published.refs(), remote.refs()
    refused(tool("finish", "2", "-m", "again", cwd=published.root), "week2")
    refused(tool("rename", "week3", "week2", cwd=published.root), "week2")
    refused(tool("rename", "week2", "week3", "--push", cwd=published.root), "week3")
    refused(tool("rename", "week2", "week2", cwd=published.root))
    assert (published.refs(), remote.refs()) == before


def test_what_does_not_exist_is_neither_renamed_nor_deleted_nor_shown(published: Clone, tool: Tool) -> None:
    for arguments in (("rename", "week8", "week9"), ("delete", "week8", "--yes"), ("show", "8")):
        refused(tool(*arguments, cwd=published.root), "week8")


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_name_that_a_branch_carries_is_refused(
    published: Clone, remote: Remote, tool: Tool, where: str
) -> None:
    side = published if where == "here" else remote
    side.git("branch", "week3-start", "HEAD" if where == "here" else "main")
    side.git("branch", "week4", "HEAD" if where == "here" else "main")
    before = published.tags(), remote.tags()
    refused(tool("start", "3", "-m", "x", "--push", cwd=published.root), "branch", "week3-start")
    refused(tool("rename", "week2", "week4", "--push", cwd=published.root), "branch", "week4")
    assert (published.tags(), remote.tags()) == before


def test_a_tag_whose_name_a_branch_has_too_can_still_be_renamed(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    published.git("branch", "week2")
    published.git("push", "--quiet", "origin", "refs/heads/week2")
    branch = remote.refs("refs/heads/")
    tool("rename", "week2", "week2-start", "--push", cwd=published.root).check(0)
    assert remote.refs("refs/heads/") == branch
    assert set(remote.tags()) == set(published.tags()) == {"week2-start"}
    assert published.refs("refs/heads/week2") != {}


def test_an_unborn_head_cannot_be_tagged(tmp_path: Path, tool: Tool) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    refused(tool("start", "1", "-m", "x", cwd=folder), "commit")
    tool("list", cwd=folder).check(0)
    tool("check", cwd=folder).check(0)


def test_a_detached_head_is_refused_or_said_and_a_named_commit_is_not(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    published.git("checkout", "--quiet", "--detach")
    lost = published.commit("On no branch")
    done = tool("start", "3", "-m", "x", "--push", cwd=published.root)
    assert "detached" in done.err or "no branch" in done.err
    if done.code != 0:
        assert "week3-start" not in published.tags()
        assert "week3-start" not in remote.tags()
    tool("start", "4", "-m", "x", "--at", lost, cwd=published.root)
    tool("finish", "5", "-m", "x", "--at", "main", cwd=published.root).check(0)
    assert published.git("rev-parse", "week5^{commit}") == published.git("rev-parse", "main")


def test_outside_of_a_repository(tmp_path: Path, tool: Tool) -> None:
    for arguments in (("list",), ("check",), ("start", "1", "-m", "x"), ("sync",)):
        refused(tool(*arguments, cwd=tmp_path), "git")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "two", "1e3", "٣", " 2", "02", "99999999999999999999"])
def test_a_week_is_a_number(published: Clone, tool: Tool, number: str) -> None:
    before = published.tags()
    done = tool("start", "-m", "x", "--", number, cwd=published.root)
    if done.code == 0:
        made = set(published.tags()) - set(before)
        assert made == {f"week{int(number)}-start"}
        tool("check", cwd=published.root)
    else:
        assert published.tags() == before
        assert done.code in (1, 2)


MISLEADING = (
    *("a b", "a..b", "a~1", "a.lock", "a/", "/a", "", "a\nb", "a:b", "@{1}", "HEAD", "@", "-f", "--push"),
    *("week2/a", "refs/tags/x", "^x", "x\x1b[2J", "*"),
)


@pytest.mark.parametrize("name", MISLEADING)
def test_names_that_git_cannot_have_or_that_mislead_are_refused(
    published: Clone, remote: Remote, tool: Tool, name: str
) -> None:
    before = published.refs(), remote.refs()
    done = refused(tool("rename", "--push", "--", "week2", name, cwd=published.root))
    assert done.code in (1, 2)
    assert "\x1b" not in done.err
    after = published.refs("refs/tags/"), remote.refs()
    assert after == (({k: v for k, v in before[0].items() if k.startswith("refs/tags/")}), before[1])


@pytest.mark.parametrize("name", ["-week2", "HEAD", "@", "wöche2", "a{b}", "--help", "x;y"])
def test_odd_names_that_exist_can_be_renamed_and_deleted(
    clone: Clone, remote: Remote, tool: Tool, name: str
) -> None:
    clone.tag(name)
    clone.publish(name)
    text = clone.raw(f"refs/tags/{name}")
    tool("check", cwd=clone.root)
    tool("list", cwd=clone.root).check(0)
    tool("rename", "--push", "--", name, "week5", cwd=clone.root).check(0)
    assert unequal(clone, remote) == []
    assert set(clone.tags()) == {"week5"}
    renamed = text.replace(f"\ntag {name}\n".encode(), b"\ntag week5\n")
    assert clone.raw("refs/tags/week5") == renamed
    clone.tag(name)
    tool("delete", "--yes", "--", name, cwd=clone.root).check(0)
    assert set(clone.tags()) == {"week5"}
    tool("check", cwd=clone.root).check(0)


def test_a_tag_that_stands_in_the_way_as_a_folder(published: Clone, remote: Remote, tool: Tool) -> None:
    """`week3-start/a` is a file in a folder of the name that the new tag would need."""
    published.tag("week3-start/a")
    before = published.refs(), remote.refs()
    refused(tool("start", "3", "-m", "x", "--push", cwd=published.root), "week3-start/a")
    refused(tool("rename", "week2", "week3-start", "--push", cwd=published.root))
    assert (published.refs(), remote.refs()) == before


def test_a_rename_into_a_folder_of_its_own_name_loses_nothing(
    published: Clone, remote: Remote, tool: Tool
) -> None:
    ledger = Ledger(published, remote)
    for new in ("week2/start", "week2/a/b"):
        tool("rename", "week2", new, "--push", cwd=published.root)
        assert ledger.settle(renamed={"week2": new}) == []
        assert unequal(published, remote) == []


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key that signs, made for this test."""
    path = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "made up", "-f", str(path)], check=True
    )
    return path


def sign(clone: Clone, key: Path, name: str) -> bytes:
    """Make a signed tag, and return its bytes."""
    clone.config("gpg.format", "ssh")
    clone.config("user.signingkey", str(key))
    clone.git("tag", "--sign", "-m", "a signed word", name)
    return clone.raw(f"refs/tags/{name}")


def test_a_signed_tag_is_not_renamed_into_one_with_a_broken_signature(
    clone: Clone, remote: Remote, tool: Tool, key: Path
) -> None:
    text = sign(clone, key, "week2")
    clone.publish("week2")
    clone.git("config", "--unset", "user.signingkey")
    clone.git("config", "--unset", "gpg.format")
    assert b"-----BEGIN SSH SIGNATURE-----" in text
    before = clone.refs(), remote.refs()
    refused(tool("rename", "week2", "week2-start", "--push", cwd=clone.root), "sign")
    assert (clone.refs(), remote.refs()) == before


def test_a_signed_tag_is_signed_again_where_the_key_is(
    clone: Clone, remote: Remote, tool: Tool, key: Path, tmp_path: Path
) -> None:
    text = sign(clone, key, "week2")
    clone.publish("week2")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"tester@example.com {key.with_suffix('.pub').read_text()}")
    clone.config("gpg.ssh.allowedSignersFile", str(allowed))
    done = tool("rename", "week2", "week2-start", "--push", cwd=clone.root)
    if done.code != 0:
        assert "--sign" in refused(done, "sign").err.lower() or "--resign" in done.err
        option = "--sign" if "--sign" in done.err else "--resign"
        tool("rename", "week2", "week2-start", "--push", option, cwd=clone.root).check(0)
    made = clone.raw("refs/tags/week2-start")
    head = text.partition(b"-----BEGIN")[0]
    assert made.partition(b"-----BEGIN")[0] == head.replace(b"\ntag week2\n", b"\ntag week2-start\n")
    assert unequal(clone, remote) == []
    assert clone.run("verify-tag", "week2-start").returncode == 0
    assert made != text


def test_a_signed_tag_with_a_wrong_inner_name_is_found_and_not_broken(
    clone: Clone, remote: Remote, tool: Tool, key: Path
) -> None:
    sign(clone, key, "week2")
    clone.git("update-ref", "refs/tags/week2-start", "refs/tags/week2")
    clone.publish("week2", "week2-start")
    clone.git("config", "--unset", "user.signingkey")
    clone.git("config", "--unset", "gpg.format")
    before = clone.tags(), remote.tags()
    tool("check", cwd=clone.root).check(5, "week2-start")
    done = tool("check", "--fix", "--yes", cwd=clone.root)
    assert done.code != 0, done
    assert "sign" in done.said
    assert (clone.tags(), remote.tags()) == before


def test_a_shallow_clone_says_what_it_cannot_know(
    published: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    for number in range(5):
        published.commit(f"Work {number}")
    published.git("push", "--quiet", "origin", "main")
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth", "2", f"file://{remote.root}", str(shallow)], check=True
    )
    here = Clone(shallow)
    refused(tool("start", "3", "--push", cwd=shallow), "shallow", "unshallow")
    tool("start", "3", "-m", "x", "--push", cwd=shallow)
    assert "shallow" in tool("list", cwd=shallow).said
    ledger = Ledger(remote)
    tool("check", "--fix", "--yes", cwd=shallow)
    tool("sync", "--yes", cwd=shallow)
    assert ledger.settle() == []
    assert here.locks() == []


def test_a_delete_keeps_what_it_deletes(published: Clone, remote: Remote, tool: Tool) -> None:
    old = published.tags()["week2"]
    tool("delete", "week2", "--yes", cwd=published.root).check(0)
    assert published.tags() == remote.tags() == {}
    assert old in published.refs("refs/bootstrap/").values()
    tool("check", cwd=published.root).check(0)
    refused(tool("delete", "week2", "--yes", cwd=published.root), "week2")


def test_nothing_is_deleted_without_a_terminal_or_a_yes(published: Clone, remote: Remote, tool: Tool) -> None:
    before = published.refs(), remote.refs()
    done = refused(tool("delete", "week2", cwd=published.root))
    assert "--yes" in done.err
    assert (published.refs(), remote.refs()) == before


def test_a_hook_here_is_quoted(clone: Clone, tool: Tool) -> None:
    clone.hook("reference-transaction", "#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n")
    refused(tool("start", "1", "-m", "x", cwd=clone.root), "not on a Sunday", "hook")
    assert clone.tags() == {}


def test_a_bare_repository_is_not_told_to_become_one(remote: Remote, tool: Tool) -> None:
    done = refused(tool("list", cwd=remote.root), "work tree")
    assert "git init" not in done.err


def test_a_lightweight_tag_is_not_promised_what_only_milestones_get(clone: Clone, tool: Tool) -> None:
    clone.lightweight("-x")
    assert "annotates" not in tool("rename", "--", "-x", "x", cwd=clone.root).check(0).err
    tool("rename", "x", "week1", cwd=clone.root).check(0, "annotates")

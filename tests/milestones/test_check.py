"""Whatever is wrong with tags has its own finding; `--fix` mends what can be mended, and loses nothing."""

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from tests.milestones.command import Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote

Flaw = Callable[[Clone, Remote], None]


def inner_name(clone: Clone, _: Remote) -> None:
    clone.tag_inside("week3", "week2", "of week 3\n")
    clone.publish("week3")


def nested(clone: Clone, _: Remote) -> None:
    clone.tag("old")
    clone.git("tag", "-a", "-m", "outer", "week3", "old")
    clone.publish("week3", "old")


def nested_twice(clone: Clone, _: Remote) -> None:
    clone.tag("old")
    clone.tag("older", target="refs/tags/old")
    clone.tag_inside("week3", "week9", "outermost\n", target="refs/tags/older", kind="tag")
    clone.publish("week3", "old", "older")


def lightweight(clone: Clone, _: Remote) -> None:
    clone.lightweight("week3")
    clone.publish("week3")


def lightweight_start(clone: Clone, _: Remote) -> None:
    clone.lightweight("week3-start")
    clone.publish("week3-start")


def branch_here(clone: Clone, _: Remote) -> None:
    clone.tag("week3")
    clone.publish("week3")
    clone.git("branch", "week3")


def branch_there(clone: Clone, remote: Remote) -> None:
    clone.tag("week3")
    clone.publish("week3")
    remote.git("branch", "week3", "main")


def only_here(clone: Clone, _: Remote) -> None:
    clone.tag("week3")


def only_there(clone: Clone, _: Remote) -> None:
    clone.tag("week3")
    clone.publish("week3")
    clone.git("update-ref", "-d", "refs/tags/week3")


def differing(clone: Clone, _: Remote) -> None:
    clone.tag("week3", "as published\n")
    clone.publish("week3")
    clone.tag("week3", "as it is here\n")


def differing_target(clone: Clone, _: Remote) -> None:
    clone.tag("week3", "as published\n")
    clone.publish("week3")
    clone.commit("Later")
    clone.tag("week3", "as it is here\n")


def differing_kind(clone: Clone, _: Remote) -> None:
    clone.lightweight("week3")
    clone.publish("week3")
    clone.tag("week3")


def only_there_and_flawed(clone: Clone, _: Remote) -> None:
    """Nobody here has seen the object of this tag: it has to be fetched to be looked into."""
    clone.tag_inside("week3", "week2", "of week 3\n")
    clone.publish("week3")
    clone.git("update-ref", "-d", "refs/tags/week3")
    clone.git("gc", "--quiet", "--prune=now")


def drift(clone: Clone, _: Remote) -> None:
    for name in ("week6-7", "week8_code"):
        clone.commit(f"Work for {name}")
        clone.tag(name)
    clone.publish("week6-7", "week8_code")


def finish_before_start(clone: Clone, _: Remote) -> None:
    clone.tag("week3")
    clone.commit("Later")
    clone.tag("week3-start")
    clone.publish("week3", "week3-start")


def gap(clone: Clone, _: Remote) -> None:
    for number in (1, 2, 5):
        clone.commit(f"Work on week {number}")
        clone.tag(f"week{number}")
    clone.publish("week1", "week2", "week5")


def stale_lock(clone: Clone, _: Remote) -> None:
    clone.tag("week3")
    clone.publish("week3")
    lock = clone.root / ".git/refs/tags/week3.lock"
    lock.touch()
    os.utime(lock, (1_700_000_000, 1_700_000_000))


def stale_packed_lock(clone: Clone, _: Remote) -> None:
    clone.tag("week3")
    clone.publish("week3")
    lock = clone.root / ".git/packed-refs.lock"
    lock.touch()
    os.utime(lock, (1_700_000_000, 1_700_000_000))


#: the flaw, words of its finding, and whether it can be mended without a person's decision
FLAWS: dict[str, tuple[Flaw, tuple[str, ...], bool]] = {
    "inner name": (inner_name, ("week3", "week2"), True),
    "nested": (nested, ("week3", "nested"), True),
    "nested twice": (nested_twice, ("week3",), True),
    "lightweight": (lightweight, ("week3", "lightweight"), True),
    "lightweight start": (lightweight_start, ("week3-start", "lightweight"), True),
    "branch here": (branch_here, ("week3", "branch"), False),
    "branch there": (branch_there, ("week3", "branch"), False),
    "only here": (only_here, ("week3",), True),
    "only there": (only_there, ("week3",), True),
    "differing": (differing, ("week3", "differ"), False),
    "differing target": (differing_target, ("week3", "differ"), False),
    "differing kind": (differing_kind, ("week3", "differ"), False),
    "only there and flawed": (only_there_and_flawed, ("week3",), True),
    "drift": (drift, ("week6-7", "week8_code"), True),
    "finish before start": (finish_before_start, ("week3-start", "week3"), False),
    "gap": (gap, ("week3", "week4"), False),
    "stale lock": (stale_lock, ("week3.lock",), True),
    "stale packed lock": (stale_packed_lock, ("packed-refs.lock",), True),
}


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_is_named_mended_where_it_can_be_and_nothing_is_lost(
    clone: Clone, remote: Remote, tool: Tool, name: str
) -> None:
    make, words, mendable = FLAWS[name]
    clone.git("push", "--quiet", "origin", "main")
    make(clone, remote)
    clone.git("push", "--quiet", "origin", "main")
    before = clone.refs(), remote.refs()
    ledger = Ledger(clone, remote)
    found = tool("check", cwd=clone.root).check(5)
    for word in words:
        assert word in found.out, found
    document = json.loads(tool("check", "--json", cwd=clone.root).check(5).out)
    assert words[0] in json.dumps(document)
    assert (clone.refs(), remote.refs()) == before
    mended = tool("check", "--fix", "--yes", cwd=clone.root)
    assert mended.code == (0 if mendable else 5), mended
    again = tool("check", cwd=clone.root)
    assert again.code == mended.code, (mended, again)
    assert ledger.settle(renamed={"week8_code": "week8", "week6-7": "week7"}) == []
    if mendable:
        assert unequal(clone, remote) == []
        assert clone.locks() == []
        for tag in clone.tags():
            if tag.startswith("week"):
                assert f"\ntype commit\ntag {tag}\n".encode() in clone.raw(f"refs/tags/{tag}")
    twice = clone.refs("refs/tags/"), remote.refs("refs/tags/")
    tool("check", "--fix", "--yes", cwd=clone.root)
    assert (clone.refs("refs/tags/"), remote.refs("refs/tags/")) == twice


def test_all_flaws_together_are_all_named(clone: Clone, remote: Remote, tool: Tool) -> None:
    clone.tag_inside("week1", "week9", "of week 1\n")
    clone.lightweight("week2")
    clone.publish("week1", "week2")
    clone.commit("Later")
    clone.tag("week2-start")
    clone.git("branch", "week2-start")
    drift(clone, remote)
    clone.git("push", "--quiet", "origin", "main")
    ledger = Ledger(clone, remote)
    found = tool("check", cwd=clone.root).check(5, "week1", "week9", "lightweight", "branch", "week6-7")
    count = len(json.loads(tool("check", "--json", cwd=clone.root).out)["findings"])
    assert count >= 6, found
    tool("check", "--fix", "--yes", cwd=clone.root)
    left = json.loads(tool("check", "--json", cwd=clone.root).out)["findings"]
    assert len(left) < count
    assert ledger.settle(renamed={"week8_code": "week8", "week6-7": "week7"}) == []


def test_a_lock_whose_owner_lives_is_left_alone(clone: Clone, tool: Tool) -> None:
    """However old it is: a git that waits for somebody's word holds it."""
    clone.tag("week1")
    clone.publish("week1")
    head = clone.git("rev-parse", "HEAD")
    owner = subprocess.Popen(
        ["git", "update-ref", "--stdin"], cwd=clone.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    with owner.stdin, owner.stdout:
        owner.stdin.write(f"start\ncreate refs/tags/week2 {head}\nprepare\n".encode())
        owner.stdin.flush()
        assert [owner.stdout.readline() for _ in range(2)] == [b"start: ok\n", b"prepare: ok\n"]
        lock = clone.root / ".git/refs/tags/week2.lock"
        os.utime(lock, (1_700_000_000, 1_700_000_000))
        done = tool("check", "--fix", "--yes", cwd=clone.root)
        assert lock.exists(), done
        assert done.code == 5, done
        owner.stdin.write(b"abort\n")
        owner.stdin.close()
        assert owner.stdout.read() == b"abort: ok\n"
    assert owner.wait() == 0
    tool("check", cwd=clone.root).check(0)


def test_a_git_that_is_dead_but_not_buried_owns_no_lock(clone: Clone, remote: Remote, tool: Tool) -> None:
    """Whoever has killed it may never ask how it ended; in a container nobody else may, either."""
    stale_lock(clone, remote)
    dead = subprocess.Popen(["git", "cat-file", "--batch"], cwd=clone.root, stdin=subprocess.PIPE)
    assert dead.stdin is not None
    with dead.stdin:
        dead.kill()
        os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
        try:
            tool("check", "--fix", "--yes", cwd=clone.root).check(0)
        finally:
            dead.wait()
    assert clone.locks() == []


def test_other_tags_are_no_milestones_and_left_alone(clone: Clone, remote: Remote, tool: Tool) -> None:
    clone.lightweight("v1.0")
    clone.tag("weekly")
    clone.tag_inside("release", "released", "x\n")
    clone.publish("v1.0")
    before = clone.tags(), remote.tags()
    tool("check", "--fix", "--yes", cwd=clone.root)
    assert clone.tags()["v1.0"] == before[0]["v1.0"]
    assert "weekly" not in remote.tags()


def test_tags_of_trees_and_blobs_do_no_harm(clone: Clone, remote: Remote, tool: Tool) -> None:
    clone.write("a", "a key\n")
    clone.commit("Write a file")
    for name, target, kind in (("week1", "HEAD:a", "blob"), ("week2", "HEAD^{tree}", "tree")):
        oid = clone.git("rev-parse", target)
        clone.git("update-ref", f"refs/tags/{name}", oid)
        text = f"object {oid}\ntype {kind}\ntag {name}x\ntagger A <a@example.com> 1767225600 +0000\n\nx\n"
        made = clone.git("hash-object", "-t", "tag", "-w", "--stdin", data=text.encode())
        clone.git("update-ref", f"refs/tags/{name}x", made)
    clone.publish("week1", "week2", "week1x")
    before = clone.refs("refs/tags/week1"), remote.refs("refs/tags/week1")
    tool("list", cwd=clone.root).check(0)
    tool("check", cwd=clone.root).check(5, "week1")
    done = tool("check", "--fix", "--yes", cwd=clone.root)
    assert "Traceback" not in done.err
    assert (clone.refs("refs/tags/week1"), remote.refs("refs/tags/week1")) == before
    done = tool("rename", "week1x", "week3", "--push", cwd=clone.root)
    assert "Traceback" not in done.err


def test_odd_tag_objects_are_read(clone: Clone, remote: Remote, tool: Tool) -> None:
    """Without a tagger, as git once made them; with a header nobody knows; with bytes that are no text."""
    head = clone.git("rev-parse", "HEAD")
    begin = f"object {head}\ntype commit\ntag old\n".encode()
    tagger = b"tagger A <a@example.com> 1 +0000\n"
    texts = {
        "week1": begin + b"\nno tagger\n",
        "week2": begin + tagger + b"encoding x\n\n\xff\xfe\x00 bytes",
        "week3": begin + tagger.replace(b"A ", b"A\xa0 ") + b"\n",
        "week4": begin + tagger.replace(b"+0000", b"-1145") + b"\n\ntag old\n",
    }
    for name, text in texts.items():
        made = clone.git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", data=text)
        clone.git("update-ref", f"refs/tags/{name}", made)
        clone.publish(name)
    tool("check", cwd=clone.root).check(5, *texts)
    tool("list", cwd=clone.root).check(0, *texts)
    tool("check", "--fix", "--yes", cwd=clone.root)
    for name, text in texts.items():
        assert clone.raw(f"refs/tags/{name}") == remote.raw(f"refs/tags/{name}")
        assert clone.raw(f"refs/tags/{name}") == text.replace(b"\ntag old\n", f"\ntag {name}\n".encode(), 1)


def test_a_clone_that_is_packed_or_has_reflogs_is_the_same(clone: Clone, remote: Remote, tool: Tool) -> None:
    clone.config("core.logAllRefUpdates", "always")
    inner_name(clone, remote)
    clone.tag("week4")
    clone.git("pack-refs", "--all")
    remote.git("pack-refs", "--all")
    ledger = Ledger(clone, remote)
    tool("check", "--fix", "--yes", cwd=clone.root)
    tool("rename", "week4", "week5", "--push", cwd=clone.root).check(0)
    assert unequal(clone, remote) == []
    assert ledger.settle(renamed={"week4": "week5"}) == []


def test_a_milestone_that_was_renamed_on_purpose_is_not_renamed_back(
    clone: Clone, remote: Remote, tool: Tool
) -> None:
    clone.tag("week3")
    clone.publish("week3")
    tool("rename", "week3", "week3_draft", cwd=clone.root).check(0)
    tool("check", "--fix", "--yes", cwd=clone.root).check(0, "week3_draft", "renamed here")
    assert set(clone.tags()) == set(remote.tags()) == {"week3_draft"}
    tool("rename", "week3_draft", "week3", cwd=clone.root).check(0)
    clone.tag("week4_draft")
    clone.publish("week4_draft")
    tool("check", "--fix", "--yes", cwd=clone.root).check(0)
    assert set(clone.tags()) == set(remote.tags()) == {"week3", "week4"}
